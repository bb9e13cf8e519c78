import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { forInference } from '../../../src/graph/passes/inference/for-inference.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { isFrontEnd } from '../../../src/graph/front-end.ts';
import { logMelNetwork, spectraOf } from '../../../src/networks/sound/log-mel.ts';
import { specAugmented } from '../../../src/networks/sound/spec-augment.ts';
import { openTflite } from '../../../src/runtime/litert.ts';
import { traceWithBatch } from '../../../src/trace/batch.ts';
import { interpreterOn } from '../../../src/trace/interpret/evaluator.ts';
import { predictionProgram } from '../../../src/train/evaluate/inference.ts';
import { withRandomSource } from '../../../src/trace/random.ts';
import { useCpu } from '../../support/cpu.ts';
import { echo } from '../../support/sound.ts';

beforeAll(useCpu);

const keywords = { rate: 16_000, length: 16_000, window: 480, hop: 320, mels: 40, low: 20, high: 4000 };

/** The front-end alone. */
function frontEnd(): Graph {
  const network = logMelNetwork(echo(), keywords);
  const traced = traceWithBatch((batchSize) => predictionProgram({ network, batchSize }));
  return forInference(traced, (constants) => interpreterOn('cpu').runSync(constants, new Map()));
}

it('the front-end of keyword spotting takes 22 kB of a file', () => {
  expect(exportTflite(frontEnd()).bytes.length).toBeLessThan(22_000);
  expect(encodeModel(lowerToOnnx(frontEnd())).length).toBeLessThan(22_000);
});

it('in a file of integers its constants have 16 bits: 15 kB, and off by less than a step of 8 bits', async () => {
  const kept = { keepFloat: isFrontEnd, storeFixed: isFrontEnd } as const;
  const narrow = exportTflite(frontEnd(), { precision: 'integer', quantization: new Map(), ...kept }).bytes;
  expect(narrow.length).toBeLessThan(15_000);
  const random = new RandomStream('fixed');
  // A loud tone: the bands far from it lie 12 orders of magnitude below.
  const tone = (i: number): number => (i < 8000 ? 0.9 * Math.sin((2 * Math.PI * 440 * i) / 16_000) : 0);
  const x = Float32Array.from({ length: 16_000 }, (_, i) => tone(i) + 1e-4 * random.normal());
  const runtime = await openTflite(narrow);
  const heard = (await runtime.run({ x })).logits as Float32Array;
  const expected = await spectraOf(x, keywords);
  const largest = expected.reduce((a, b) => Math.max(a, b), 0);
  const error = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - heard[i]!)), 0);
  expect(error).toBeLessThan(largest / 255);
  expect(error).toBeGreaterThan(1e-3);
});

it('frames that end with the sound, and those that need silence behind it, are alike', async () => {
  const random = new RandomStream('frames');
  const small = { rate: 100, length: 70, window: 20, hop: 15, mels: 4, low: 0, high: 50 };
  const sound = Float32Array.from({ length: small.length }, () => random.normal());
  const all = await spectraOf(sound, small);
  expect(all).toHaveLength(4 * 4);
  for (let frame = 0; frame < 4; frame++) {
    const alone = await spectraOf(sound.slice(frame * 15, frame * 15 + 20), { ...small, length: 20 });
    alone.forEach((value, i) => expect(all[4 * frame + i]).toBeCloseTo(value, 4));
  }
});

describe('SpecAugment', () => {
  const ramp = (): tf.Tensor => tf.reshape(tf.range(0, 2 * 6 * 5), [2, 6, 5]);
  const masked = (numbers: readonly number[], masks: Parameters<typeof specAugmented>[1]): number[][][] => {
    let at = 0;
    const next = (_: string, shape: readonly number[]): Float32Array =>
      Float32Array.from({ length: shape[0]! }, () => numbers[at++]!);
    return withRandomSource(next, () => specAugmented(ramp(), masks)).arraySync() as number[][][];
  };
  const none = { timeWidth: 0, frequencyWidth: 0 };

  it('covers as many frames as are drawn, anywhere, with the mean of the sample', () => {
    // Lengths 2 of 3 and 0, starts 4 (the last that leaves room) and 0; the second mask covers nothing.
    const [first, second] = masked([0.7, 0, 0.99, 0, 0, 0, 0, 0], { ...none, timeWidth: 3 });
    expect(first!.map((frame) => frame.every((value) => value === 14.5))).toEqual([...Array<boolean>(4).fill(false), true, true]); // prettier-ignore
    expect(second).toEqual((ramp().arraySync() as number[][][])[1]);
  });

  it('covers bands in the same way', () => {
    const [first] = masked([0.99, 0, 0.5, 0, 0, 0, 0, 0], { ...none, frequencyWidth: 2 });
    for (const frame of first!) expect(frame.map((value) => value === 14.5)).toEqual([false, false, true, true, false]);
  });

  it('is there in training alone, of a network on sounds', () => {
    const small = { rate: 100, length: 70, window: 20, hop: 10, mels: 4, low: 0, high: 50 };
    const network = logMelNetwork(echo(), { ...small, specAugment: { ...none, timeWidth: 5 } });
    const x = tf.randomNormal([1, 70, 1], 0, 1, 'float32', 3);
    const heard = (training: boolean): Float32Array =>
      withRandomSource(
        () => Float32Array.of(0.99),
        () => network.forward({ input: x }, { training }).outputs['logits']!.dataSync<'float32'>(),
      );
    const plain = logMelNetwork(echo(), small).forward({ input: x }, { training: false }).outputs['logits']!.dataSync();
    expect(heard(false)).toEqual(plain);
    expect(heard(true)).not.toEqual(plain);
  });
});
