// Needs the feature jsonl.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { argMax } from '../../src/base/numbers.ts';
import { RandomStream } from '../../src/base/random.ts';
import { rowReader } from '../../src/data/storage/sample-storage.ts';
import { countOfElements } from '../../src/data/dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { openFile } from '../../src/distill/teachers/open.ts';
import { plainLogits } from '../../src/distill/preflight/preflight.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { tensor } from '../../src/formats/onnx/model.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { contentOf } from '../../src/networks/network.ts';
import { checkData } from '../../src/run/check-data.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { engineOf } from '../../src/setup/engine.ts';
import { loadData } from '../../src/setup/data.ts';
import { studentBuilder } from '../../src/setup/models.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { inferenceGraph } from '../../src/ship/export.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { relativeError } from '../support/error.ts';
import { temporaryFolder } from '../support/folder.ts';
import { modelOf } from '../support/onnx-steps.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [COUNT, CLASSES] = [30, 3];

beforeAll(() => useLazyBackend(evaluator));

/** Shapes in which a file takes a sequence [steps, channels], and the place in its input of a number of the sample. */
const FILES = {
  'channels last': { dims: (t: number, f: number) => [t, f], to: (i: number) => i },
  'channels first': { dims: (t: number, f: number) => [f, t], to: (i: number, t: number, f: number) => (i % f) * t + Math.floor(i / f) }, // prettier-ignore
  'one row': { dims: (t: number, f: number) => [t * f], to: (i: number) => i },
  'a picture, channels first': { dims: (t: number, f: number) => [1, t, f], to: (i: number) => i },
  'a picture, channels last': { dims: (t: number, f: number) => [t, f, 1], to: (i: number) => i },
} as const;
type Kind = keyof typeof FILES;

/** Data sets of the same samples. */
const FORMATS = {
  'npz archive': async (x: Float32Array, y: Int32Array, shape: readonly number[]) => {
    await writeFile(at('d.npz'), zipSync({ 'signal.npy': npyBytes([COUNT, ...shape], x), 'y.npy': npyBytes([COUNT], y) })); // prettier-ignore
    return { type: 'npz', train: { file: at('d.npz'), samples: ['signal'] } };
  },
  'npy files': async (x: Float32Array, y: Int32Array, shape: readonly number[]) => {
    await writeFile(at('x.npy'), npyBytes([COUNT, ...shape], x));
    await writeFile(at('y.npy'), npyBytes([COUNT], y));
    return { type: 'npz', train: { samples: at('x.npy'), labels: at('y.npy') } };
  },
  'npz archive of grey pictures': async (x: Float32Array, y: Int32Array, shape: readonly number[]) => ({
    ...(await FORMATS['npz archive'](x, y, shape)),
    layout: 'nhwc',
  }),
  csv: async (x: Float32Array, y: Int32Array, shape: readonly number[]) => {
    const rows = Array.from(y, (label, i) => [...x.subarray(i * countOfElements(shape), (i + 1) * countOfElements(shape)), label].join()); // prettier-ignore
    await writeFile(at('d.csv'), rows.join('\n'));
    return { type: 'csv', train: at('d.csv'), header: false, shape: [...shape] };
  },
  'json lines': async (x: Float32Array, y: Int32Array, [steps, channels]: readonly [number, number]) => {
    const row = (i: number, t: number) => [...x.subarray((i * steps + t) * channels, (i * steps + t + 1) * channels)];
    const rows = Array.from(y, (label, i) => JSON.stringify({ features: Array.from({ length: steps }, (_, t) => row(i, t)), label })); // prettier-ignore
    await writeFile(at('d.jsonl'), rows.join('\n'));
    return { type: 'jsonl', train: at('d.jsonl') };
  },
};
type Format = keyof typeof FORMATS;

/** Cases: each file with each format, of sizes that a seed draws; half of the files leave the number of steps open. */
const random = new RandomStream('fed shapes', 1);
const CASES = (Object.keys(FILES) as Kind[]).flatMap((kind) =>
  (Object.keys(FORMATS) as Format[]).flatMap((format) => {
    const [steps, channels] = [6 + random.below(6), 2 + random.below(3)];
    // Columns of a picture are no channels.
    if (kind === 'channels first' && format.endsWith('pictures')) return [];
    return [[kind, format, steps, channels, random.below(2) === 0] as const];
  }),
);

it.each(CASES)('%s, %s of %d steps of %d channels, steps open: %s', async (kind, format, steps, channels, isOpen) => {
  const sample = [steps, channels] as const;
  const size = countOfElements(sample);
  const { dims, to } = FILES[kind];
  const fed = dims(steps, channels);
  const draw = new RandomStream('values', kind, format);
  const drawn = (length: number): Float32Array => Float32Array.from({ length }, () => draw.normal());
  const x = drawn(COUNT * size);
  const stored = { w: tensor('', 'float32', [size, CLASSES], drawn(size * CLASSES)) };
  const wide = isOpen ? fed.map((dim) => (dim === steps ? 'steps' : dim)) : fed;
  const steps_ = [
    ['Flatten', ['x'], { axis: 1 }],
    ['MatMul', ['y0', 'w']],
  ] as const;
  const bytes = encodeModel(modelOf(['n', ...wide], stored, steps_));
  await writeFile(at('m.onnx'), bytes);
  const ofFile = async (file: Uint8Array, values: Float32Array, shape: readonly number[]) => {
    const model = new InferenceModel(file, 'm.onnx', {});
    const { name } = model.inputs[0]!;
    const given = await model.run({ [name]: { data: values, shape } });
    model.dispose();
    return Object.values(given)[0]!.data as Float32Array;
  };
  const laidOut = new Float32Array(x.length);
  x.forEach((value, i) => (laidOut[i - (i % size) + to(i % size, steps, channels)] = value));
  const expected = await ofFile(bytes, laidOut, [COUNT, ...fed]);
  const y = Int32Array.from({ length: COUNT }, (_, i) => argMax(expected, i * CLASSES, CLASSES));
  const own = await FORMATS[format](x, y, sample);
  const dataset = { ...own, classes: ['0', '1', '2'], normalize: 'none', validation: 10 };
  const recipe = makeRecipe({ name: 'r', dataset, student: { onnx: at('m.onnx') }, teacher: { onnx: at('m.onnx') } }); // prettier-ignore
  const data = await loadData(recipe.recipe);
  const { train } = data;
  const rows = Int32Array.from({ length: train.count }, (_, i) => i);
  const expectedOf = ({ ids }: Dataset) => Float32Array.from([...ids].flatMap((id) => [...expected.subarray(id * CLASSES, (id + 1) * CLASSES)])); // prettier-ignore
  expect(train.count).toBe(COUNT - 10);

  expect((await evaluateFile(at('m.onnx'), recipe, 'train')).accuracy).toBe(1);

  const place = { engine: 'auto', device: 'auto', threads: 1, stepsPerCall: undefined } as const;
  const asked = { onnx: at('m.onnx'), layout: 'auto', outputs: 'auto', intermediate: [] } as const;
  const opened = await openFile({ ...asked, intermediate: [] }, { engine: await engineOf(place), session: {}, dataset: train, name: () => 'm' }); // prettier-ignore
  expect(relativeError(await plainLogits(opened.teacher, train, rows), expectedOf(train))).toBeLessThan(1e-6);
  await opened.teacher.dispose();

  const network = await studentBuilder({ recipe: recipe.recipe, data }, 0)();
  const graph = inferenceGraph({ network, weights: contentOf(network) }, []);
  const read = rowReader(train, countOfElements(train.sampleShape));
  const values = Float32Array.from([...rows].flatMap((row) => [...read(row)]));
  const given = await ofFile(encodeModel(lowerToOnnx(graph)), values, [train.count, ...train.sampleShape]);
  expect(relativeError(given, expectedOf(train))).toBeLessThan(1e-6);
  network.dispose();
});

it('a teacher of as many channels as steps, which come first, is told its layout', async () => {
  const side = 6;
  const draw = new RandomStream('square');
  const drawn = (length: number): Float32Array => Float32Array.from({ length }, () => draw.normal());
  const count = 300;
  const [x, w] = [drawn(count * side * side), drawn(side * side * CLASSES)];
  const to = FILES['channels first'].to;
  const y = Int32Array.from({ length: count }, (_, i) => {
    const logits = new Float32Array(CLASSES);
    for (let at = 0; at < side * side; at++)
      for (let c = 0; c < CLASSES; c++) logits[c]! += x[i * side * side + at]! * w[to(at, side, side) * CLASSES + c]!;
    return argMax(logits, 0, CLASSES);
  });
  const steps = [
    ['Flatten', ['x'], { axis: 1 }],
    ['MatMul', ['y0', 'w']],
  ] as const;
  const stored = { w: tensor('', 'float32', [side * side, CLASSES], w) };
  await writeFile(at('m.onnx'), encodeModel(modelOf(['n', side, side], stored, steps)));
  await writeFile(at('d.npz'), zipSync({ 'x.npy': npyBytes([count, side, side], x), 'y.npy': npyBytes([count], y) }));
  const recipe = (teacher: object) =>
    makeRecipe({ name: 'r', dataset: { type: 'npz', train: { file: at('d.npz') }, normalize: 'none' }, student: { model: 'gru' }, teacher: { onnx: at('m.onnx'), ...teacher } }); // prettier-ignore
  await expect(checkData(recipe({}).recipe)).rejects.toMatchObject({
    hint: expect.stringContaining('layout: nchw') as string,
  });
  expect((await evaluateFile(at('m.onnx'), recipe({ layout: 'nchw' }), 'train')).accuracy).toBe(1);
});

it('a sequence that is one of several inputs is fed with its channels first where the file has them so', async () => {
  const [steps, channels] = [7, 3];
  const size = steps * channels;
  const draw = new RandomStream('several');
  const drawn = (length: number): Float32Array => Float32Array.from({ length }, () => draw.normal());
  const stored = {
    w: tensor('', 'float32', [size, CLASSES], drawn(size * CLASSES)),
    v: tensor('', 'float32', [2, CLASSES], drawn(2 * CLASSES)),
  };
  const { graph, ...rest } = modelOf(['n', channels, steps], stored, [
    ['Flatten', ['x'], { axis: 1 }],
    ['MatMul', ['y0', 'w']],
    ['MatMul', ['facts', 'v']],
    ['Add', ['y1', 'y2']],
  ]);
  const facts = { name: 'facts', dtype: 'float32' as const, dims: ['n', 2] };
  const bytes = encodeModel({ ...rest, graph: { ...graph, inputs: [...graph.inputs, facts] } });
  await writeFile(at('m.onnx'), bytes);
  const [x, own] = [drawn(COUNT * size), drawn(COUNT * 2)];
  const laidOut = new Float32Array(x.length);
  x.forEach((value, i) => (laidOut[i - (i % size) + FILES['channels first'].to(i % size, steps, channels)] = value));
  const session = new InferenceModel(bytes, 'm.onnx', {});
  const given = await session.run({ x: { data: laidOut, shape: [COUNT, channels, steps] }, facts: { data: own, shape: [COUNT, 2] } }); // prettier-ignore
  session.dispose();
  const expected = given['y']!.data as Float32Array;
  const y = Int32Array.from({ length: COUNT }, (_, i) => argMax(expected, i * CLASSES, CLASSES));
  const arrays = { 'x.npy': npyBytes([COUNT, steps, channels], x), 'facts.npy': npyBytes([COUNT, 2], own), 'y.npy': npyBytes([COUNT], y) }; // prettier-ignore
  await writeFile(at('d.npz'), zipSync(arrays));
  const dataset = { type: 'npz', train: { file: at('d.npz'), samples: ['facts', 'x'] }, classes: ['0', '1', '2'], normalize: 'none', validation: 10 }; // prettier-ignore
  const recipe = makeRecipe({ name: 'r', dataset, student: { onnx: at('m.onnx') }, teacher: { onnx: at('m.onnx') } }); // prettier-ignore
  expect((await evaluateFile(at('m.onnx'), recipe, 'train')).accuracy).toBe(1);
  const data = await loadData(recipe.recipe);
  const network = await studentBuilder({ recipe: recipe.recipe, data }, 0)();
  expect(network.inputs).toMatchObject({ x: { shape: ['batch', steps, channels] }, facts: { shape: ['batch', 2] } });
  const made = encodeModel(lowerToOnnx(inferenceGraph({ network, weights: contentOf(network) }, [])));
  const student = new InferenceModel(made, 's.onnx', {});
  const answer = await student.run({ x: { data: x, shape: [COUNT, steps, channels] }, facts: { data: own, shape: [COUNT, 2] } }); // prettier-ignore
  student.dispose();
  network.dispose();
  expect(relativeError(answer['logits']!.data as Float32Array, expected)).toBeLessThan(1e-6);
});
