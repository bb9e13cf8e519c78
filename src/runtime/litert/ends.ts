import { UserError } from '../../base/errors.ts';
import { tensorTypes } from '../../formats/tflite/schema/tensor-types.ts';
import type { TfliteModel } from '../../formats/tflite/types.ts';
import { integerRange } from '../../graph/quantization.ts';
import type { DType, TensorData } from '../../graph/types.ts';
import { arrays } from '../../graph/arrays.ts';

/** An input or output of a model. */
export interface TfliteEnd {
  readonly name: string;
  readonly dtype: DType;
  /** -1 for a variable size. */
  readonly shape: readonly number[];
  /** Quantized integers: real = scale · (stored - zeroPoint). */
  readonly quantization?: { readonly scale: number; readonly zeroPoint: number };
}

export interface TfliteEnds {
  readonly inputs: readonly TfliteEnd[];
  readonly outputs: readonly TfliteEnd[];
}

/**
 * Inputs and outputs in the order of the main subgraph, named by its signature or else by the tensors. `UserError` for a type without a typed array,
 * such as strings.
 */
export function modelEnds(model: TfliteModel): TfliteEnds {
  const main = model.subgraphs[0];
  if (main === undefined) throw new UserError('the TFLite file has no graph', 'Export the model again.');
  const signature = model.signatureDefs?.find(({ subgraphIndex }) => (subgraphIndex ?? 0) === 0);
  const describe = (index: number, labels: readonly { name: string; tensorIndex: number }[] = []): TfliteEnd => {
    const tensor = main.tensors[index]!;
    const { scale, zeroPoint } = tensor.quantization ?? {};
    const name = labels.find(({ tensorIndex }) => tensorIndex === index)?.name ?? tensor.name;
    return {
      name,
      dtype: runnable(name, tensorTypes[tensor.type] ?? `of type ${tensor.type}`),
      shape: tensor.shapeSignature ?? tensor.shape ?? [],
      ...(scale?.length === 1 ? { quantization: { scale: scale[0]!, zeroPoint: Number(zeroPoint?.[0] ?? 0) } } : {}),
    };
  };
  return {
    inputs: main.inputs.map((index) => describe(index, signature?.inputs)),
    outputs: main.outputs.map((index) => describe(index, signature?.outputs)),
  };
}

function runnable(name: string, type: string): DType {
  if (Object.hasOwn(arrays, type)) return type as DType;
  throw new UserError(
    `${name} is ${type}, a type that cannot be run here`,
    `Use a model whose inputs and outputs are ${Object.keys(arrays).join(', ')}; limbeck inspect shows models of all types.`,
  );
}

/** Raw bytes as values of a type. */
export function asValues(dtype: DType, buffer: ArrayBuffer): TensorData {
  return new arrays[dtype](buffer);
}

/** A value to feed; `batch`: size of the open axis, 1 without one. */
export interface FedValue {
  readonly data: TensorData;
  readonly shape: number[];
  readonly batch: number;
}

/** Checks the value for an input, and determines its concrete shape. */
export function fed(end: TfliteEnd, feeds: Readonly<Record<string, TensorData>>): FedValue {
  const data = feeds[end.name];
  if (data === undefined) throw new Error(`input ${end.name} is not fed`);
  if (data.constructor.name !== arrays[end.dtype].name)
    throw new Error(`input ${end.name} is ${end.dtype}, received a ${data.constructor.name}`);
  const fixed = end.shape.reduce((product, size) => (size < 0 ? product : product * size), 1);
  const open = end.shape.filter((size) => size < 0).length;
  const batch = data.length / fixed;
  if (open > 1 || !Number.isInteger(batch) || (open === 0 && batch !== 1))
    throw new Error(`input ${end.name} has the shape [${end.shape.join(', ')}], received ${data.length} values`);
  return { data, shape: end.shape.map((size) => (size < 0 ? batch : size)), batch };
}

/** Real numbers in an input's type: quantized if the input is. */
export function toStored(values: Float32Array, { name, dtype, quantization }: TfliteEnd): TensorData {
  if (dtype === 'float32') return values;
  if (quantization === undefined || !isRounded(dtype))
    throw new UserError(
      `input ${name} is ${dtype} without a scale`,
      'Use a model that takes float32 or quantized values.',
    );
  const { scale, zeroPoint } = quantization;
  const [first, last] = integerRange[dtype];
  const stored = values.map((value) => Math.min(last, Math.max(first, Math.round(value / scale) + zeroPoint)));
  return new arrays[dtype](stored);
}

/** Real numbers from an output's type. */
export function fromStored(values: TensorData, { dtype, quantization }: TfliteEnd): Float32Array {
  if (dtype === 'float32') return values as Float32Array;
  const { scale, zeroPoint } = quantization ?? { scale: 1, zeroPoint: 0 };
  return Float32Array.from(values as Int8Array, (value) => scale * (value - zeroPoint));
}

function isRounded(dtype: DType): dtype is 'int8' | 'uint8' | 'int16' {
  return dtype === 'int8' || dtype === 'uint8' || dtype === 'int16';
}
