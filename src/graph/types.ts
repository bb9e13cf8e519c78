/**
 * The typed graph that everything else reads: what a trace writes, what passes rewrite, what the ONNX and TFLite writers
 * lower. It speaks tfjs' kernel vocabulary (`Conv2D`, `MaxPool`; NHWC activations, HWIO filters).
 */

export type DType = 'float32' | 'float16' | 'int32' | 'int64' | 'int16' | 'int8' | 'uint8' | 'bool';

/** An input or output as the file declares it; a name, or '' for none, stands for a size that varies. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

/** A size: known, the batch size, or a multiple of it (`'49*batch'`, from a reshape that folds other axes into it). */
export type Dim = number | 'batch' | `${number}*batch`;
export type Shape = readonly Dim[];

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

export type AttrValue = number | boolean | string | readonly number[] | readonly Dim[];
export type Attrs = Readonly<Record<string, AttrValue>>;

/** One operation. `inputs` and `outputs` are value names; an optional input that is absent is `''`. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attrs: Attrs;
  readonly outputs: readonly string[];
  /** The place in the model that it comes from (layer names, outermost first, joined by `/`): for messages, never for meaning. */
  readonly layer?: string;
}

/** Values in row-major order. `bool` is a Uint8Array of 0 and 1, `float16` a Uint16Array of IEEE 754 binary16 bits. */
export type TensorData = Float32Array | Int32Array | BigInt64Array | Int16Array | Int8Array | Uint8Array | Uint16Array;

export interface Constant {
  readonly type: TensorType;
  readonly data: TensorData;
}

/**
 * `inputs` are fed anew at every call; `state` persists between calls and is replaced by `updates` (state name to the
 * value that becomes its next content) when a call ends; `outputs` are handed back. Nodes are in topological order and
 * each value name is bound once. `types` holds the type of every value.
 */
export interface Graph {
  readonly inputs: ReadonlyMap<string, TensorType>;
  readonly state: ReadonlyMap<string, TensorType>;
  readonly constants: ReadonlyMap<string, Constant>;
  readonly nodes: readonly Node[];
  readonly outputs: ReadonlyMap<string, string>;
  readonly updates: ReadonlyMap<string, string>;
  readonly types: ReadonlyMap<string, TensorType>;
}
