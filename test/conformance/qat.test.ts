import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../src/base/random.ts';
import {
  fakeQuantizeActivation,
  fakeQuantizeWeights,
  weightScale,
} from '../../src/compress/quantize/qat/fake-quantize.ts';
import { quantizationOfRange } from '../../src/compress/quantize/qat/ranges.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { runPython } from './python.ts';

beforeAll(() => useLazyBackend(evaluator));

interface Expected {
  readonly y: number[];
  readonly dx: number[];
}

function python(cases: readonly object[]): Expected[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(cases));
    return runPython('qat_check.py', folder) as Expected[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function normals(count: number, ...key: (string | number)[]): number[] {
  const random = new RandomStream('conformance', ...key);
  return Array.from({ length: count }, () => Math.fround(random.normal()));
}

/** Result and gradient of `fn`, computed in ONNX Runtime. */
async function ours(shape: number[], x: number[], dy: number[], fn: (x: tf.Tensor) => tf.Tensor): Promise<Expected> {
  const type = { dtype: 'float32', shape } as const;
  const step = await createOnnxRuntimeEngine({ device: 'cpu', threads: 1 }).compile({
    feeds: { x: type, dy: type },
    state: {},
    run: ({ x: value, dy: upstream }) => ({ y: fn(value!), dx: tf.grad(fn)(value!, upstream) }),
  });
  const { y, dx } = await step.run({ x: Float32Array.from(x), dy: Float32Array.from(dy) });
  const results = { y: Array.from(y as Float32Array), dx: Array.from(dx as Float32Array) };
  await step.dispose();
  return results;
}

/** Of values that lie within rounding of the middle between two steps, either step is right. */
function expectSame(actual: Expected, expected: Expected, step: number): void {
  const different = actual.y.filter((value, i) => Math.abs(value - expected.y[i]!) > 1e-5 * step);
  expect(different.length).toBeLessThanOrEqual(actual.y.length / 1000);
  actual.y.forEach((value, i) => expect(Math.abs(value - expected.y[i]!)).toBeLessThan(1.001 * step));
  // A masked gradient of PyTorch may be -0.
  expect(actual.dx).toEqual(expected.dx.map((value) => value + 0));
}

// Ranges that clip at neither, one or both ends; after a ReLU; of negative values alone.
const RANGES = [[-8, 8], [-1, 1.5], [0, 1.2], [0, 6], [-2, 0], [-0.3, 4], [-1e-4, 3e-4]] as const; // prettier-ignore
const SHAPE = [3, 4, 4, 16];
const COUNT = 3 * 4 * 4 * 16;

it('activations and their gradients are those of torch.fake_quantize_per_tensor_affine', async () => {
  const cases = RANGES.map(([low, high], i) => {
    const { scales, zeroPoints } = quantizationOfRange(Math.fround(low), Math.fround(high));
    return {
      shape: SHAPE,
      x: normals(COUNT, 'x', i),
      dy: normals(COUNT, 'dy', i),
      scale: scales[0]!,
      zeroPoint: zeroPoints[0]!,
    };
  });
  const expected = python(cases);
  for (const [i, { shape, x, dy, scale, zeroPoint }] of cases.entries()) {
    const actual = await ours(shape, x, dy, (value) =>
      fakeQuantizeActivation(value, tf.tensor1d([scale]), tf.tensor1d([zeroPoint])),
    );
    expectSame(actual, expected[i]!, scale);
  }
  // Both kinds of gradient were seen.
  const all = expected.flatMap(({ dx }) => dx);
  expect(all.some((value) => value === 0) && all.some((value) => value !== 0)).toBe(true);
});

it('weights and their gradients are those of torch.fake_quantize_per_channel_affine', async () => {
  const cases = await Promise.all(
    [3, 2, undefined].map(async (axis, i) => {
      const x = normals(COUNT, 'w', i);
      const scale = Array.from(
        await weightScale(tf.tensor4d(x, SHAPE as [number, number, number, number]), axis).data(),
      );
      return { axis, shape: SHAPE, x, dy: normals(COUNT, 'dw', i), scale };
    }),
  );
  // One scale for all is that of a single channel.
  const expected = python(cases.map((one) => (one.axis === undefined ? { ...one, shape: [1, COUNT], axis: 0 } : one)));
  for (const [i, { axis, shape, x, dy, scale }] of cases.entries()) {
    const actual = await ours(shape, x, dy, (value) => fakeQuantizeWeights(value, weightScale(value, axis)));
    expectSame(actual, expected[i]!, Math.max(...scale));
  }
});
