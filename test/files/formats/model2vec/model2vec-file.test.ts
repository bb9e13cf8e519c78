import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toHalfArray } from '../../../../src/base/bytes.ts';
import { writeSafetensors } from '../../../../src/formats/safetensors.ts';
import type { StoredTensor } from '../../../../src/formats/safetensors.ts';
import { asTeacherSees } from '../../../../src/data/dataset.ts';
import { plainLogits } from '../../../../src/distill/preflight/preflight.ts';
import { openTeacher } from '../../../../src/distill/teachers/open.ts';
import { sessionOptionsOf } from '../../../../src/runtime/recipe-options.ts';
import { loadDataToTeach } from '../../../../src/setup/data.ts';
import { engineOf } from '../../../../src/setup/engine.ts';
import { makeRecipe } from '../../../../src/setup/make-recipe.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../../src/runtime/onnxruntime/session-choice.ts';
import { embed } from '../../../../src/tools/embed.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { wordPieces } from '../../../support/tokenizer.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [VOCABULARY, WIDTH] = [58, 4];
const [MY, CARD] = [56, 57];
const VECTORS = Float32Array.from({ length: VOCABULARY * WIDTH }, (_, i) => Math.fround(Math.sin(i * i + 1)));

function writeFolder(tensors: Readonly<Record<string, StoredTensor>>): void {
  mkdirSync(at('m2v'), { recursive: true });
  writeFileSync(at('m2v/tokenizer.json'), JSON.stringify(wordPieces(['my', 'card'])));
  writeFileSync(at('m2v/model.safetensors'), writeSafetensors({ tensors: new Map(Object.entries(tensors)), metadata: {} })); // prettier-ignore
}

const stored = (data: StoredTensor['data'], dtype: StoredTensor['dtype'] = 'float32'): StoredTensor => ({
  dtype,
  shape: [data.length / WIDTH, WIDTH],
  data,
});
const made = (change: object = {}) => ({
  ...{ encoder: at('m2v'), tokenizer: at('m2v/tokenizer.json'), length: 6, pooling: 'mean', out: at('out/static.onnx') },
  ...change,
}) as Parameters<typeof embed>[0]; // prettier-ignore

async function answer(ids: readonly number[]): Promise<number[]> {
  const file = at('out/static.onnx');
  const model = new InferenceModel(readFileSync(file), file, sessionOptions('cpu', {}));
  const data = Float32Array.from({ length: 6 }, (_, i) => ids[i] ?? 0);
  const { logits } = await model.run({ input: { data, shape: [1, 6] } });
  model.dispose();
  return Array.from(logits!.data, Number);
}

it.each([
  ['float32', VECTORS, 1e-7],
  ['float16', toHalfArray(VECTORS), 1e-3],
  ['int8', Int8Array.from(VECTORS, (value) => Math.round(127 * value)), 1e-2],
] as const)('takes the vectors of a folder in %s as they are', async (dtype, data, tolerance) => {
  writeFolder({ embeddings: stored(data, dtype) });
  expect(await embed(made())).toMatchObject({ vocabulary: VOCABULARY, width: WIDTH, size: WIDTH, kept: 1 });
  // [CLS] and [SEP], 2 and 3, and [UNK], 1, have no part in the sum.
  const text = await answer([2, MY, 1, CARD, 3]);
  const scale = dtype === 'int8' ? 127 : 1;
  text.forEach((value, k) => {
    const sum = VECTORS[MY * WIDTH + k]! + VECTORS[CARD * WIDTH + k]!;
    expect(Math.abs(value / scale - sum / 5)).toBeLessThan(tolerance);
  });
});

it('keeps the first numbers of the vectors for a smaller size', async () => {
  writeFolder({ embeddings: stored(VECTORS) });
  const { size, kept } = await embed(made({ size: 2 }));
  expect([size, kept > 0.4 && kept < 0.6]).toEqual([2, true]);
  const own = await answer([MY]);
  expect(own).toHaveLength(2);
  own.forEach((value, k) => expect(value).toBeCloseTo(VECTORS[MY * WIDTH + k]!, 6));
});

it.each([
  ['no embeddings', { vectors: stored(VECTORS) }, {}, /model\.safetensors: expected the tensor embeddings \[tokens, width\] alone, received vectors \(float32, \[58, 4\]\)/],
  ['shared vectors', { embeddings: stored(VECTORS), mapping: { dtype: 'int64', shape: [58], data: new BigInt64Array(58) } }, {}, /alone, received .*mapping \(int64, \[58\]\)/],
  ['one axis', { embeddings: { dtype: 'float32', shape: [232], data: VECTORS } }, {}, /alone, received embeddings \(float32, \[232\]\)/],
  ['other tokens', { embeddings: stored(VECTORS.slice(WIDTH)) }, {}, /expected a vector for each of the 58 tokens of .*m2v.tokenizer\.json, received 57/],
  ['infinity', { embeddings: stored(VECTORS.map((value, i) => (i === 9 ? Infinity : value))) }, {}, /embeddings holds numbers that are not finite/],
  ['a larger size', { embeddings: stored(VECTORS) }, { size: 5 }, /^--size: expected at most 4, the numbers of a vector of .*m2v, received 5/],
] as [string, Record<string, StoredTensor>, object, RegExp][])('refuses a folder with %s', async (_, tensors, change, message) => {
  writeFolder(tensors);
  await expect(embed(made(change))).rejects.toThrow(message);
}); // prettier-ignore

it('refuses a folder whose file is cut off or missing', async () => {
  writeFolder({ embeddings: stored(VECTORS) });
  const file = at('m2v/model.safetensors');
  writeFileSync(file, readFileSync(file).subarray(0, 500));
  await expect(embed(made())).rejects.toThrow(/model\.safetensors: not a valid safetensors file/);
  mkdirSync(at('empty'), { recursive: true });
  await expect(embed(made({ encoder: at('empty') }))).rejects.toThrow(/empty.model\.safetensors/);
  const nosuch = embed(made({ encoder: at('nosuch'), tokenizer: at('nosuch/tokenizer.json') }));
  await expect(nosuch).rejects.toThrow(/nosuch: no such file or folder/);
});

it('is a teacher of vectors, whatever stands around a text', async () => {
  writeFolder({ embeddings: stored(VECTORS) });
  writeFileSync(at('m2v/config.json'), JSON.stringify({ model_type: 'model2vec', architectures: ['StaticModel'] }));
  const texts = ['my card', 'card', 'my my § card', 'my', 'card card my'];
  writeFileSync(at('d.csv'), `text\n${texts.join('\n')}\n`);
  const recipe = {
    ...{ name: 'taught', teacher: { folder: 'm2v' }, student: { model: 'embedding-bag', size: 4 } },
    dataset: {
      ...{ type: 'csv', task: 'embedding', train: 'd.csv', validation: 'd.csv', labelled: 0, dimensions: WIDTH },
      text: { column: 'text', tokenizer: 'm2v/tokenizer.json', length: 6 },
    },
  };
  const { recipe: loaded } = makeRecipe(recipe, folder());
  const { validation } = await loadDataToTeach(loaded);
  const options = { engine: await engineOf(loaded), session: sessionOptionsOf(loaded), name: (file: string) => file };
  const { teacher } = await openTeacher(loaded.teacher!, { ...options, dataset: asTeacherSees(validation) });
  const found = await plainLogits(teacher, validation, Int32Array.from(texts.keys()));
  await teacher.dispose();
  for (const [row, text] of texts.entries()) {
    const sum = Array.from(
      { length: WIDTH },
      (_, k) =>
      text.split(' ').reduce((total, word) => total + (word === '§' ? 0 : VECTORS[(word === 'my' ? MY : CARD) * WIDTH + k]!), 0), // prettier-ignore
    );
    sum.forEach((value, k) => expect(found[row * WIDTH + k]).toBeCloseTo(value / Math.hypot(...sum), 6));
  }
});
