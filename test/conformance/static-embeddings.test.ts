// Needs the feature model2vec.
import { parse } from 'csv-parse/sync';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openText } from '../../src/data/text/open.ts';
import type { TokenizerJson } from '../../src/data/text/tokenizer/tokenizer-json.ts';
import { tensor } from '../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { runRecipe } from '../../src/run/run.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/session-choice.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { embed } from '../../src/tools/embed.ts';
import { ROOT } from '../support/built.ts';
import { QUICK } from '../support/digits.ts';
import { textsOfMany } from '../support/texts.ts';
import { ofToday } from '../support/today.ts';
import { runPython } from './python.ts';

/** As in static_embeddings.py. */
const SIZE = 16;
const LENGTH = 128;
const folder = mkdtempSync(path.join(tmpdir(), 'static-embeddings-'));
const file = (name: string): string => path.join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The same direction with length 1; zeros stay zeros. */
function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / Math.max(length, 1e-30));
}

const product = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Vectors of texts by a file of `embed`, of length 1, with the tokenizer beside it. */
async function vectorsOf(out: string, texts: readonly string[]): Promise<number[][]> {
  const tokenizer = path.join(path.dirname(out), 'tokenizer.json');
  const { encode } = await openText({ column: 'text', tokenizer, length: LENGTH });
  const model = new InferenceModel(readFileSync(out), out, sessionOptions('cpu', {}));
  const data = Float32Array.from(texts.flatMap((text) => Array.from(encode([text]).ids)));
  const { logits } = await model.run({ input: { data, shape: [texts.length, LENGTH] } });
  model.dispose();
  return texts.map((_, i) => unit(Array.from(logits!.data.slice(i * SIZE, (i + 1) * SIZE), Number)));
}

it('static embeddings of an encoder are those that model2vec makes of it', async () => {
  // Texts that spell a special token, as [SEP], are another matter: model2vec takes it for letters.
  const texts = textsOfMany(400, false).filter((text) => !/[[<]/.test(text) && /\p{Letter}/u.test(text));
  writeFileSync(file('texts.json'), JSON.stringify(texts));
  expect(texts.length).toBeGreaterThan(100);
  expect(runPython('static_embeddings.py', folder)).toBeGreaterThan(800);
  const out = file('made/static.onnx');
  const tokenizer = file('tokenizer.json');
  const made = { encoder: file('encoder.onnx'), tokenizer, size: SIZE, length: LENGTH, pooling: 'mean', out } as const;
  const { kept, width } = await embed(made);
  expect([width, kept > 0.3 && kept < 1]).toEqual([48, true]);
  const ours = await vectorsOf(out, texts);
  const theirs = (JSON.parse(readFileSync(file('vectors.json'), 'utf8')) as number[][]).map(unit);
  const angles = texts.map((_, i) => {
    const j = (7 * i + 1) % texts.length;
    return Math.abs(product(ours[i]!, ours[j]!) - product(theirs[i]!, theirs[j]!));
  });
  const own = texts.map((_, i) => product(ours[i]!, theirs[i]!));
  process.stdout.write(
    `angles between texts differ by ${Math.max(...angles).toFixed(4)}, least cosine ${Math.min(...own).toFixed(4)}\n`,
  );
  expect(Math.max(...angles)).toBeLessThan(1e-4);
  expect(Math.min(...own)).toBeGreaterThan(0.9999);

  // The folder that model2vec saves: its vectors, as they are.
  const saved = { encoder: file('model2vec'), tokenizer: file('model2vec/tokenizer.json'), length: LENGTH, pooling: 'mean' } as const; // prettier-ignore
  const { size } = await embed({ ...saved, out: file('saved/static.onnx') });
  expect(size).toBe(SIZE);
  const same = await vectorsOf(file('saved/static.onnx'), texts);
  const errors = same.map((vector, i) => Math.max(...vector.map((value, k) => Math.abs(value - theirs[i]![k]!))));
  process.stdout.write(`vectors of the folder differ by ${Math.max(...errors)}\n`);
  expect(Math.max(...errors)).toBeLessThan(1e-6);
});

/** Pairs of datasets/wordnet-pairs as one text, by how the two are related, whichever comes first: a bag does not see their order. */
function relations(split: string): { readonly text: string; readonly label: string }[] {
  const file = readFileSync(path.join(ROOT, `datasets/wordnet-pairs/${split}.csv`), 'utf8');
  const rows = parse<{ first: string; second: string; relation: string }>(file, { columns: true });
  const some = rows.filter((_, i) => i % 2 === 0);
  return some.map(({ first, second, relation }) => ({
    text: `${first} ${second}`,
    label: relation.replace(/(?:has )?(kind|part)(?: of)?/, '$1'),
  }));
}

/** The file of `embed` with other vectors, by token: the same bag, so that nothing but the vectors differs. */
function withVectors(bytes: Uint8Array, vectors: Readonly<Record<string, readonly number[]>>, json: TokenizerJson) {
  const model = decodeModel(bytes, 'static.onnx');
  const { initializers } = model.graph;
  const ids = Object.entries(json.model.vocab as Record<string, number>);
  const table = initializers.find(({ name }) => name === 'tokens/embeddings')!;
  const without = ids.map(([token]) => token).filter((token) => vectors[token] === undefined);
  expect([table.dims, without.filter((token) => !/^\[[A-Z]+\]$/.test(token))]).toEqual([
    [ids.length, STUDENT.size],
    [],
  ]);
  const data = new Float32Array(ids.length * STUDENT.size);
  for (const [token, id] of ids) data.set(vectors[token] ?? [], id * STUDENT.size);
  const replaced = initializers.map((one) => (one === table ? tensor(table.name, 'float32', table.dims, data) : one));
  return encodeModel({ ...model, graph: { ...model.graph, initializers: replaced } });
}

const STUDENT = { size: 32, length: 32 };

it('a student distilled from them is as good as one from those of model2vec, on pairs of WordNet', async () => {
  const here = file('students');
  const at = (name: string): string => path.join(here, name);
  mkdirSync(at('theirs'), { recursive: true });
  for (const split of ['train', 'test']) {
    const lines = relations(split).map((row) => JSON.stringify(row));
    writeFileSync(at(`${split}.jsonl`), lines.join('\n'));
  }
  writeFileSync(at('rows.json'), JSON.stringify(relations('train')));
  const names = runPython('static_students.py', here, `${STUDENT.size}`, `${STUDENT.length}`);
  expect(names).toEqual(['kind', 'opposite', 'part', 'similar']);
  const tokenizer = at('tokenizer.json');
  const out = at('ours/static.onnx');
  await embed({ encoder: at('encoder.onnx'), tokenizer, ...STUDENT, pooling: 'mean', out });
  const json = JSON.parse(readFileSync(tokenizer, 'utf8')) as TokenizerJson;
  const theirs = JSON.parse(readFileSync(at('vectors.json'), 'utf8')) as Record<string, number[]>;
  writeFileSync(at('theirs/static.onnx'), withVectors(readFileSync(out), theirs, json));
  const studentOf = async (whose: string, part: string, student: object): Promise<number> => {
    const recipe = {
      ...{ name: `${whose}-${part}`, ...QUICK, baseline: false },
      dataset: {
        ...{ type: 'jsonl', train: 'train.jsonl', test: 'test.jsonl' },
        text: { column: 'text', tokenizer: 'tokenizer.json', length: STUDENT.length },
      },
      teacher: { onnx: 'teacher.onnx', text: { tokenizer: 'tokenizer.json', length: STUDENT.length } },
      student: { onnx: `${whose}/static.onnx`, head: 'replace', ...student },
      distill: { epochs: 4, batchSize: 64, temperature: 2, optimizer: { learningRate: 0.01 } },
    };
    const { report } = await runRecipe(makeRecipe(recipe, here), { out: at('runs') });
    return report.models.find(({ id }) => id === 'distilled')!.score.test!;
  };
  const parts = { head: { freeze: ['tokens/*'] }, whole: {} };
  for (const [part, change] of ofToday(Object.entries(parts), 1)) {
    const [ours, theirs] = [await studentOf('ours', part, change), await studentOf('theirs', part, change)];
    const said = [ours, theirs].map((share) => (100 * share).toFixed(2));
    process.stdout.write(`${part} trained: from ours ${said[0]!} %, from model2vec's ${said[1]!} % of the pairs\n`);
    // A third of the pairs are of the most frequent relation.
    expect([part, ours > 0.45, theirs > 0.45, Math.abs(ours - theirs) < 0.02]).toEqual([part, true, true, true]);
  }
}, 900_000);
