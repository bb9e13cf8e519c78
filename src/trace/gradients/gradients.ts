import * as tf from '@tensorflow/tfjs-core';
import { additions, kept, run } from './added-gradients.ts';
import type { GradientAttributes, Gradient, GradientFunctions, Original, Saved } from './added-gradients.ts';
import { BACKEND_NAME, LazyBackend } from '../backend.ts';
import type { LazyNode } from '../value.ts';

/** Broadcasts the gradient of a reduction to the shape of its input. */
function spread(dy: tf.Tensor, x: tf.Tensor, axis: number | number[]): tf.Tensor {
  return run('BroadcastTo', { x: kept(dy, x, axis) }, { shape: x.shape });
}

/** Sums over the axes that broadcasting added or stretched. */
function unbroadcast(dx: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(x.shape, dx.shape);
  return axes.length === 0 ? dx : tf.reshape(tf.sum(dx, axes), x.shape);
}

/** Rows of all matrices as one matrix. */
function rowsOf(x: tf.Tensor): tf.Tensor {
  return tf.reshape(x, [-1, x.shape.at(-1)!]);
}

/** Gradient of a maximum or minimum of two: it flows to the chosen operand, to a if they are equal. */
function chosen(dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor, isA: tf.Tensor): GradientFunctions {
  return {
    a: () => unbroadcast(tf.where(isA, dy, tf.zerosLike(dy)), a),
    b: () => unbroadcast(tf.where(isA, tf.zerosLike(dy), dy), b),
  };
}

/** The next larger float32 of a positive normal number. */
function nextFloat(value: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  bits[0]!++;
  return new Float32Array(bits.buffer)[0]!;
}

/**
 * dy if x ≤ most, else 0. Unlike a comparison, this stays in blocked layouts; the sign of the difference is exact for every x, because the difference
 * of two floats is zero only for equal ones.
 */
function upTo(dy: tf.Tensor, x: tf.Tensor, most: number): tf.Tensor {
  return run('ReluGrad', { dy, x: tf.sub(nextFloat(most), x) });
}

/** The node of the current trace that computes this. */
function nodeOf(x: tf.Tensor): LazyNode | undefined {
  const backend = tf.backend();
  return backend instanceof LazyBackend ? backend.lookup(x).node : undefined;
}

/** True if `dy` is that of a ReLU6 which a ReLU of output `y` begins: it is 0 where y is 0. */
function isOfRelu6(dy: tf.Tensor, y: tf.Tensor): boolean {
  const [x] = nodeOf(y)?.inputs ?? [];
  const [node, clipped] = [nodeOf(dy), nodeOf(dy)?.inputs[1]?.node];
  return x !== undefined && node?.op === 'Relu6Grad' && clipped?.op === 'Relu6' && clipped.inputs[0] === x;
}

/** Gradient of a look-up of rows in each sample's own x [batch, n, ...], computed as one list over all samples. */
function lookedUpBySample(dy: tf.Tensor, x: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  const [batch, n, ...inner] = x.shape as [number, number, ...number[]];
  const first = tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(n, 'int32'));
  const rows = tf.add(tf.reshape(tf.cast(indices, 'int32'), [batch, -1]), tf.reshape(first, [batch, 1]));
  const flatGradient = tf.reshape(dy, [rows.size, ...inner]);
  const sums = tf.unsortedSegmentSum(flatGradient, tf.reshape<tf.Rank.R1>(rows, [rows.size]), batch * n);
  return tf.reshape(sums, x.shape);
}

/**
 * Gradients with a smaller graph than tfjs' own, or that tfjs refuses. The registry serves all backends: on others they fall back to tfjs' own, so
 * the values that they save must include those of tfjs, in the same order.
 */
const overrides: readonly Gradient[] = [
  {
    // Segment ids have no gradient; tfjs refuses what depends on them.
    kernelName: 'UnsortedSegmentSum',
    inputsToSave: ['segmentIds'],
    gradFunc: (dy, [ids], attrs, original) => ({
      ...original(dy, [ids!], attrs),
      segmentIds: () => tf.zeros(ids!.shape),
    }),
  },
  {
    // tfjs computes sample by sample, and gives indices an integer gradient, which it then refuses.
    kernelName: 'GatherV2',
    inputsToSave: ['x', 'indices'],
    gradFunc: (dy, [x, indices], attrs, original) => ({
      ...(attrs['batchDims'] === 1 && attrs['axis'] === 1
        ? { x: () => lookedUpBySample(dy, x!, indices!) }
        : original(dy, [x!, indices!], attrs)),
      indices: () => tf.zeros(indices!.shape),
    }),
  },
  {
    kernelName: 'Relu',
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, [, y]) => ({ x: () => (isOfRelu6(dy, y!) ? dy : run('ReluGrad', { dy, x: y! })) }),
  },
  {
    // No gradient where x is 6, as in PyTorch.
    kernelName: 'Relu6',
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, [, y]) => ({ x: () => run('Relu6Grad', { dy, y: y! }) }),
  },
  {
    // A ReLU with a maximum is a ReLU followed by this. Otherwise the gradient passes where the value was not clipped: one comparison instead of two.
    kernelName: 'ClipByValue',
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attrs) => {
      const { clipValueMin: least, clipValueMax: most } = attrs as { clipValueMin: number; clipValueMax: number };
      if (nodeOf(y!)?.op === 'Relu6') return { x: () => run('Relu6Grad', { dy, y: y! }) };
      const isUpper = least <= 0 && most > 1e-30 && most < 1e30 && nodeOf(x!)?.op === 'Relu';
      return { x: () => (isUpper ? upTo(dy, x!, most) : tf.where(tf.equal(x!, y!), dy, tf.zerosLike(dy))) };
    },
  },
  {
    kernelName: 'Sum',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { axis }) => ({ x: () => spread(dy, x!, axis as number[]) }),
  },
  {
    kernelName: 'Mean',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { axis }) => ({
      x: () => {
        const count = tf.util.parseAxisParam(axis as number[], x!.shape).reduce((n, a) => n * x!.shape[a]!, 1);
        return spread(tf.div(dy, count), x!, axis as number[]);
      },
    }),
  },
  {
    kernelName: 'Tile',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], { reps }) => ({
      x: () => {
        const pairs = x!.shape.flatMap((dim, i) => [(reps as number[])[i]!, dim]);
        return tf.sum(
          tf.reshape(dy, pairs),
          x!.shape.map((_, i) => 2 * i),
        );
      },
    }),
  },
  {
    kernelName: 'BatchMatMul',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b], { transposeA, transposeB }) => ({
      a: () =>
        unbroadcast(
          transposeA === true
            ? tf.matMul(b!, dy, transposeB === true, true)
            : tf.matMul(dy, b!, false, transposeB !== true),
          a!,
        ),
      b: () => {
        const product = (x: tf.Tensor, slope: tf.Tensor): tf.Tensor =>
          transposeB === true
            ? tf.matMul(slope, x, true, transposeA === true)
            : tf.matMul(x, slope, transposeA !== true, false);
        const isOneMatrix = transposeA !== true && b!.shape.slice(0, -2).every((size) => size === 1);
        // One product over the rows of all samples, instead of one for each sample and their sum.
        return isOneMatrix ? tf.reshape(product(rowsOf(a!), rowsOf(dy)), b!.shape) : unbroadcast(product(a!, dy), b!);
      },
    }),
  },
  {
    kernelName: 'Maximum',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => chosen(dy, a!, b!, tf.greaterEqual(a!, b!)),
  },
  {
    kernelName: 'Minimum',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => chosen(dy, a!, b!, tf.lessEqual(a!, b!)),
  },
  {
    kernelName: 'SquaredDifference',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => {
      const slope = tf.mul(tf.mul(2, tf.sub(a!, b!)), dy);
      return { a: () => unbroadcast(slope, a!), b: () => unbroadcast(tf.neg(slope), b!) };
    },
  },
  {
    // With a single part tfjs passes a tensor instead of a list.
    kernelName: 'SplitV',
    gradFunc: (dy, saved, attrs, original) => (Array.isArray(dy) ? original(dy, [...saved], attrs) : { x: () => dy }),
  },
  {
    // tfjs transposes the result if the axis is not the last.
    kernelName: 'Cumsum',
    inputsToSave: ['x'],
    gradFunc: (dy, _, { axis, exclusive, reverse }) => ({
      x: () => tf.cumsum(dy, axis as number, exclusive === true, reverse !== true),
    }),
  },
  {
    kernelName: 'Conv2D',
    inputsToSave: ['x', 'filter'],
    gradFunc: (dy, [x, filter], attrs) => ({
      x: () => run('Conv2DBackpropInput', { dy, filter: filter! }, { ...attrs, inputShape: x!.shape }),
      filter: () => run('Conv2DBackpropFilter', { x: x!, dy }, { ...attrs, filterShape: filter!.shape }),
    }),
  },
  {
    kernelName: 'DepthwiseConv2dNative',
    inputsToSave: ['x', 'filter'],
    gradFunc: (dy, [x, filter], attrs) => ({
      x: () => run('DepthwiseConv2dNativeBackpropInput', { dy, filter: filter! }, { ...attrs, inputShape: x!.shape }),
      filter: () => run('DepthwiseConv2dNativeBackpropFilter', { x: x!, dy }, { ...attrs, filterShape: filter!.shape }),
    }),
  },
];

export function registerGradients(): void {
  for (const { gradFunc, ...override } of overrides) {
    const original = tf.getGradient(override.kernelName);
    const originalGradient: Original = (dy, saved, attrs) => original.gradFunc(dy, saved, attrs);
    register(override, (dy, saved, attrs) =>
      tf.engine().backendName === BACKEND_NAME
        ? gradFunc(dy, saved, attrs, originalGradient)
        : originalGradient(dy, [...saved], attrs),
    );
  }
  for (const { gradFunc, ...addition } of additions)
    register(addition, (dy, saved, attrs) => gradFunc(dy, saved, attrs, NONE));
}

/** Stands for tfjs' gradient of kernels without one. */
const NONE: Original = () => ({});

function register(
  config: Omit<Gradient, 'gradFunc'>,
  gradFunc: (dy: tf.Tensor, saved: Saved, attrs: GradientAttributes) => GradientFunctions,
): void {
  tf.registerGradient({
    kernelName: config.kernelName,
    inputsToSave: [...(config.inputsToSave ?? [])],
    outputsToSave: [...(config.outputsToSave ?? [])],
    gradFunc: (dy, saved, attrs) => gradFunc(dy as tf.Tensor, saved, attrs),
  });
}
