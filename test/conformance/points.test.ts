// Needs the feature points.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { rowOfPoints } from '../../src/answers/points/layout.ts';
import { oksFigures } from '../../src/answers/points/oks.ts';
import { binsOf, decodedPoints } from '../../src/answers/points/simcc.ts';
import { points } from '../../src/answers/points/task.ts';
import { RandomStream } from '../../src/base/random.ts';
import { useCpu } from '../support/cpu.ts';
import { runPython } from './python.ts';

beforeAll(useCpu);

interface Found {
  readonly oks: readonly (readonly number[])[];
  readonly decoded: readonly (readonly number[])[];
  readonly loss: readonly { readonly rows: readonly number[]; readonly gradient: readonly number[] }[];
}

/** Points of a picture, of which means of scores are exact. */
const COUNT = 4;
/** Sides are multiples of this: shares of them are exact in float32. */
const CELLS = 64;

type Triple = readonly [number, number, number];

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly area: number;
  /** In pixels, with visibility, and with a score. */
  readonly points: readonly Triple[];
  readonly answers: readonly Triple[];
}

/** Pictures with answers near to and far from the labels, equal scores, hidden and absent points. */
function pictures(key: number): Picture[] {
  const random = new RandomStream('points', key);
  return Array.from({ length: 1 + random.below(30) }, () => {
    const [across, down, near] = [1 + random.below(8), 1 + random.below(8), 1 + random.below(6)];
    const all = Array.from({ length: COUNT }, (_, k) => {
      const [x, y] = [random.below(CELLS), random.below(CELLS)];
      const visibility = k === 0 ? 2 : random.below(3);
      const moved = (from: number): number => Math.min(CELLS, Math.max(0, from + (random.below(2 * near) - near) / 2));
      const score = random.below(9) / 8;
      return {
        point: (visibility === 0 ? [0, 0, 0] : [x * across, y * down, visibility]) satisfies Triple,
        answer: [moved(x) * across, moved(y) * down, score] as Triple,
      };
    });
    return {
      width: CELLS * across,
      height: CELLS * down,
      area: 1 + random.below(CELLS * CELLS * across * down),
      points: all.map(({ point }) => point),
      answers: all.map(({ answer }) => answer),
    };
  });
}

const SIZE = { width: 16, height: 12 };
const BINS = binsOf(SIZE);
const NAMES = ['a', 'b', 'c'];
const form = { skeleton: [], partners: [0, 1, 2], sigmas: [0.05, 0.05, 0.05], pck: [0.1] };
const task = points({ classNames: NAMES, sampleShape: [SIZE.height, SIZE.width, 3], points: form });

it('precision by the similarity of points is that of pycocotools; decoding and loss are those of NumPy and PyTorch', () => {
  const oks = Array.from({ length: 200 }, (_, i) => {
    const random = new RandomStream('sigmas', i);
    return { sigmas: Array.from({ length: COUNT }, () => 0.02 + 0.1 * random.uniform()), pictures: pictures(i) };
  });
  const random = new RandomStream('logits', 1);
  const logits = (rows: number, scale: number): number[] => [...Float32Array.from({ length: rows * BINS }, () => scale * (random.uniform() - 0.5))]; // prettier-ignore
  const decoded = Array.from({ length: 50 }, (_, i) => ({ bins: BINS, logits: logits(2 * (1 + (i % 5)), 1 + i) }));
  const loss = Array.from({ length: 20 }, (_, i) => {
    const places = Array.from({ length: NAMES.length }, (__, k) => ({ x: random.uniform(), y: random.uniform(), visibility: k === i % 4 ? 0 : 2 })); // prettier-ignore
    const row = rowOfPoints({ ...SIZE, area: 30 }, places, form.partners);
    const targets = tf.tensor2d([...row], [1, row.length]);
    const weights = [...task.rows!.weights(tf.tensor1d([1]), targets).dataSync()];
    const known = places.filter(({ visibility }) => visibility > 0).length;
    expect(weights).toEqual(places.flatMap(({ visibility }) => [0, 0].map(() => expect.closeTo(visibility > 0 ? 1 / known / 2 : 0, 6) as number))); // prettier-ignore
    return { bins: BINS, logits: logits(2 * NAMES.length, 1 + i), places: places.flatMap(({ x, y }) => [Math.fround(x), Math.fround(y)]), weights, targets }; // prettier-ignore
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    const cases = { oks, decoded, loss: loss.map(({ targets: { shape }, ...one }) => ({ ...one, shape })) };
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(cases));
    const found = runPython('points_check.py', folder) as Found;
    oks.forEach(({ sigmas, pictures: all }, i) => {
      const targets = all.map(({ width, height, area, points: own }) =>
        rowOfPoints({ width, height, area }, own.map(([x, y, visibility]) => ({ x: x / width, y: y / height, visibility })), [0, 1, 2, 3]),
      );
      const answers = all.flatMap(({ width, height, answers: own }) => own.flatMap(([x, y, score]) => [x / width, y / height, score]));
      const { ap, ap50, ap75, recall } = oksFigures(Float32Array.from(answers), Float32Array.from(targets.flatMap((row) => [...row])), sigmas);
      [ap, ap50, ap75, recall].forEach((value, k) => expect(Math.abs(value! - found.oks[i]![k]!)).toBeLessThan(1e-9));
    });
    const spread = found.oks.map(([ap]) => ap!);
    expect([Math.min(...spread) < 0.1, Math.max(...spread) > 0.9]).toEqual([true, true]);
    decoded.forEach((one, i) =>
      decodedPoints(one.logits, BINS).forEach((value, k) => expect(value).toBeCloseTo(found.decoded[i]![k]!, 5)),
    );
    loss.forEach(({ logits: given, weights, targets }, i) => {
      const of = (x: tf.Tensor2D): tf.Tensor1D => task.loss(x, task.rows!.targets!(targets, targets), {});
      const x = tf.tensor2d(given, [2 * NAMES.length, BINS]);
      of(x).dataSync().forEach((value, k) => weights[k]! > 0 && expect(value).toBeCloseTo(found.loss[i]!.rows[k]!, 4));
      const gradient = tf.grad((y) => tf.sum(tf.mul(of(y as tf.Tensor2D), weights)))(x).dataSync();
      gradient.forEach((value, k) => expect(value).toBeCloseTo(found.loss[i]!.gradient[k]!, 5));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}); // prettier-ignore
