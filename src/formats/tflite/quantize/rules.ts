import type { TensorQuantization } from '../../../graph/quantization.ts';

/**
 * Requirements of an operator's integer kernel (TFLite's 8-bit quantization specification):
 * - `weights`: input and output have scales of their own, the filter is symmetric, the bias int32;
 * - `free`: every operand and the result have scales of their own;
 * - `same`: operands and result share one scale;
 * - `fixed`: the result's scale is prescribed;
 * - `reads`: operands are integers, the result is no quantized value (arg max, shape).
 * Operators that are not listed have no integer kernel: they compute in float32, with conversions around.
 */
export type IntegerRule = 'weights' | 'free' | 'same' | 'fixed' | 'reads';

const rule = (name: IntegerRule, ops: string): [string, IntegerRule][] => ops.split(' ').map((op) => [op, name]);

export const integerRules: ReadonlyMap<string, IntegerRule> = new Map([
  ...rule('weights', 'CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED TRANSPOSE_CONV'),
  ...rule('free', 'ADD SUB MUL MEAN SUM SQUARED_DIFFERENCE BATCH_MATMUL RELU RELU6 RELU_N1_TO_1 LEAKY_RELU PRELU'),
  ...rule('free', 'HARD_SWISH ELU GELU EXP'),
  ...rule('same', 'MAX_POOL_2D AVERAGE_POOL_2D RESHAPE TRANSPOSE SLICE STRIDED_SLICE GATHER GATHER_ND SPLIT SPLIT_V'),
  ...rule('same', 'PAD PADV2 MIRROR_PAD TILE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR DEPTH_TO_SPACE REVERSE_V2'),
  ...rule('same', 'REDUCE_MAX REDUCE_MIN CONCATENATION MAXIMUM MINIMUM BROADCAST_TO SELECT_V2 TOPK_V2'),
  ...rule('fixed', 'SOFTMAX LOGISTIC TANH LOG_SOFTMAX'),
  // Comparisons also have integer kernels, but these abort the process for scales of 1 and more.
  ...rule('reads', 'ARG_MAX ARG_MIN SHAPE'),
]);

/** Operators without 16-bit kernels. */
export const noInt16: ReadonlySet<string> = new Set([
  'ELU',
  'GELU',
  'PRELU',
  'RELU_N1_TO_1',
  'SUM',
  'SQUARED_DIFFERENCE',
  'LOG_SOFTMAX',
  'DEPTH_TO_SPACE',
  'TILE',
  'REVERSE_V2',
  'HARD_SWISH',
  'ARG_MAX',
  'ARG_MIN',
]);

const fixedInt8: Readonly<Record<string, readonly [number, number]>> = {
  SOFTMAX: [1 / 256, -128],
  LOGISTIC: [1 / 256, -128],
  TANH: [1 / 128, 0],
  LOG_SOFTMAX: [16 / 256, 127],
};

export function fixedQuantization(op: string, dtype: 'int8' | 'int16'): TensorQuantization {
  const [scale, zeroPoint] = dtype === 'int16' ? [1 / 32768, 0] : fixedInt8[op]!;
  return { dtype, scales: [scale], zeroPoints: [zeroPoint] };
}
