import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { unzipSync, zipSync } from 'fflate';
import { parseNpy } from '../../src/base/numpy.ts';
import { npySamples } from '../../src/data/readers/numpy/npy.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { onnxTeacher } from '../../src/distill/teachers/onnx-teacher.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { onnxNetwork } from '../../src/networks/onnx/onnx.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { masksOf } from '../../src/answers/mask/masks.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { QUICK } from '../support/digits.ts';
import { npyBytes } from '../support/npy.ts';
import { SHAPES, shapesArchive, SIZE as SMALL } from '../support/shapes.ts';
import { runPython } from './python.ts';
import { arraysOf } from './zoo-training.ts';
import type { Arrays } from './zoo-training.ts';

const COUNT = 8;
/** Pixels of a picture are this many times as high and wide: at stride 16 the shapes would be smaller than a cell. */
const [TIMES, SIZE] = [3, 3 * SMALL];
const NETS = ['lraspp', 'deeplabv3'];
const FILES = NETS.flatMap((net) => ['legacy', 'dynamo'].map((exporter) => [net, exporter] as const));
/** Relative to the largest logit. */
const NEAR = 1e-4;

let folder = '';
let pictures = new Float32Array();
const at = (file: string): string => path.join(folder, file);

beforeAll(() => {
  useLazyBackend(evaluator);
  folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  writeFileSync(at('train.npz'), largeArchive(80, 'train'));
  writeFileSync(at('test.npz'), largeArchive(40, 'test'));
  runPython('zoo_segmenters.py', folder);
  const x = arraysOf(at('train.npz')).get('x')!.data;
  pictures = Float32Array.from(x.subarray(0, COUNT * SIZE * SIZE * 3), (value) => value / 255);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Archive of enlarged pictures and masks. */
function largeArchive(count: number, seed: string): Uint8Array {
  const entries = Object.entries(unzipSync(shapesArchive(count, seed))).map(([name, bytes]) => {
    const array = parseNpy(bytes, name);
    const [shape, data] = [array.shape, npySamples(array)];
    const channels = shape[3] ?? 1;
    const large = Uint8Array.from({ length: count * SIZE * SIZE * channels }, (_, i) => {
      const [pixel, sample] = [Math.floor(i / channels) % (SIZE * SIZE), Math.floor(i / (SIZE * SIZE * channels))];
      const [y, x] = [pixel / SIZE, pixel % SIZE].map((place) => Math.floor(place / TIMES)) as [number, number];
      return data[((sample * SMALL + y) * SMALL + x) * channels + (i % channels)]!;
    });
    return [name, npyBytes([count, SIZE, SIZE, ...shape.slice(3)], large)] as const;
  });
  return zipSync(Object.fromEntries(entries));
}

/** Largest difference relative to the largest value. */
function errorOf(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found).toHaveLength(expected.length);
  const [differences, sizes] = [Array.from(expected, (value, i) => Math.abs(value - found[i]!)), Array.from(expected, Math.abs)]; // prettier-ignore
  return Math.max(...differences) / Math.max(...sizes);
}

const tensorOf = (arrays: Arrays, name: string): tf.Tensor4D => {
  const { shape, data } = arrays.get(name)!;
  return tf.tensor(data, shape as [number, number, number, number]);
};

const gridOf = (stride: number): [number, number, number] => [SIZE / stride, SIZE / stride, SHAPES.length];

describe.each(FILES)('%s, exported by %s', (net, exporter) => {
  const file = `${net}-${exporter}.onnx`;
  const own = net === 'lraspp' ? 8 : 16;

  it.each([own, 4])('answers as a student at stride %i as PyTorch does', (stride) => {
    const source = decodeModel(readFileSync(at(file)), file);
    const grid = gridOf(stride);
    const options = { inputShape: [SIZE, SIZE, 3], classes: 3, grid, seed: 0, head: 'keep', freeze: [] } as const;
    const network = onnxNetwork(source, file, options);
    expect(network.outputs['logits']!.shape).toEqual(['batch', ...grid]);
    const input = tf.tensor(pictures, [COUNT, SIZE, SIZE, 3]);
    const found = network.forward({ input }, { training: false }).outputs['logits']!.dataSync() as Float32Array;
    const arrays = arraysOf(at(`${net}.npz`));
    const small = tensorOf(arrays, 'small');
    const expected = tf.image.resizeBilinear(small, [grid[0], grid[1]], false, true).dataSync();
    expect(errorOf(found, expected)).toBeLessThan(NEAR);
    const cut = network.origin!.filter((note) => note.includes('is left off: masks are made of the smaller ones'));
    expect(cut).toHaveLength(1);
    expect(network.origin!.some((note) => note.includes('its logits are resized'))).toBe(stride !== own);
    network.dispose();
    if (stride !== own) return;
    // Masks are those of the whole file.
    const full = tf.argMax(tensorOf(arrays, 'full'), -1).dataSync();
    const masks = masksOf(found, { rows: grid[0], columns: grid[1], classes: 3, stride });
    expect(masks.filter((value, i) => value !== full[i]).length / masks.length).toBeLessThan(1e-3);
  });

  it('answers as a teacher as PyTorch does, resized to the grid of the data', async () => {
    const dataset: Dataset = {
      ...{ name: 'train', idPrefix: 'train', sampleShape: [SIZE, SIZE, 3], classNames: SHAPES, count: COUNT },
      ...{ samples: pictures, ids: Int32Array.from({ length: COUNT }, (_, i) => i) },
      targets: new Uint8Array(COUNT * SIZE * SIZE),
      ...{ task: 'segmentation', stride: 4, normalization: { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } },
    };
    const source = { bytes: readFileSync(at(file)), session: { executionProviders: ['cpu'] } };
    const probe = { x: pictures, n: COUNT };
    const settings = { layout: 'nchw', outputs: 'auto', intermediate: [] } as const;
    const teacher = await onnxTeacher({ ...source, name: file, dataset, probe }, settings);
    const { logits } = await teacher.answer(pictures, COUNT);
    await teacher.dispose();
    const full = tensorOf(arraysOf(at(`${net}.npz`)), 'full');
    const expected = tf.image.resizeBilinear(full, [SIZE / 4, SIZE / 4], false, true).dataSync();
    expect(errorOf(logits, expected)).toBeLessThan(NEAR);
  });
});

it.each([
  ['lraspp', 'deeplabv3'],
  ['deeplabv3', 'lraspp'],
])(
  '%s teaches %s, both from files, as far as a report',
  async (teacher, student) => {
    const recipe = makeRecipe(
      {
        name: `${teacher}-${student}`,
        dataset: {
          ...{ type: 'npz', task: 'segmentation', train: { file: 'train.npz' }, test: { file: 'test.npz' } },
          ...{ classes: SHAPES, stride: 8, normalize: 'unit', validation: 20 },
        },
        teacher: { onnx: `${teacher}-legacy.onnx` },
        student: { onnx: `${student}-dynamo.onnx` },
        distill: { epochs: 2, batchSize: 20, optimizer: { learningRate: 0.0002 } },
        quantize: [{ samples: 32, maxDrop: 100 }],
        export: ['onnx', 'tflite'],
        baseline: false,
        ...QUICK,
      },
      folder,
    );
    const { report } = await runRecipe(recipe, { out: folder });
    const scores = new Map(report.models.map(({ id, score }) => [id, score.test!]));
    console.log(`${teacher} teaches ${student}: mean IoU of ${[...scores].map(([id, score]) => `${id} ${score.toFixed(3)}`).join(', ')}`); // prettier-ignore
    expect(scores.get('distilled')).toBeGreaterThan(0.4);
    expect(Math.abs(scores.get('distilled')! - scores.get('distilled-tflite')!)).toBeLessThan(1e-3);
  },
  600_000,
);
