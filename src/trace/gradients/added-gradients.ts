import * as tf from '@tensorflow/tfjs-core';

export type Saved = readonly tf.Tensor[];
// oxlint-disable-next-line typescript/no-explicit-any -- as tfjs passes them: each gradient knows what its kernel took
export type GradientAttributes = Readonly<Record<string, any>>;
export type GradientFunctions = Record<string, () => tf.Tensor>;

/** A gradient in tfjs' registry. */
export interface Gradient {
  readonly kernelName: string;
  readonly inputsToSave?: readonly string[];
  readonly outputsToSave?: readonly boolean[];
  readonly gradFunc: (dy: tf.Tensor, saved: Saved, attrs: GradientAttributes, original: Original) => GradientFunctions;
}

/** tfjs' own gradient of the same kernel. */
export type Original = (dy: tf.Tensor, saved: tf.Tensor[], attrs: GradientAttributes) => GradientFunctions;

export function run(kernelName: string, inputs: Record<string, tf.Tensor>, attrs: GradientAttributes = {}): tf.Tensor {
  return tf.engine().runKernel(kernelName, inputs, attrs);
}

/** The result of a reduction, or its gradient, with reduced axes as axes of size 1. */
export function kept(reduced: tf.Tensor, x: tf.Tensor, axis: number | number[]): tf.Tensor {
  const axes = tf.util.parseAxisParam(axis, x.shape);
  return tf.reshape(
    reduced,
    x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim)),
  );
}

/** Zero gradient, for step functions. tfjs refuses masks that depend on trained variables. */
const flat = (kernelName: string, ...inputs: readonly string[]): Gradient => ({
  kernelName,
  inputsToSave: inputs,
  gradFunc: (_, saved) =>
    Object.fromEntries(inputs.map((name, i) => [name, (): tf.Tensor => tf.zeros(saved[i]!.shape)])),
});

/**
 * Gradient of mirror padding along an axis of `size` elements: padded parts are added to their sources; `skipped`: edge elements that are not
 * repeated.
 */
function folded(
  dy: tf.Tensor,
  axis: number,
  size: number,
  [before, after]: readonly [number, number],
  skipped: number,
): tf.Tensor {
  const part = (from: number, length: number): tf.Tensor =>
    tf.slice(
      dy,
      dy.shape.map((_, i) => (i === axis ? from : 0)),
      dy.shape.with(axis, length),
    );
  const placed = (mirrored: tf.Tensor, from: number): tf.Tensor =>
    tf.pad(
      tf.reverse(mirrored, axis),
      dy.shape.map((_, i): [number, number] => (i === axis ? [from, size - from - mirrored.shape[axis]!] : [0, 0])),
    );
  let sum = part(before, size);
  if (before > 0) sum = tf.add(sum, placed(part(0, before), skipped));
  if (after > 0) sum = tf.add(sum, placed(part(before + size, after), size - skipped - after));
  return sum;
}

/** Gradients of kernels that only this backend has, or for which tfjs' gradient is missing or wrong. */
export const additions: readonly Gradient[] = [
  ...['Greater', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr'].map((name) =>
    flat(name, 'a', 'b'),
  ),
  ...['LogicalNot', 'IsNan', 'IsInf', 'IsFinite', 'All', 'Any'].map((name) => flat(name, 'x')),
  {
    kernelName: 'DepthToSpace',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { blockSize }) => ({
      x: () => {
        const [n, h, w, c] = x!.shape as [number, number, number, number];
        const b = blockSize as number;
        const parts = tf.reshape(dy, [n, h, b, w, b, c / b ** 2]);
        return tf.reshape(tf.transpose(parts, [0, 1, 3, 2, 4, 5]), [n, h, w, c]);
      },
    }),
  },
  {
    // Finite at 0, so that the norm of a zero vector has gradient 0, as in PyTorch, instead of NaN. The clamp does not affect other roots.
    kernelName: 'Sqrt',
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, [, y]) => ({ x: () => tf.div(dy, tf.mul(tf.maximum(y!, 2 ** -63), 2)) }),
  },
  ...['Max', 'Min'].map((kernelName): Gradient => ({
    // tfjs gives the full gradient to each of several equal values.
    kernelName,
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attrs) => ({
      x: () => {
        const axes = tf.util.parseAxisParam((attrs['reductionIndices'] ?? attrs['axis']) as number[], x!.shape);
        const isIt = tf.cast(tf.equal(x!, kept(y!, x!, axes)), 'float32');
        const share = tf.div(kept(dy, x!, axes), tf.sum(isIt, axes, true));
        return tf.mul(isIt, share);
      },
    }),
  })),
  {
    // tfjs ignores the contributions of mirrored elements.
    kernelName: 'MirrorPad',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { paddings, mode }) => ({
      x: () =>
        (paddings as [number, number][]).reduce(
          (sum, [before, after], axis) =>
            folded(sum, axis, x!.shape[axis]!, [before, after], mode === 'reflect' ? 1 : 0),
          dy,
        ),
    }),
  },
  {
    // Gradient of the values; indices have none.
    kernelName: 'TopK',
    inputsToSave: ['x'],
    outputsToSave: [false, true],
    gradFunc: (dys, [x, places]) => ({
      x: () => {
        const dy = (dys as unknown as readonly tf.Tensor[])[0]!;
        // A single value needs no choice, and tfjs does not support one.
        if (x!.shape.at(-1) === 1) return dy;
        const found = tf.oneHot(places!, x!.shape.at(-1)!, 1, 0, 'float32');
        return tf.sum(tf.mul(found, tf.expandDims(dy, -1)), -2);
      },
    }),
  },
  {
    kernelName: 'ReluGrad',
    inputsToSave: ['x'],
    gradFunc: (ddx, [x]) => ({ dy: () => run('ReluGrad', { dy: ddx, x: x! }), x: () => tf.zerosLike(x!) }),
  },
  {
    kernelName: 'Relu6Grad',
    inputsToSave: ['y'],
    gradFunc: (ddx, [y]) => ({ dy: () => run('Relu6Grad', { dy: ddx, y: y! }), y: () => tf.zerosLike(y!) }),
  },
  {
    kernelName: 'BatchNormTrain',
    inputsToSave: ['x', 'scale'],
    outputsToSave: [false, true, false, true],
    gradFunc: (dys, [x, scale, mean, inverseDeviation]) => {
      const dy = (dys as unknown as readonly tf.Tensor[])[0]!;
      const inputs = { dy, x: x!, scale: scale!, mean: mean!, inverseDeviation: inverseDeviation! };
      const [dx, dscale, doffset] = run('BatchNormTrainGrad', inputs) as unknown as [tf.Tensor, tf.Tensor, tf.Tensor];
      return { x: () => dx, scale: () => dscale, offset: () => doffset };
    },
  },
];
