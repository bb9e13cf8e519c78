import { atFile, UserError } from '../base/errors.ts';
import { describeOnnxLayers } from '../formats/onnx/describe.ts';
import type { OnnxLayer } from '../formats/onnx/describe.ts';
import { parameterCount, storedTensors } from '../formats/onnx/model.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import { describeTflite } from '../formats/tflite/describe/describe.ts';
import type { TensorDescription, TfliteDescription } from '../formats/tflite/describe/describe.ts';
import { readEntries } from '../formats/tflite/metadata/entries.ts';
import { readTflite } from '../formats/tflite/read.ts';
import { runtimeSentence } from '../formats/tflite/runtime.ts';
import type { TfliteModel } from '../formats/tflite/types.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import { seenShapes } from '../runtime/litert/seen-shapes.ts';
import { seenTypes } from '../runtime/onnxruntime/value-types.ts';
import type { SeenTypes } from '../runtime/onnxruntime/value-types.ts';
import { acceptedIn } from '../ship/convert/card.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';

/** Result for machines, and as text. */
export interface Inspection {
  readonly value: unknown;
  readonly text: string;
}

type Layer = OnnxLayer | TfliteDescription['layers'][number];

/** Describes an ONNX model. `kind`: what people call the file. */
export function inspectOnnx(bytes: OnnxContent, file: string, kind = 'ONNX'): Inspection {
  const model = decodeModel(bytes, file);
  const { graph, opsets, producerName, irVersion } = model;
  const weights = new Set(graph.initializers.map(({ name }) => name));
  const parameters = parameterCount(graph);
  const { types, fed, problem } = seenTypes(model, file);
  const layers = describeOnnxLayers(model, types);
  const end = ({ name, dtype, dims }: (typeof graph.inputs)[number]) => ({ name, dtype, dims });
  const value = {
    file,
    format: 'onnx',
    bytes: bytes.length,
    weightBytes: [...storedTensors(graph).values()].reduce((sum, { raw }) => sum + raw.length, 0),
    producer: producerName,
    irVersion,
    opsets: Object.fromEntries([...opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    metadata: Object.fromEntries(model.metadata),
    parameters,
    // Layers are counted with the shapes of a run; without a run they are unknown.
    macs: problem === undefined ? total(layers) : null,
    /** Shapes of the inputs that `macs` and `layers` refer to. */
    shapes: Object.fromEntries([...fed].map(([name, { dims }]) => [name, dims])),
    inputs: graph.inputs.filter(({ name }) => !weights.has(name)).map(end),
    outputs: graph.outputs.map(end),
    ops: counted(layers),
    layers,
  };
  const shown = ({ name, dtype, dims }: (typeof value.inputs)[number]): string =>
    `${name} ${dtype ?? '?'}[${(dims ?? []).map((dim) => dim ?? '?').join(', ')}]`;
  const text = [
    `${file}: ${kind}, ${bytes.length} bytes, ${parameters} parameters, from ${producerName || 'an unnamed producer'}`,
    `  ${value.weightBytes} bytes of weights, ${value.macs ?? 'an unknown number of'} MACs ${occasion(fed)}`,
    `  IR version ${irVersion}, opsets ${Object.entries(value.opsets)
      .map((opset) => opset.join(' '))
      .join(', ')}`,
    ...value.inputs.map((input) => `  input   ${shown(input)}`),
    ...value.outputs.map((output) => `  output  ${shown(output)}`),
    ...Object.entries(value.metadata).map(([key, content]) => `  ${key}: ${content.slice(0, 200)}`),
    ...acceptedRows(model.metadata),
    ...(problem === undefined ? [] : [`  shapes and MACs are not known: ${problem}`]),
    ...operatorRows(value.ops),
    ...layerRows(layers),
    '',
  ].join('\n');
  return { value, text };
}

/** Sentence on the call that the figures refer to: one sample, several, or assumed sizes. */
function occasion(fed: SeenTypes['fed']): string {
  const inputs = [...fed];
  const isOpen = inputs.some(([, { open }]) => open.some((axis) => axis > 0));
  if (!isOpen && inputs.every(([, { dims }]) => (dims[0] ?? 1) === 1)) return 'for one sample';
  const shapes = inputs.map(([name, { dims }]) => `${name} [${dims.join(', ')}]`).join(' and ');
  return `for a call with ${shapes}${isOpen ? ': sizes that the file leaves open are 1 here, --shape says others' : ''}`;
}

/** Describes a TFLite file. `shapes`: of inputs that it leaves open. */
export async function inspectTflite(
  bytes: Uint8Array,
  file: string,
  shapes: InputShapes = new Map(),
): Promise<Inspection> {
  const { model, entries } = atFile(file, () => {
    const model = readTflite(bytes);
    return { model, entries: readEntries(model, bytes) };
  });
  const sizes = tfliteSizes(model, shapes, file);
  const { shapes: seen, problem } = await seenShapes(model, sizes);
  const described = describeTflite(bytes, new Map([...sizes, ...seen]));
  const unknown = { macs: null, layers: described.layers.map((layer) => ({ ...layer, macs: null })) };
  const description = problem === undefined ? described : { ...described, ...unknown };
  const { fileBytes, weightBytes, operators, layers, macs, ...rest } = description;
  const { inputs, outputs, signatures, metadata, files } = rest;
  const text = [
    `${file}: TFLite, ${fileBytes} bytes${rest.description === '' ? '' : `, ${JSON.stringify(rest.description)}`}`,
    `  ${weightBytes} bytes of weights, ${macs ?? 'an unknown number of'} MACs ${occasion(fedInputs(model, sizes))}${without(rest.uncounted)}`,
    `  bytes   ${Object.entries(rest.sizes)
      .map((part) => part.join(' '))
      .join(', ')}`,
    `  ${runtimeSentence(rest)}`,
    ...inputs.map((input) => `  input   ${tensorText(input)}`),
    ...outputs.map((output) => `  output  ${tensorText(output)}`),
    ...signatures.map((name) => `  signature ${name}`),
    ...(metadata === undefined ? [] : [`  metadata ${JSON.stringify(metadata, bigint)}`]),
    ...(files.length === 0 ? [] : [`  files   ${files.join(', ')}`]),
    ...[...entries].map(([key, content]) => `  ${key}: ${content.slice(0, 200)}`),
    ...acceptedRows(entries),
    ...(problem === undefined
      ? []
      : [
          `  MACs are not known: the file leaves sizes open, and a copy of it that tells them does not run: ${problem}`,
        ]),
    ...operatorRows(operators),
    ...layerRows(layers),
    '',
  ].join('\n');
  const value = { file, ...description, entries: Object.fromEntries(entries) };
  return { value: JSON.parse(JSON.stringify(value, bigint)) as unknown, text };
}

/** Shapes of inputs by their index. `UserError` for an unknown input, and for a shape that does not fit it. */
function tfliteSizes(model: TfliteModel, shapes: InputShapes, file: string): Map<number, readonly number[]> {
  const { inputs = [], tensors = [] } = model.subgraphs[0] ?? {};
  const sizes = [...shapes].map(([name, shape]) => {
    const index = inputs.find((at) => tensors[at]!.name === name);
    const names = inputs.map((at) => tensors[at]!.name).join(', ');
    if (index === undefined)
      throw new UserError(`${file}: --shape names ${name}, which is not an input`, `Its inputs are ${names}.`);
    const own = tensors[index]!.shapeSignature ?? tensors[index]!.shape ?? [];
    const given = 'value' in shape ? [] : shape.map((size) => (size === 'batch' ? 1 : size));
    const fits = given.length === own.length && own.every((size, axis) => size < 0 || size === given[axis]);
    if (!fits)
      throw new UserError(
        `${file}: input ${name} is [${own.map((size) => (size < 0 ? '?' : size)).join(', ')}], received ${'value' in shape ? `the value ${shape.value}` : `[${given.join(', ')}]`}`,
        'Give a size for each ? with --shape, and the other sizes as they are.',
      );
    return [index, given] as const;
  });
  return new Map(sizes);
}

/** Inputs as they are fed where MACs are counted. */
function fedInputs(model: TfliteModel, sizes: ReadonlyMap<number, readonly number[]>): SeenTypes['fed'] {
  const { inputs = [], tensors = [] } = model.subgraphs[0] ?? {};
  return new Map(
    inputs.map((index) => {
      const { name, shape = [], shapeSignature = [] } = tensors[index]!;
      const open = sizes.has(index) ? [] : shapeSignature.flatMap((size, axis) => (size < 0 ? [axis] : []));
      return [name, { dims: sizes.get(index) ?? shape, open }];
    }),
  );
}

/** Notes in the metadata of a file that was written although it differs from its source beyond its budget. */
function acceptedRows(metadata: ReadonlyMap<string, string>): string[] {
  return acceptedIn(metadata).map((beyond) => `  accepted although beyond its budget: ${beyond}`);
}

function without({ operators, subgraphs }: TfliteDescription['uncounted']): string {
  const parts = [...operators, ...(subgraphs === 0 ? [] : [`${subgraphs} more subgraph${subgraphs === 1 ? '' : 's'}`])];
  return parts.length === 0 ? '' : `, not counting ${parts.join(', ')}`;
}

/** JSON has no 64-bit integers. */
function bigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function tensorText({ name, dtype, shape, quantization }: TensorDescription): string {
  const sizes = shape.map((size) => (size < 0 ? '?' : size)).join(', ');
  if (quantization === undefined) return `${name} ${dtype}[${sizes}]`;
  const { scales, scale, zeroPoint } = quantization;
  const scaled = scales === 1 ? `scale ${scale}, zero point ${zeroPoint}` : `${scales} scales`;
  return `${name} ${dtype}[${sizes}], ${scaled}`;
}

function counted(layers: readonly Layer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of layers) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

function total(layers: readonly Layer[]): number {
  return layers.reduce((sum, { macs }) => sum + (macs ?? 0), 0);
}

function operatorRows(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([op, count]) => `  ${String(count).padStart(6)}  ${op}`);
}

const LONGEST_NAME = 48;

function layerRows(layers: readonly Layer[]): string[] {
  const rows = layers.map((layer) => [
    'version' in layer ? `${layer.op} v${layer.version}` : layer.op,
    `[${layer.output.map((size) => (size < 0 ? '?' : size)).join(', ')}]`,
    layer.precision,
    String(layer.weightBytes),
    layer.macs === null ? '?' : String(layer.macs),
    layer.name.length > LONGEST_NAME ? `…${layer.name.slice(1 - LONGEST_NAME)}` : layer.name,
  ]);
  const header = ['layer', 'output', 'precision', 'weight bytes', 'MACs', 'name'];
  const widths = header.map((title, i) => rows.reduce((width, row) => Math.max(width, row[i]!.length), title.length));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 3 || i === 4 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return ['', ...[header, ...rows].map((row) => `  ${line(row)}`)];
}
