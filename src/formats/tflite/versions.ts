import type { TensorType } from '../../graph/types.ts';
import type { Fields } from './schema/notation.ts';
import type { BuiltinOperator } from './schema/operators.ts';

/** What decides the version of an operator: the types of its tensors and its options. */
export interface Signature {
  readonly op: BuiltinOperator;
  /** Undefined where an optional input is absent. */
  readonly inputs: readonly (TensorType | undefined)[];
  readonly outputs: readonly TensorType[];
  readonly options?: Fields | undefined;
  /** Whether the filter has a scale for each output channel. */
  readonly perChannel?: boolean;
  /** Product of the operands' scales over the result's, for MUL. */
  readonly rescale?: number;
}

type Rule = (signature: Signature) => number;

const dtype = (s: Signature, i = 0): string | undefined => s.inputs[i]?.dtype;
const rank = (s: Signature): number => Math.max(...s.inputs.map((input) => input?.shape.length ?? 0));

/** 1, 2 with int8 tensors, 3 with int16 ones: how most operators grew. */
const byType: Rule = (s) => (dtype(s) === 'int16' ? 3 : dtype(s) === 'int8' ? 2 : 1);
const int8: Rule = (s) => (dtype(s) === 'int8' ? 2 : 1);
const broadcasts = (s: Signature): boolean => String(s.inputs[0]?.shape) !== String(s.inputs[1]?.shape) && rank(s) > 4;

const hybrid = (s: Signature): boolean => dtype(s) === 'float32' && dtype(s, 1) === 'int8';

/** The lowest version of an operator's kernel that knows these types and options. */
const rules: Partial<Record<BuiltinOperator, Rule>> = {
  CONV_2D: (s) => (hybrid(s) ? (s.perChannel ? 5 : 2) : dtype(s) === 'float32' ? 1 : 3),
  DEPTHWISE_CONV_2D: (s) => {
    if (hybrid(s)) return s.perChannel ? 6 : 4;
    if (dtype(s) !== 'float32') return 3;
    return Number(s.options?.dilationHFactor ?? 1) > 1 || Number(s.options?.dilationWFactor ?? 1) > 1 ? 2 : 1;
  },
  FULLY_CONNECTED: (s) => {
    // Kernels before this take the first scale for all channels, without a word; this way they refuse.
    if (s.perChannel) return 12;
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

/** The first TensorFlow release whose runtime has each version of an operator, from version 1 (BROADCAST_TO: from 2). */
const releases: Partial<Record<BuiltinOperator, string>> = {
  ABS: '1.13 2.4 2.5 2.6 2.14',
  ADD: '1.5 1.14 2.4 2.6',
  ARG_MAX: '1.9 1.14 2.9',
  ARG_MIN: '1.9 1.14 2.9',
  ATAN2: '2.10',
  AVERAGE_POOL_2D: '1.5 1.14 2.3',
  BATCH_MATMUL: '2.3 2.3 2.4 2.5',
  BROADCAST_TO: '2.5 2.5 2.5',
  CAST: '1.5 2.7 2.8 2.9',
  CEIL: '1.14',
  CONCATENATION: '1.5 1.14 2.3',
  CONV_2D: '1.5 1.14 1.14 2.3 2.4 2.9',
  COS: '1.14',
  CUMSUM: '2.4',
  DENSIFY: '2.2',
  DEPTHWISE_CONV_2D: '1.5 1.12 1.14 2.2 2.3 2.3',
  DEPTH_TO_SPACE: '2.1 2.5',
  DEQUANTIZE: '1.13.1 1.14 1.15 2.2 2.7',
  DIV: '1.6 2.3',
  ELU: '1.14',
  EQUAL: '1.14 1.14 2.3',
  EXP: '1.7 2.12',
  FLOOR: '1.9',
  FLOOR_DIV: '1.14 1.14',
  FLOOR_MOD: '1.13',
  FULLY_CONNECTED: '1.5 1.10 1.14 1.14 2.0 2.1 2.3 2.3 2.3 2.11 2.15 2.17',
  GATHER: '1.6 1.14 1.15 2.4 2.5',
  GATHER_ND: '1.14 2.3 2.5',
  GELU: '2.9 2.9',
  GREATER: '1.14 1.14',
  GREATER_EQUAL: '1.14 1.14',
  HARD_SWISH: '1.15',
  LEAKY_RELU: '1.13.1 2.3',
  LESS: '1.14 1.14',
  LESS_EQUAL: '1.14 1.14',
  LOCAL_RESPONSE_NORMALIZATION: '1.5',
  LOG: '1.14',
  LOGICAL_AND: '1.11',
  LOGICAL_NOT: '1.11',
  LOGICAL_OR: '1.11',
  LOGISTIC: '1.14 1.14 2.3',
  LOG_SOFTMAX: '1.14 1.14',
  MAXIMUM: '1.14 1.14 2.3 2.3',
  MAX_POOL_2D: '1.5 1.14 2.3',
  MEAN: '1.6 1.14 2.4',
  MINIMUM: '1.14 1.14 2.3 2.3',
  MIRROR_PAD: '1.13.1 2.3',
  MUL: '1.5 1.14 1.15 2.3 2.6',
  NEG: '1.9',
  NOT_EQUAL: '1.14 1.14 2.3',
  ONE_HOT: '1.11',
  PAD: '1.5 1.14 2.4 2.6',
  PACK: '1.11 1.14 2.3',
  PADV2: '1.9 1.14 2.4 2.6',
  POW: '1.10',
  PRELU: '1.8',
  QUANTIZE: '1.14 1.15 2.7',
  REDUCE_ALL: '2.6',
  REDUCE_ANY: '1.11',
  REDUCE_MAX: '1.11 1.14 2.5',
  REDUCE_MIN: '1.11 1.14 2.5',
  REDUCE_PROD: '1.11 2.6',
  RELU: '1.5 2.1 2.5',
  RELU6: '1.5 1.14 2.5',
  RELU_N1_TO_1: '1.5',
  RESHAPE: '1.5',
  RESIZE_BILINEAR: '1.7 1.14 2.2 2.5',
  RESIZE_NEAREST_NEIGHBOR: '1.13.1 1.14 2.3 2.4',
  REVERSE_V2: '1.14 2.2 2.5',
  ROUND: '1.14',
  RSQRT: '1.10 2.5',
  SCATTER_ND: '2.1',
  SELECT_V2: '2.2',
  SHAPE: '1.10',
  SIGN: '2.12 2.12',
  SIN: '1.9',
  SLICE: '1.14 1.14 1.14 2.4 2.5',
  SOFTMAX: '1.5 1.14 2.3',
  SPLIT: '1.5 1.14 1.14 2.3',
  SPLIT_V: '1.13.1 2.3',
  SQRT: '1.10',
  SQUARE: '1.12',
  SQUARED_DIFFERENCE: '1.13.1 2.5',
  STRIDED_SLICE: '1.6 1.14 2.1 2.2 2.5 2.6',
  SUB: '1.6 1.14 2.3 2.4 2.4',
  SUM: '1.10 1.15',
  TANH: '1.14 1.14 2.3',
  TILE: '1.10.1 2.2 2.8',
  TOPK_V2: '1.7 1.14 2.13',
  TRANSPOSE: '1.6 1.14 1.15 2.3 2.4 2.12',
  TRANSPOSE_CONV: '1.9 2.2 2.3',
  UNSORTED_SEGMENT_SUM: '2.10',
};

/** The oldest runtime that has every operator, e.g. `2.3.0`. */
export function minimumRuntime(
  operators: Iterable<{ readonly op: BuiltinOperator; readonly version: number }>,
): string {
  let newest = [1, 5, 0];
  for (const { op, version } of operators) {
    const list = releases[op]?.split(' ') ?? [];
    const release = list[version - 1] ?? list.at(-1) ?? '1.5';
    const parts = [...release.split('.').map(Number), 0, 0].slice(0, 3);
    if (compare(parts, newest) > 0) newest = parts;
  }
  return newest.join('.');
}

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((part, at) => part !== b[at]);
  return i < 0 ? 0 : a[i]! - b[i]!;
}
