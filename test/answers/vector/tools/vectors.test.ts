import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseNpy } from '../../../../src/base/numpy.ts';
import { npySamples } from '../../../../src/data/readers/numpy/npy.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../../src/runtime/onnxruntime/session-choice.ts';
import { makeRecipe } from '../../../../src/setup/make-recipe.ts';
import { evaluateFile } from '../../../../src/tools/evaluate.ts';
import { writeVectors } from '../../../../src/answers/vector/tools/vectors.ts';
import { echo } from '../../../serve/models.ts';
import { ask, serving } from '../../../serve/server.ts';
import type { Served } from '../../../serve/server.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

const [COUNT, WIDTH] = [40, 6];
/** Numbers with a mean far from 0, so that centred vectors are others, and with most of their variance behind a prefix. */
const ROWS = Array.from({ length: COUNT }, (_, i) =>
  Array.from({ length: WIDTH }, (_number, k) => Number((3 + (k + 1) * Math.sin(7 * i + k * k)).toFixed(3))),
);
const CLASSES = ROWS.map((_, i) => 'abc'[i % 3]!);

let server: Served;
beforeAll(async () => {
  server = await serving({ 'student.onnx': echo([WIDTH], {}, 'embedding') });
});
afterAll(() => server.end());

function recipeWith(keys: object) {
  const names = Array.from({ length: WIDTH }, (_, k) => `x${k}`);
  const lines = ROWS.map((row, i) => [...row, CLASSES[i]].join(','));
  for (const split of ['train', 'validation', 'test'])
    writeFileSync(at(`${split}.csv`), [[...names, 'label'].join(','), ...lines, ''].join('\n'));
  writeFileSync(at('student.onnx'), echo([WIDTH], {}, 'embedding'));
  writeFileSync(at('teacher.onnx'), echo([WIDTH], { other: {} }, 'embedding'));
  const files = { train: 'train.csv', validation: 'validation.csv', test: 'test.csv', normalize: 'none' };
  const dataset = { type: 'csv', task: 'embedding', ...files, dimensions: WIDTH, ...keys };
  return makeRecipe({ name: 'v', dataset, teacher: { onnx: 'teacher.onnx' }, student: { model: 'mlp' } }, folder());
}

const unit = (row: readonly number[]): number[] => row.map((value) => value / Math.hypot(...row));
const closeTo = (rows: readonly (readonly number[])[]) =>
  rows.map((row) => unit(row).map((value) => expect.closeTo(value, 5) as number));

/** Share of the samples whose nearest other by the first numbers of these vectors is of the same class. */
function recallOf(vectors: readonly (readonly number[])[], size: number): number {
  const short = vectors.map((row) => unit(row.slice(0, size)));
  const hits = short.filter((query, i) => {
    const products = short.map((row, j) => (i === j ? -2 : row.reduce((sum, value, k) => sum + value * query[k]!, 0)));
    return CLASSES[products.indexOf(Math.max(...products))] === CLASSES[i];
  });
  return hits.length / COUNT;
}

it.each([
  {},
  { prefixes: [2] },
  { centred: true },
  { prefixes: [2, 3], centred: true },
  // Fewer numbers than the file has: a teacher would be reduced to them.
  { dimensions: 3, prefixes: [2], centred: true },
])("a student's vectors are those of its file in a data set with %j, in `evaluate` and in the server", async (keys) => {
  const recipe = recipeWith(keys);
  const file = at('student.onnx');
  const model = new InferenceModel(readFileSync(file), file, sessionOptions('cpu', {}));
  const data = Float32Array.from(ROWS.flat());
  const { values } = await model.run({ input: { data, shape: [COUNT, WIDTH] } });
  model.dispose();
  const own = ROWS.map((_, i) => Array.from(values!.data.slice(i * WIDTH, (i + 1) * WIDTH), Number));

  const written = await writeVectors(file, recipe, 'test', at('v.npy'));
  const array = parseNpy(readFileSync(written.file), 'v.npy');
  expect(array.shape).toEqual([COUNT, WIDTH]);
  const flat = [...npySamples(array)];
  const embedded = ROWS.map((_, i) => flat.slice(i * WIDTH, (i + 1) * WIDTH));
  expect(embedded).toEqual(closeTo(own));

  const { json } = await ask(server, '/v1/student', { body: { inputs: ROWS } });
  const served = (json['predictions'] as { embedding: number[] }[]).map(({ embedding }) => unit(embedding));
  expect(served).toEqual(closeTo(own));

  const { vectors, score } = await evaluateFile(file, recipe, 'test');
  expect(score!.value).toBeCloseTo(recallOf(own, WIDTH), 9);
  const { prefixes = [] } = keys as { prefixes?: number[] };
  const rows = vectors!.rows.filter(({ precision }) => precision === 'float32');
  expect(rows.map(({ size, recall1 }) => [size, recall1])).toEqual(
    [...prefixes, WIDTH].map((size) => [size, expect.closeTo(recallOf(own, size), 9) as number]),
  );
});

it("a teacher's vectors are those that the student learns", async () => {
  const file = at('teacher.onnx');
  const recipe = recipeWith({ dimensions: 3, centred: true });
  const { size } = await writeVectors(file, recipe, 'test', at('v.npy'));
  const { vectors } = await evaluateFile(file, recipe, 'test');
  expect([size, vectors!.rows.at(-1)!.size]).toEqual([3, 3]);
});
