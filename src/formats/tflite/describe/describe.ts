import { associatedNames } from '../metadata/archive.ts';
import { layerMacs } from './macs.ts';
import { decodeMetadata } from '../metadata/metadata.ts';
import { integerRules } from '../quantize/rules.ts';
import { readTflite } from '../read.ts';
import { codeNumber, runtimeOf } from '../runtime.ts';
import type { NeededRuntime } from '../runtime.ts';
import type { Fields } from '../schema/notation.ts';
import { builtinOperators } from '../schema/operators.ts';
import { tensorTypes, typeBits } from '../schema/tensor-types.ts';
import { sizesByContent } from './sizes.ts';
import type { SizesByContent } from './sizes.ts';
import type { Subgraph, TfliteModel, TfliteTensor } from '../types.ts';

export interface TensorDescription {
  readonly name: string;
  readonly dtype: string;
  /** -1 for a variable size. */
  readonly shape: readonly number[];
  readonly quantization?: { readonly scales: number; readonly scale: number; readonly zeroPoint: number };
}

interface LayerDescription {
  readonly op: string;
  readonly version: number;
  readonly name: string;
  readonly output: readonly number[];
  /** Types of the computation: the activations', and the weights' if it differs, as in `float32 × int8`. */
  readonly precision: string;
  readonly weightBytes: number;
  /** Bytes of its outputs; a size that the file leaves open is the size that it stores, mostly 1. Null for types without a fixed size. */
  readonly outputBytes: number | null;
  /** Multiply-accumulates of convolutions, matrix products and LSTMs; null if unknown. */
  readonly macs: number | null;
}

export interface TfliteDescription extends NeededRuntime {
  readonly format: 'tflite';
  readonly fileBytes: number;
  readonly weightBytes: number;
  /** Bytes of the whole file by content. */
  readonly sizes: SizesByContent;
  readonly description: string;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  readonly signatures: readonly string[];
  readonly operators: Readonly<Record<string, number>>;
  readonly layers: readonly LayerDescription[];
  /** Multiply-accumulates of the layers that are counted. */
  readonly macs: number;
  /** Operators that `macs` excludes, and the number of further subgraphs. */
  readonly uncounted: { readonly operators: readonly string[]; readonly subgraphs: number };
  /** The model metadata table, and the names of files archived after the model. */
  readonly metadata: Fields | undefined;
  readonly files: readonly string[];
}

/**
 * Describes a `.tflite` file for people. `UserError` for other files. `shapes`: of computed tensors and inputs, by index; sizes that the file leaves
 * open are otherwise those that it stores, mostly 1.
 */
export function describeTflite(
  bytes: Uint8Array,
  shapes: ReadonlyMap<number, readonly number[]> = new Map(),
): TfliteDescription {
  const model = readTflite(bytes);
  const stated = model.subgraphs[0] ?? { tensors: [], inputs: [], outputs: [], operators: [] };
  const main = {
    ...stated,
    tensors: stated.tensors.map((tensor, i) => {
      const shape = shapes.get(i);
      return shape === undefined ? tensor : sizedTensor(tensor, shape);
    }),
  };
  const stored = storedAs(model, main);
  const layers = main.operators.map((operator) => describeLayer(model, main, operator, stored));
  const counts: Record<string, number> = {};
  for (const { op } of layers) counts[op] = (counts[op] ?? 0) + 1;
  const used = new Set(model.subgraphs.flatMap(({ tensors }) => tensors.map(({ buffer }) => buffer)));
  return {
    format: 'tflite',
    fileBytes: bytes.length,
    weightBytes: [...used].reduce((sum, index) => sum + (model.buffers[index]?.data?.length ?? 0), 0),
    sizes: sizesByContent(
      bytes,
      (model.metadata ?? []).map(({ buffer }) => buffer),
    ),
    description: model.description ?? '',
    inputs: stated.inputs.map((index) => describeTensor(stated.tensors[index]!)),
    outputs: stated.outputs.map((index) => describeTensor(stated.tensors[index]!)),
    signatures: (model.signatureDefs ?? []).map(({ signatureKey }) => signatureKey),
    operators: counts,
    layers,
    macs: layers.reduce((sum, { macs }) => sum + (macs ?? 0), 0),
    uncounted: {
      operators: [...new Set(layers.filter(({ macs }) => macs === null).map(({ op }) => op))],
      subgraphs: Math.max(0, model.subgraphs.length - 1),
    },
    ...runtimeOf(model),
    metadata: decodeMetadata(model),
    files: associatedNames(bytes),
  };
}

/** The tensor with this shape, none of whose sizes is open. */
export function sizedTensor(
  tensor: TfliteTensor,
  shape: readonly number[],
): TfliteTensor & { readonly shape: readonly number[] } {
  const sized: { -readonly [key in keyof TfliteTensor]: TfliteTensor[key] } & { shape: readonly number[] } = {
    ...tensor,
    shape,
  };
  delete sized.shapeSignature;
  return sized;
}

/** Stored constant for each value that a DEQUANTIZE or DENSIFY makes from one. */
function storedAs(model: TfliteModel, { operators, tensors }: Subgraph): ReadonlyMap<TfliteTensor, TfliteTensor> {
  const widening = [builtinOperators.indexOf('DEQUANTIZE'), builtinOperators.indexOf('DENSIFY')];
  return new Map(
    operators
      .filter(({ opcodeIndex }) => widening.includes(codeNumber(model.operatorCodes[opcodeIndex]!)))
      .flatMap(({ inputs, outputs }) => {
        const [wide, narrow] = [tensors[outputs[0] ?? -1], tensors[inputs[0] ?? -1]];
        return wide === undefined || narrow === undefined ? [] : [[wide, narrow] as const];
      }),
  );
}

function describeTensor({ name, type, shape, shapeSignature, quantization }: TfliteTensor): TensorDescription {
  const { scale, zeroPoint } = quantization ?? {};
  return {
    name,
    dtype: tensorTypes[type] ?? `type ${type}`,
    shape: shapeSignature ?? shape ?? [],
    ...(scale === undefined || scale.length === 0
      ? {}
      : { quantization: { scales: scale.length, scale: scale[0]!, zeroPoint: Number(zeroPoint?.[0] ?? 0) } }),
  };
}

function describeLayer(
  model: TfliteModel,
  { tensors }: Subgraph,
  operator: Subgraph['operators'][0],
  stored: ReadonlyMap<TfliteTensor, TfliteTensor>,
): LayerDescription {
  const code = model.operatorCodes[operator.opcodeIndex]!;
  const number = codeNumber(code);
  const op = code.customCode ?? builtinOperators[number] ?? `operator ${number}`;
  const isWeighted = integerRules.get(op) === 'weights';
  const isConstant = ({ buffer }: TfliteTensor): boolean => (model.buffers[buffer]?.data?.length ?? 0) > 0;
  const places = operator.inputs.map((index) => {
    const tensor = tensors[index];
    const constant = tensor && stored.get(tensor);
    return constant !== undefined && isConstant(constant) && isWeighted ? constant : tensor;
  });
  const inputs = places.filter((tensor) => tensor !== undefined);
  const output = tensors[operator.outputs[0] ?? -1];
  const computed = places[COMPUTED[op] ?? -1] ?? inputs.find((input) => !isConstant(input));
  const activation = tensorTypes[computed?.type ?? output?.type ?? 0] ?? '?';
  const weight = isWeighted ? tensorTypes[inputs[1]?.type ?? 0] : undefined;
  return {
    op,
    version: code.version,
    name: output?.name ?? '',
    output: output?.shapeSignature ?? output?.shape ?? [],
    precision: weight === undefined || weight === activation ? activation : `${activation} × ${weight}`,
    weightBytes: inputs.reduce((sum, { buffer }) => sum + (model.buffers[buffer]?.data?.length ?? 0), 0),
    outputBytes: operator.outputs.reduce<number | null>((sum, index) => added(sum, bytesOf(tensors[index])), 0),
    macs: layerMacs(code.customCode === undefined ? op : 'CUSTOM', places, output, operator.builtinOptions),
  };
}

/** Bytes of a tensor; null for types without a fixed size. */
function bytesOf(tensor: TfliteTensor | undefined): number | null {
  const bits = typeBits[tensorTypes[tensor?.type ?? 0]!];
  if (bits === undefined) return null;
  return Math.ceil(((tensor?.shape ?? []).reduce((product, size) => product * Math.max(1, size), 1) * bits) / 8);
}

const added = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

/** Index of the data input, if it is not the first input that is no constant. */
const COMPUTED: Readonly<Record<string, number>> = { TRANSPOSE_CONV: 2, GATHER: 0, GATHER_ND: 0, EMBEDDING_LOOKUP: 1 };
