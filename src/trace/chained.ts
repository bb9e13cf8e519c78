import * as tf from '@tensorflow/tfjs-core';

/** Ops that tfjs also has as methods of tensors, with the tensor as first argument. */
const METHODS = [
  'abs',
  'acos',
  'acosh',
  'add',
  'all',
  'any',
  'argMax',
  'argMin',
  'asin',
  'asinh',
  'atan',
  'atan2',
  'atanh',
  'avgPool',
  'batchToSpaceND',
  'batchNorm',
  'broadcastTo',
  'cast',
  'ceil',
  'clipByValue',
  'conv1d',
  'conv2d',
  'conv2dTranspose',
  'cos',
  'cosh',
  'cumprod',
  'cumsum',
  'depthToSpace',
  'depthwiseConv2d',
  'div',
  'divNoNan',
  'dot',
  'elu',
  'equal',
  'erf',
  'euclideanNorm',
  'exp',
  'expandDims',
  'expm1',
  'floor',
  'floorDiv',
  'gather',
  'greater',
  'greaterEqual',
  'isFinite',
  'isInf',
  'isNaN',
  'leakyRelu',
  'less',
  'lessEqual',
  'log',
  'log1p',
  'logSigmoid',
  'logSoftmax',
  'logSumExp',
  'logicalAnd',
  'logicalNot',
  'logicalOr',
  'logicalXor',
  'matMul',
  'max',
  'maxPool',
  'maximum',
  'mean',
  'min',
  'minimum',
  'mirrorPad',
  'mod',
  'mul',
  'neg',
  'norm',
  'notEqual',
  'oneHot',
  'onesLike',
  'pad',
  'pow',
  'prelu',
  'prod',
  'reciprocal',
  'relu',
  'relu6',
  'reshape',
  'reverse',
  'round',
  'rsqrt',
  'selu',
  'separableConv2d',
  'sigmoid',
  'sign',
  'sin',
  'sinh',
  'slice',
  'softmax',
  'softplus',
  'spaceToBatchND',
  'split',
  'sqrt',
  'square',
  'squaredDifference',
  'squeeze',
  'step',
  'stridedSlice',
  'sub',
  'sum',
  'tan',
  'tanh',
  'tile',
  'topk',
  'transpose',
  'unique',
  'unsortedSegmentSum',
  'unstack',
  'zerosLike',
] as const;

type Op = (x: tf.Tensor, ...more: unknown[]) => unknown;
type Methods = Record<string, (this: tf.Tensor, ...args: unknown[]) => unknown>;

/**
 * Adds methods such as `x.relu()` for `tf.relu(x)`. tfjs registers them in a module that its CommonJS bundle leaves out, and tfjs-layers calls some
 * of them (its orthogonal initializer, the default of recurrent layers). Existing methods are kept.
 */
export function registerChainedOps(): void {
  const methods = tf.Tensor.prototype as unknown as Methods;
  const ops = tf as unknown as Record<string, Op>;
  for (const name of METHODS) {
    methods[name] ??= function (...args) {
      return ops[name]!(this, ...args);
    };
  }
  methods.flatten ??= function () {
    return tf.reshape(this, [this.size]);
  };
  methods.asType ??= function (dtype) {
    return tf.cast(this, dtype as tf.DataType);
  };
  methods.toFloat ??= function () {
    return tf.cast(this, 'float32');
  };
  methods.concat ??= function (others, axis) {
    return tf.concat([this, others as tf.Tensor].flat(), axis as number | undefined);
  };
  methods.stack ??= function (others, axis) {
    return tf.stack([this, others as tf.Tensor].flat(), axis as number | undefined);
  };
}
