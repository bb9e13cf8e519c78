import { UserError } from '../../../src/base/errors.ts';
import type { TensorData } from '../../../src/graph/types.ts';
import type { TfliteModel, TfliteTensor } from '../../../src/formats/tflite/types.ts';
import type { TfliteType } from '../../../src/formats/tflite/schema/tensor-types.ts';
import { tensorTypes } from '../../../src/formats/tflite/schema/tensor-types.ts';
import { fromHalfArray } from '../../../src/base/bytes.ts';

/** A tensor of a `.tflite` file with its values, as stored: integers for a quantized one. */
export interface Simulated {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TfliteType;
  readonly data: TensorData;
  /** Empty where the tensor is not quantized; one for each slice along `axis`, or one for all. */
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
}

/** A tensor before it is computed. */
export type Declared = Omit<Simulated, 'data'>;

export function declared({ name, shape, shapeSignature, type, quantization }: TfliteTensor): Declared {
  if (shapeSignature?.includes(-1))
    throw new UserError(`tensor ${name} has no fixed shape`, 'Export with a fixed batch size to simulate the model.');
  return {
    name,
    shape: shape ?? [],
    type: tensorTypes[type] ?? 'variant',
    scales: quantization?.scale ?? [],
    zeroPoints: (quantization?.zeroPoint ?? []).map(Number),
    axis: quantization?.quantizedDimension ?? 0,
  };
}

/** The values of a constant, or undefined for a tensor that is computed. */
export function constantOf(model: TfliteModel, { buffer, ...tensor }: TfliteTensor): Simulated | undefined {
  const bytes = model.buffers[buffer]?.data;
  if (bytes === undefined || bytes.length === 0) return undefined;
  const what = declared({ buffer, ...tensor });
  // Buffers of a file need not lie where typed arrays may start.
  const raw = bytes.slice().buffer;
  return {
    ...what,
    ...(what.type === 'float16' ? { data: fromHalfArray(new Uint16Array(raw)) } : { data: view(raw, what) }),
  };
}

function view(raw: ArrayBuffer, { type, name }: Declared): TensorData {
  switch (type) {
    case 'float32':
      return new Float32Array(raw);
    case 'int32':
      return new Int32Array(raw);
    case 'int8':
      return new Int8Array(raw);
    case 'int16':
      return new Int16Array(raw);
    case 'uint8':
    case 'bool':
      return new Uint8Array(raw);
    case 'int64':
      return new BigInt64Array(raw);
    default:
      throw notSimulated(type, name);
  }
}

function notSimulated(type: string, name: string): UserError {
  return new UserError(
    `tensor ${name} is of type ${type}, which is not simulated`,
    'Simulate a float32 or int8 model.',
  );
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Zeros for the values of a tensor. */
export function emptyData({ type, shape, name }: Declared): Exclude<TensorData, BigInt64Array> {
  const length = sizeOf(shape);
  switch (type) {
    case 'float32':
    case 'float16':
      return new Float32Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'int8':
      return new Int8Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
    default:
      throw notSimulated(type, name);
  }
}
