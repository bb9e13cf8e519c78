/**
 * The typed graph: traces produce it, passes rewrite it, and the ONNX and TFLite writers lower it. It uses tfjs' kernel vocabulary (`Conv2D`,
 * `MaxPool`; NHWC activations, HWIO filters).
 */

export type DType = 'float32' | 'float16' | 'int32' | 'int64' | 'int16' | 'int8' | 'uint8' | 'bool';

/** An input or output as the file declares it; a name, or '', stands for a variable size. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

/** A fixed size, the batch size, or a multiple of it (`'49*batch'`, from a reshape that folds other axes into it). */
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
  /** Place in the model (layer names, outermost first, joined by `/`), for messages only. */
  readonly layer?: string;
}

/** Values in row-major order. `bool` is a Uint8Array of 0 and 1, `float16` a Uint16Array of IEEE 754 binary16 bits. */
export type TensorData = Float32Array | Int32Array | BigInt64Array | Int16Array | Int8Array | Uint8Array | Uint16Array;

export interface Constant {
  readonly type: TensorType;
  readonly data: TensorData;
}

/**
 * `inputs` are fed in every call; `state` persists between calls and is replaced by `updates` (state name to the value of its next content) at the
 * end of a call; `outputs` are returned. Nodes are in topological order and each value name is bound once. `types` has the type of every value.
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
