import type { DType, TensorData } from '../../graph/types.ts';

/** An ONNX model in memory: the used parts of onnx.proto, without protobuf's types. */
export interface Model {
  readonly irVersion: number;
  /** Operator set versions by domain; `''` is ONNX' own. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly graph: OnnxGraph;
  readonly metadata: ReadonlyMap<string, string>;
  /** Model-local functions, kept unchanged. */
  readonly functions: readonly OnnxFunction[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly valueInfos: readonly ValueInfo[];
  /** Notes of the exporter, which are read but not written; absent if there are none. */
  readonly metadata?: ReadonlyMap<string, string>;
}

export interface OnnxNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: ReadonlyMap<string, OnnxAttr>;
  /** Notes of the exporter, which are read but not written; absent if there are none. */
  readonly metadata?: ReadonlyMap<string, string>;
}

/** Ops that only reshape their operand, or pass it on. */
export const RESHAPING: readonly string[] = ['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'];

export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly bytes: Uint8Array;
}

/** A 64-bit integer: a number if that is exact, else a bigint. */
export type Int64 = number | bigint;

export type OnnxAttr =
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'int'; readonly value: Int64 }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'tensor'; readonly value: OnnxTensor }
  | { readonly type: 'graph'; readonly value: OnnxGraph }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'ints'; readonly value: readonly Int64[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensors'; readonly value: readonly OnnxTensor[] }
  | { readonly type: 'graphs'; readonly value: readonly OnnxGraph[] }
  /** In a function: takes the value of the function's own attribute. */
  | { readonly type: 'reference'; readonly value: string; readonly attrType: number }
  /** A type or a sparse tensor, kept unchanged: fields by number. */
  | {
      readonly type: 'other';
      readonly value: readonly (readonly [field: number, bytes: Uint8Array])[];
      readonly attrType: number;
    };

/** Element types by their number in `TensorProto.DataType`. */
export const dataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
} as const;

export type OnnxDType = keyof typeof dataTypes;

const bits: Partial<Record<OnnxDType, number>> = {
  float32: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  bool: 8,
  float16: 16,
  float64: 64,
  uint32: 32,
  uint64: 64,
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  uint4: 4,
  int4: 4,
  float4e2m1: 4,
  float8e8m0: 8,
  uint2: 2,
  int2: 2,
};

/** `raw` is little-endian, row-major; 4-bit types hold two elements a byte, the first in the low half. Of a file of weights it is read at each use. */
export interface OnnxTensor {
  readonly name: string;
  readonly dtype: OnnxDType;
  readonly dims: readonly number[];
  readonly raw: Uint8Array;
  /** Elements of a string tensor, whose `raw` is empty. */
  readonly strings?: readonly string[];
}

/** Bytes of a tensor's values, which are not read. */
export function tensorBytes({ dtype, dims, strings }: OnnxTensor): number {
  return strings === undefined ? byteLength(dtype, elementCount(dims)) : 0;
}

/** A size: a number, a symbol, or null for unknown. */
export type OnnxDim = number | string | null;

export interface ValueInfo {
  readonly name: string;
  readonly dtype?: OnnxDType;
  /** Absent: unknown rank. */
  readonly dims?: readonly OnnxDim[];
  /** A type that is no tensor (sequence, map, optional), kept unchanged. */
  readonly otherType?: Uint8Array;
  /** Notes of the exporter; absent if there are none. */
  readonly metadata?: ReadonlyMap<string, string>;
}

export function byteLength(dtype: OnnxDType, elements: number): number {
  return Math.ceil((elements * (bits[dtype] ?? 0)) / 8);
}

export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Stored tensors of a graph by value name: initializers, and Constant nodes, in which some exporters store weights. */
export function storedTensors({ initializers, nodes }: OnnxGraph): Map<string, OnnxTensor> {
  const stored = new Map(initializers.map((tensor) => [tensor.name, tensor]));
  for (const { op, domain, outputs, attrs } of nodes) {
    const value = attrs.get('value');
    const isConstant = op === 'Constant' && (domain === '' || domain === 'ai.onnx');
    if (isConstant && value?.type === 'tensor') stored.set(outputs[0]!, value.value);
  }
  return stored;
}

/** Attributes with learned numbers in nodes of ai.onnx.ml, by their specification; `_as_tensor` in float64. */
const LEARNT = [
  ...['nodes_values', 'target_weights', 'class_weights'].flatMap((name) => [name, `${name}_as_tensor`]),
  'nodes_splits',
  'leaf_weights',
  'coefficients',
  'intercepts',
  'support_vectors',
  'rho',
];

/**
 * Number of learned values of a node: thresholds and leaves of trees, coefficients. A leaf also has an entry among the thresholds, which does not
 * count.
 */
function learntIn({ domain, attrs }: OnnxNode): number {
  if (domain !== 'ai.onnx.ml') return 0;
  const modes = attrs.get('nodes_modes');
  const isBefore5 = modes?.type === 'strings';
  const leaves = isBefore5 ? modes.value.filter((mode) => mode === 'LEAF').length : 0;
  const counts = LEARNT.map((name) => {
    const attr = attrs.get(name);
    return attr?.type === 'floats' ? attr.value.length : attr?.type === 'tensor' ? elementCount(attr.value.dims) : 0;
  });
  return counts.reduce((sum, count) => sum + count, 0) - leaves;
}

/** Number of parameters: stored float elements, 8-bit integers, which are quantized floats, and learned values of trees and linear models. */
export function parameterCount(graph: OnnxGraph): number {
  const isInitializer = new Set(graph.initializers.map(({ name }) => name));
  return (
    [...storedTensors(graph)]
      .filter(([, { dtype }]) => /^(?:float|bfloat)/.test(dtype) || dtype.endsWith('int8'))
      // A scalar Constant is a number in a formula, such as the 2 of a square.
      .filter(([name, { dims }]) => isInitializer.has(name) || dims.length > 0)
      .reduce((sum, [, { dims }]) => sum + elementCount(dims), 0) +
    graph.nodes.reduce((sum, node) => sum + learntIn(node), 0)
  );
}

/** A tensor over `data`, without a copy. */
export function tensor(name: string, dtype: DType, dims: readonly number[], data: TensorData): OnnxTensor {
  return { name, dtype, dims, raw: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

const views = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float64: Float64Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
} as const;

export type OnnxData = InstanceType<(typeof views)[keyof typeof views]>;

/** Elements of a tensor, copied if `raw` is not aligned; undefined for types without a typed array. */
export function tensorData(t: OnnxTensor): OnnxData | undefined {
  if (!Object.hasOwn(views, t.dtype)) return undefined;
  const View = views[t.dtype as keyof typeof views];
  const aligned = t.raw.byteOffset % View.BYTES_PER_ELEMENT === 0 ? t.raw : new Uint8Array(t.raw);
  return new View(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / View.BYTES_PER_ELEMENT);
}
