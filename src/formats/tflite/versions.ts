import type { TensorType } from '../../graph/types.ts';
import type { Fields } from './schema/notation.ts';
import type { BuiltinOperator } from './schema/operators.ts';

/** Types of tensors and options, on which the version of an operator depends. */
export interface Signature {
  readonly op: BuiltinOperator;
  /** Undefined for an absent optional input. */
  readonly inputs: readonly (TensorType | undefined)[];
  readonly outputs: readonly TensorType[];
  readonly options?: Fields | undefined;
  /** True if the filter has a scale for each output channel. */
  readonly perChannel?: boolean;
  /** Product of the operands' scales divided by the result's, for MUL. */
  readonly rescale?: number;
}

type Rule = (signature: Signature) => number;

const dtype = (s: Signature, i = 0): string | undefined => s.inputs[i]?.dtype;
const rank = (s: Signature): number => Math.max(...s.inputs.map((input) => input?.shape.length ?? 0));

/** 1, 2 with int8 tensors, 3 with int16: the usual history of operators. */
const byType: Rule = (s) => (dtype(s) === 'int16' ? 3 : dtype(s) === 'int8' ? 2 : 1);
const int8: Rule = (s) => (dtype(s) === 'int8' ? 2 : 1);
const broadcasts = (s: Signature): boolean => String(s.inputs[0]?.shape) !== String(s.inputs[1]?.shape) && rank(s) > 4;

const hybrid = (s: Signature): boolean => dtype(s) === 'float32' && dtype(s, 1) === 'int8';

/** The lowest version of an operator that supports these types and options. */
const rules: Partial<Record<BuiltinOperator, Rule>> = {
  CONV_2D: (s) => {
    if (hybrid(s)) return s.perChannel ? 5 : 2;
    return { float32: 1, int16: 4 }[dtype(s) ?? ''] ?? 3;
  },
  DEPTHWISE_CONV_2D: (s) => {
    if (hybrid(s)) return s.perChannel ? 6 : 4;
    if (dtype(s) === 'int16') return 5;
    if (dtype(s) !== 'float32') return 3;
    return Number(s.options?.dilationHFactor ?? 1) > 1 || Number(s.options?.dilationWFactor ?? 1) > 1 ? 2 : 1;
  },
  FULLY_CONNECTED: (s) => {
    // Older kernels silently use the first scale for all channels; with this version they refuse the model.
    if (s.perChannel) return 12;
    if (dtype(s) === 'int16') return 7;
    if (s.options?.keepNumDims) return hybrid(s) ? 9 : 5;
    if (hybrid(s)) return s.options?.asymmetricQuantizeInputs ? 9 : 3;
    return dtype(s) === 'float32' ? 1 : 4;
  },
  TRANSPOSE_CONV: (s) => (s.inputs.length > 3 ? 3 : dtype(s, 1) === 'int8' ? 2 : 1),
  MUL: (s) => {
    if (dtype(s) === 'int64') return 5;
    if (dtype(s) === 'int16') return 4;
    if ((s.rescale ?? 0) >= 1) return 3;
    return int8(s);
  },
  ADD: (s) => (dtype(s) === 'int64' ? 4 : byType(s)),
  SUB: (s) => {
    if (dtype(s) === 'int16') return 5;
    if (dtype(s) === 'int64') return 4;
    return broadcasts(s) ? 3 : int8(s);
  },
  DIV: (s) => (broadcasts(s) ? 2 : 1),
  MAXIMUM: (s) => (dtype(s) === 'int16' ? 4 : broadcasts(s) ? 3 : int8(s)),
  MINIMUM: (s) => (dtype(s) === 'int16' ? 4 : broadcasts(s) ? 3 : int8(s)),
  TRANSPOSE: (s) => {
    if (rank(s) > 5) return 6;
    if (dtype(s) === 'int16') return 5;
    if (rank(s) > 4) return 4;
    return dtype(s) === 'bool' ? 3 : int8(s);
  },
  PAD: (s) => (rank(s) > 4 ? 4 : byType(s)),
  PADV2: (s) => (rank(s) > 4 ? 4 : byType(s)),
  SLICE: (s) => (rank(s) > 4 ? 5 : dtype(s) === 'int16' ? 4 : int8(s)),
  STRIDED_SLICE: (s) => (rank(s) > 4 ? 4 : dtype(s) === 'bool' ? 3 : int8(s)),
  SPLIT: (s) => ({ int16: 4, int32: 3, int8: 2 })[dtype(s, 1) ?? ''] ?? 1,
  GATHER: (s) => {
    if (s.options?.batchDims) return 5;
    return { int16: 4, bool: 3, int8: 2 }[dtype(s) ?? ''] ?? 1;
  },
  GATHER_ND: (s) => ({ bool: 5, int16: 3 })[dtype(s) ?? ''] ?? 1,
  DEQUANTIZE: (s) => ({ int16: 3, float16: 3, int8: 2 })[dtype(s) ?? ''] ?? 1,
  QUANTIZE: (s) => (s.outputs[0]?.dtype === 'int16' ? 2 : 1),
  FLOOR_DIV: (s) => (dtype(s) === 'float32' ? 2 : 1),
  RELU: byType,
  RELU6: byType,
  REVERSE_V2: (s) => ({ int8: 3, bool: 2 })[dtype(s) ?? ''] ?? 1,
  RESIZE_BILINEAR: (s) => (dtype(s) === 'int16' ? 4 : s.options?.halfPixelCenters ? 3 : int8(s)),
  RESIZE_NEAREST_NEIGHBOR: (s) => {
    if (dtype(s) === 'int16') return 4;
    return s.options?.halfPixelCenters || s.options?.alignCorners ? 3 : int8(s);
  },
  ABS: (s) => (dtype(s) === 'int32' ? 5 : 1),
  SIGN: (s) => (dtype(s) === 'int32' ? 2 : 1),
  EQUAL: (s) => (dtype(s) === 'int16' ? 4 : int8(s)),
  NOT_EQUAL: int8,
  LESS: byType,
  GREATER_EQUAL: byType,
  GREATER: int8,
  LESS_EQUAL: int8,
  BATCH_MATMUL: byType,
  BROADCAST_TO: (s) => (dtype(s) === 'int8' || dtype(s) === 'int16' ? 3 : 2),
  CAST: (s) => ([dtype(s), s.outputs[0]?.dtype].includes('int8') ? 3 : 1),
  LEAKY_RELU: (s) => (dtype(s) === 'int16' ? 2 : 1),
  TILE: (s) => (dtype(s) === 'int8' ? 3 : 1),
  TOPK_V2: byType,
  ARG_MAX: (s) => (dtype(s) === 'bool' ? 3 : int8(s)),
  ARG_MIN: (s) => (dtype(s) === 'bool' ? 3 : int8(s)),
  EXP: (s) => (dtype(s) === 'float32' ? 1 : 2),
  GELU: int8,
  AVERAGE_POOL_2D: byType,
  CONCATENATION: byType,
  LOGISTIC: byType,
  MAX_POOL_2D: byType,
  MEAN: byType,
  MIRROR_PAD: byType,
  REDUCE_MAX: byType,
  REDUCE_MIN: byType,
  SOFTMAX: byType,
  TANH: byType,
  DEPTH_TO_SPACE: int8,
  LOG_SOFTMAX: int8,
  SPLIT_V: int8,
  SQUARED_DIFFERENCE: int8,
  SUM: int8,
};

export function operatorVersion(signature: Signature): number {
  return rules[signature.op]?.(signature) ?? 1;
}
