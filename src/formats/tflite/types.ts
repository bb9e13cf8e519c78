import type { Fields } from './schema/notation.ts';

/** A `.tflite` file in memory, a member for each field of the format's schema; absent vectors and tables are left out. */
export interface TfliteModel {
  readonly version: number;
  readonly description?: string;
  readonly operatorCodes: readonly OperatorCode[];
  readonly subgraphs: readonly Subgraph[];
  readonly buffers: readonly TfliteBuffer[];
  readonly metadata?: readonly NamedBuffer[];
  readonly signatureDefs?: readonly SignatureDef[];
}

export interface OperatorCode {
  /** The number if it fits into 7 bits, else 127; readers before 2020 use only this field. */
  readonly deprecatedBuiltinCode: number;
  readonly customCode?: string;
  readonly version: number;
  readonly builtinCode: number;
}

export interface Subgraph {
  readonly name?: string;
  readonly tensors: readonly TfliteTensor[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly Operator[];
}

export interface TfliteTensor {
  readonly name: string;
  readonly shape?: readonly number[];
  /** Shape with -1 for variable sizes. */
  readonly shapeSignature?: readonly number[];
  readonly hasRank?: boolean;
  readonly type: number;
  /** Index into `buffers`; 0, the empty buffer, for computed tensors. */
  readonly buffer: number;
  readonly quantization?: TensorQuantizationFields;
  readonly isVariable?: boolean;
  readonly sparsity?: Fields;
}

export interface TensorQuantizationFields {
  readonly min?: readonly number[];
  readonly max?: readonly number[];
  readonly scale?: readonly number[];
  readonly zeroPoint?: readonly bigint[];
  readonly quantizedDimension?: number;
  readonly details?: Fields;
}

export interface Operator {
  readonly opcodeIndex: number;
  /** Tensor indexes; -1 for an absent optional input. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** The options table with its name in `type$`. */
  readonly builtinOptions?: Fields;
  readonly builtinOptions2?: Fields;
  readonly customOptions?: Uint8Array;
}

export interface TfliteBuffer {
  readonly data?: Uint8Array;
}

interface NamedBuffer {
  readonly name: string;
  readonly buffer: number;
}

interface SignatureDef {
  readonly signatureKey: string;
  readonly inputs: readonly TensorMap[];
  readonly outputs: readonly TensorMap[];
  readonly subgraphIndex?: number;
}

interface TensorMap {
  readonly name: string;
  readonly tensorIndex: number;
}
