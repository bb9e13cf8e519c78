import * as tf from '@tensorflow/tfjs-core';
import { windowed } from '../../../../src/graph/ops/linear.ts';
import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../../../src/graph/builder.ts';
import type { Attrs, TensorData } from '../../../../src/graph/types.ts';
import type { Tensor } from '../../../../src/runtime/onnxruntime/session.ts';
import { ortTensor, OnnxSession, tensorValues } from '../../../../src/runtime/onnxruntime/session.ts';
import type { Operand } from './harness.ts';
import { expectClose, f32, runOp, values } from './harness.ts';

interface Case {
  readonly size: [number, number];
  readonly filterSize: [number, number];
  readonly strides: [number, number];
  readonly dilations: [number, number];
  readonly pads: [number, number, number, number];
}

const windows: Omit<Case, 'size'>[] = [
  { filterSize: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] },
  { filterSize: [2, 2], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] },
  { filterSize: [3, 3], strides: [2, 2], dilations: [1, 1], pads: [1, 1, 1, 1] },
  { filterSize: [3, 3], strides: [2, 2], dilations: [1, 1], pads: [0, 1, 0, 1] },
  { filterSize: [3, 2], strides: [1, 2], dilations: [1, 1], pads: [2, 0, 0, 1] },
  { filterSize: [1, 1], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] },
  { filterSize: [2, 2], strides: [3, 3], dilations: [1, 1], pads: [0, 0, 0, 0] },
  { filterSize: [2, 2], strides: [1, 1], dilations: [2, 2], pads: [0, 0, 0, 0] },
  { filterSize: [5, 6], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] },
];
const sizes: [number, number][] = [
  [5, 6],
  [6, 7],
  [8, 8],
];
const cases = sizes.flatMap((size) => windows.map((window) => ({ size, ...window })));
const named = cases.map(
  (c) =>
    [
      `${c.size.join('×')} by ${c.filterSize.join('×')}, strides ${c.strides.join()}, dilations ${c.dilations.join()}, pads ${c.pads.join()}`,
      c,
    ] as const,
);

const [BATCH, CHANNELS] = [2, 3];

/** The windows of one output place: the input places in them, row by row, without the padding. */
function places(c: Case, row: number, column: number): [number, number][] {
  const list: [number, number][] = [];
  for (let i = 0; i < c.filterSize[0]; i++)
    for (let j = 0; j < c.filterSize[1]; j++) {
      const y = row * c.strides[0] - c.pads[0] + i * c.dilations[0];
      const x = column * c.strides[1] - c.pads[2] + j * c.dilations[1];
      if (y >= 0 && x >= 0 && y < c.size[0] && x < c.size[1]) list.push([y, x]);
    }
  return list;
}

function outputOf(c: Case): [number, number] {
  return [0, 1].map((i) =>
    windowed(c.size[i]!, c.filterSize[i]!, c.strides[i]!, c.dilations[i]!, c.pads[2 * i]!, c.pads[2 * i + 1]!),
  ) as [number, number];
}

/** All four ops by their definitions. */
function reference(c: Case, x: Float32Array, dy: Float32Array) {
  const [height, width] = outputOf(c);
  const [max, average] = [new Float32Array(dy.length), new Float32Array(dy.length)];
  const [maxGrad, averageGrad] = [new Float32Array(x.length), new Float32Array(x.length)];
  for (let n = 0; n < BATCH; n++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        for (let channel = 0; channel < CHANNELS; channel++) {
          const at = ((n * height + row) * width + column) * CHANNELS + channel;
          const inputs = places(c, row, column).map(
            ([y, z]) => ((n * c.size[0] + y) * c.size[1] + z) * CHANNELS + channel,
          );
          const best = inputs.reduce((a, b) => (x[b]! > x[a]! ? b : a));
          max[at] = x[best]!;
          maxGrad[best] = maxGrad[best]! + dy[at]!;
          average[at] = inputs.reduce((sum, i) => sum + x[i]!, 0) / inputs.length;
          for (const i of inputs) averageGrad[i] = averageGrad[i]! + dy[at]! / inputs.length;
        }
  return { max, average, maxGrad, averageGrad };
}

/** As for a provider whose MaxPool does not say where the maxima lie. */
function maxPoolGradWithoutIndices(dy: Operand, x: Operand, y: Operand, attrs: Attrs): TensorData {
  const b = new GraphBuilder();
  const operands = { dy, x, y };
  const names = Object.entries(operands).map(([name, { dtype, shape }]) => b.input(name, { dtype, shape }));
  b.output('dx', b.op('MaxPoolGrad', names, attrs));
  const model = lowerToOnnx(b.build(), { poolIndices: false });
  expect(model.graph.nodes.filter(({ op }) => op === 'MaxPool')).toEqual([]);
  const session = new OnnxSession(encodeModel(model), { executionProviders: ['cpu'], intraOpNumThreads: 1 });
  const feeds = Object.entries(operands).map(([name, { dtype, data, shape }]) => [name, ortTensor(dtype, data, shape)]);
  const results = session.run(Object.fromEntries(feeds) as Record<string, Tensor>, { dx: null });
  session.dispose();
  return tensorValues(results.dx!);
}

describe('pooling and its gradients, by definition', () => {
  it.each(named)('%s', (_, { size, ...attrs }) => {
    const c = { size, ...attrs };
    const count = BATCH * size[0] * size[1] * CHANNELS;
    // Few different values: most windows have ties.
    const x = f32(
      [BATCH, ...size, CHANNELS],
      values(count, 4).map((value) => Math.round(value)),
    );
    const outShape = [BATCH, ...outputOf(c), CHANNELS];
    const dy = f32(outShape, undefined, 5);
    const expected = reference(c, x.data as Float32Array, dy.data as Float32Array);
    const y = runOp('MaxPool', [x], attrs)[0]!;
    expectClose(y, expected.max);
    // Only the largest are known of windows with gaps.
    if (c.dilations[0] > 1) return;
    expectClose(runOp('AvgPool', [x], attrs)[0]!, expected.average);
    expectClose(runOp('MaxPoolGrad', [dy, x, f32(outShape, y as Float32Array)], attrs)[0]!, expected.maxGrad);
    expectClose(runOp('AvgPoolGrad', [dy], { ...attrs, inputShape: x.shape })[0]!, expected.averageGrad);
    expectClose(maxPoolGradWithoutIndices(dy, x, f32(outShape, y as Float32Array), attrs), expected.maxGrad);
  });

  it.each([
    ['AvgPool', 1],
    ['MaxPoolGrad', 3],
    ['AvgPoolGrad', 1],
  ])('%s has no dilation', (op, count) => {
    const x = f32([1, 4, 4, 1], new Float32Array(16));
    const attrs = { filterSize: [2, 2], strides: [1, 1], dilations: [2, 1], pads: [0, 0, 0, 0], ...(op === 'AvgPoolGrad' && { inputShape: x.shape }) }; // prettier-ignore
    expect(() => runOp(op, new Array<Operand>(count).fill(x), attrs)).toThrow(
      /expected dilations of 1, received \[2, 1\]/,
    );
  });

  it('agrees with tfjs where tfjs has the case', async () => {
    await tf.setBackend('cpu');
    const x = f32([1, 6, 6, 2], values(72, 7).map(Math.round));
    const t = tf.tensor4d(x.data as Float32Array, [1, 6, 6, 2]);
    const attrs = { filterSize: [3, 3], strides: [2, 2], dilations: [1, 1], pads: [0, 1, 0, 1] };
    const dy = tf.ones([1, 3, 3, 2]);
    const dx = tf.grad((z: tf.Tensor) => tf.maxPool(z as tf.Tensor4D, 3, 2, 'same'))(t, dy);
    const y = runOp('MaxPool', [x], attrs)[0]!;
    expectClose(y, tf.maxPool(t, 3, 2, 'same').dataSync());
    const ones = f32([1, 3, 3, 2], new Float32Array(18).fill(1));
    expectClose(runOp('MaxPoolGrad', [ones, x, f32([1, 3, 3, 2], y as Float32Array)], attrs)[0]!, dx.dataSync());
    expectClose(runOp('AvgPool', [x], attrs)[0]!, tf.avgPool(t, 3, 2, 'same').dataSync());
  });
});
