import { zipSync } from 'fflate';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runRecipe } from '../../src/run/run.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { npyBytes } from '../support/npy.ts';
import { LENGTH, model, samples } from '../support/two-ends.ts';

const folder = temporaryFolder();
async function writeSamples(name: string, { count, ids, numbers, labels }: ReturnType<typeof samples>): Promise<void> {
  const archive = zipSync({
    'ids.npy': npyBytes([count, LENGTH], BigInt64Array.from(ids, BigInt)),
    'numbers.npy': npyBytes([count, 2], numbers),
    'y.npy': npyBytes([count], BigInt64Array.from(labels, BigInt)),
  });
  await writeFile(path.join(folder(), name), archive);
}

const SOURCE = (file: string) => ({ file, samples: ['ids', 'numbers'], labels: 'y' });
const RECIPE = {
  name: 'ends',
  dataset: { type: 'npz', train: SOURCE('train.npz'), test: SOURCE('test.npz') },
  teacher: { onnx: 'teacher.onnx', output: 'scores' },
  student: { onnx: 'student.onnx', output: 'scores' },
  distill: { epochs: 6, batchSize: 32, optimizer: { learningRate: 0.02 } },
  export: ['onnx', 'tflite'],
  quantize: [{ scheme: 'int8', method: 'qat', maxDrop: 100, qat: { epochs: 1 } }],
  ...QUICK,
};

describe('a model of two inputs and two outputs', () => {
  const test = samples(200);

  beforeEach(async () => {
    await writeSamples('train.npz', samples(800));
    await writeSamples('test.npz', test);
    await writeFile(path.join(folder(), 'student.onnx'), model(1));
    await writeFile(path.join(folder(), 'teacher.onnx'), model('knows'));
  });

  it('is taught, trained with quantization and exported with all of its ends, to files that are right on the raw arrays', async () => {
    const recipe = makeRecipe(RECIPE, folder());
    const { report, folder: run } = await runRecipe(recipe, { out: folder() });
    expect(report.notes.join('\n')).toContain('its output norm stays in the files, but nothing teaches it');
    const distilled = report.models.find(({ id }) => id === 'scratch')!;
    expect(distilled.score.test).toBeGreaterThan(0.7);

    const file = path.join(run, distilled.file!);
    const opened = new InferenceModel(await readFile(file), file, {});
    expect(opened.inputs.map(({ name, dtype }) => `${name} ${dtype}`)).toEqual(['ids int64', 'numbers float32']);
    expect(opened.outputs.map(({ name }) => name)).toEqual(['logits', 'norm']);
    // By hand, from the arrays as they were saved: only the numbers are standardized, by what the file says.
    const { mean, std } = await preparationOf(file);
    const numbers = test.numbers.map((value, i) => (value - mean[LENGTH + (i % 2)]!) / std[LENGTH + (i % 2)]!);
    const answers = await opened.run({
      ids: { data: BigInt64Array.from(test.ids, BigInt), shape: [test.count, LENGTH] },
      numbers: { data: numbers, shape: [test.count, 2] },
    });
    const right = test.labels.filter((label, i) => label === best(answers['logits']!.data as Float32Array, i)).length;
    expect(right / test.count).toBeCloseTo(distilled.score.test!, 6);
    opened.dispose();
    expect((await evaluateFile(file, recipe, 'test')).accuracy).toBeCloseTo(distilled.score.test!, 6);

    const lite = report.models.find(({ format, precision }) => format === 'tflite' && precision === 'int8')!;
    const session = await openTflite(await readFile(path.join(run, lite.file!)));
    expect(session.inputs.map(({ name, dtype }) => `${name} ${dtype}`)).toEqual(['ids int32', 'numbers float32']);
    expect(session.outputs.map(({ name }) => name).sort()).toEqual(['logits', 'norm']);
    session.dispose();
  });

  it('may have another output taught, by a loss that names it', async () => {
    const distill = {
      ...{ loss: 'hint', features: [{ student: 'norm', teacher: 'norm' }], featureWeight: 1 },
      ...{ epochs: 1, batchSize: 32, softTargets: { store: 'live' } },
    };
    const teacher = { ...RECIPE.teacher, intermediate: ['norm'] };
    const more = { distill, teacher, quantize: [], export: ['onnx'] };
    const { report } = await runRecipe(makeRecipe({ ...RECIPE, ...more }, folder()), { out: folder() });
    expect(report.status).toBe('complete');
    expect(report.notes.join('\n')).not.toContain('nothing teaches');
  });

  it.each([
    [
      'another input than the data have',
      model(3, { ids: 'tokens', numbers: 'numbers' }),
      /its inputs are tokens, numbers, received data with ids, numbers/,
    ],
  ])('is refused with %s', async (_, bytes, message) => {
    await writeFile(path.join(folder(), 'student.onnx'), bytes);
    await expect(runRecipe(makeRecipe(RECIPE, folder()), { out: folder() })).rejects.toThrow(message);
  });

  it('asks which of its outputs has the logits', async () => {
    const recipe = makeRecipe({ ...RECIPE, student: { onnx: 'student.onnx' } }, folder());
    await expect(runRecipe(recipe, { out: folder() })).rejects.toThrow(/expected one output, received norm, scores/);
  });
});

function best(logits: Float32Array, row: number): number {
  const scores = [...logits.subarray(3 * row, 3 * row + 3)];
  return scores.indexOf(Math.max(...scores));
}

async function preparationOf(file: string): Promise<{ mean: number[]; std: number[] }> {
  const { decodeModel } = await import('../../src/formats/onnx/protobuf.ts');
  const { metadata } = decodeModel(await readFile(file), file);
  return JSON.parse(metadata.get('preprocessing')!) as { mean: number[]; std: number[] };
}
