import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { boxesWidth } from '../../src/data/targets/boxes.ts';
import { onnxTeacher } from '../../src/distill/teachers/onnx-teacher.ts';
import type { DecoderSettings } from '../../src/recipe/decoders.ts';
import { detectionsOf } from '../../src/answers/boxes/detections.ts';
import { ROW } from '../../src/answers/boxes/suppression.ts';
import { npyBytes } from '../support/npy.ts';
import { runPython } from './python.ts';

const [SIDE, COUNT] = [320, 3];
const [CLASSES, EACH] = [['a', 'b', 'c'], SIDE * SIDE * 3];

const decoders: Readonly<Record<string, DecoderSettings>> = {
  ssd: { layout: 'ssd' },
  detr: { layout: 'detr' },
  rtdetr: { layout: 'detr' },
  yolov8: { layout: 'yolov8' },
  yolo26: { layout: 'yolo26' },
};

/** Largest difference of a score or a side. */
const NEAR = 1e-4;

type Row = readonly [label: number, score: number, xmin: number, ymin: number, xmax: number, ymax: number];

let folder = '';
let expected: Readonly<Record<string, readonly (readonly Row[])[]>> = {};
const random = new RandomStream('detectors');
// Squares of noise around a colour: the pictures differ to a network with random weights, and no two boxes are equally good.
const [BLOCK, ACROSS] = [40, SIDE / 40];
const colours = Float32Array.from({ length: COUNT * ACROSS * ACROSS * 3 }, () => random.uniform());
const samples = Float32Array.from({ length: COUNT * EACH }, (_, i) => {
  const [pixel, picture] = [Math.floor((i % EACH) / 3), Math.floor(i / EACH)];
  const [row, column] = [pixel / SIDE, pixel % SIDE].map((at) => Math.floor(at / BLOCK)) as [number, number];
  return 0.8 * colours[((picture * ACROSS + row) * ACROSS + column) * 3 + (i % 3)]! + 0.2 * random.uniform();
});

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  writeFileSync(path.join(folder, 'pictures.npy'), npyBytes([COUNT, SIDE, SIDE, 3], samples));
  expected = runPython('zoo_detectors.py', folder) as typeof expected;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dataset: Dataset = {
  ...{ name: 'train', idPrefix: 'train', sampleShape: [SIDE, SIDE, 3], classNames: CLASSES, count: COUNT, samples },
  ids: Int32Array.from({ length: COUNT }, (_, i) => i),
  targets: new Float32Array(COUNT * boxesWidth(2)),
  ...{ task: 'detection', maxBoxes: 2, normalization: { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } },
};

it.each(Object.entries(decoders))('the boxes of %s are those that its own library reads', async (name, decoder) => {
  const probe = { x: samples, n: COUNT };
  const source = { bytes: readFileSync(path.join(folder, `${name}.onnx`)), session: { executionProviders: ['cpu'] } };
  const settings = { layout: 'nchw', outputs: 'auto', intermediate: [], decoder } as const;
  const teacher = await onnxTeacher({ ...source, name, dataset, probe }, settings);
  const { logits } = await teacher.answer(samples, COUNT).finally(() => teacher.dispose());
  for (let i = 0; i < COUNT; i++) {
    const own = detectionsOf(logits.subarray(i * ROW, (i + 1) * ROW)).map(
      ({ label, score, xmin, ymin, xmax, ymax }): Row => [label, score, xmin, ymin, xmax, ymax],
    );
    const theirs = expected[name]![i]!;
    expect([name, i, own.length]).toEqual([name, i, theirs.length]);
    expect(own.length).toBeGreaterThan(10);
    // Boxes of scores that are equal within the rounding of two runtimes may stand in another order, and the last of them may be left out.
    const last = theirs.at(-1)![1];
    const missing = theirs.filter((row) => !own.some((other) => row.every((value, k) => Math.abs(value - other[k]!) < NEAR))); // prettier-ignore
    expect([name, i, missing.filter(([, score]) => score > last + NEAR)]).toEqual([name, i, []]);
  }
});
