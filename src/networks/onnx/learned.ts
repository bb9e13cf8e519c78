import { tensorData } from '../../formats/onnx/model.ts';
import type { OnnxGraph, OnnxTensor } from '../../formats/onnx/model.ts';
import { producersOf, readersOf } from '../../graph/passes/uses.ts';
import { foldedParameters } from './origins.ts';

/** Numbered names that exporters give to computed constants and transposed weights. */
export const NUMBERED = /^(val_\d+|onnx::\w+_\d+)$/;

const NORMS: ReadonlySet<string> = new Set(
  ['Batch', 'Layer', 'Instance', 'Group', 'RMS'].map((kind) => `${kind}Normalization`),
);

/** Operators with learned operands. */
const LEARNED: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'PRelu',
  'LSTM',
  'GRU',
  'RNN',
  'Einsum',
  ...NORMS,
]);

/** Inputs from this index on are initial states, such as an LSTM's, rather than learned operands. */
const STARTS = 5;

interface Reader {
  readonly op: string;
  readonly node: string;
  readonly isStart: boolean;
}

export function isFloat({ dtype }: { readonly dtype: string }): boolean {
  return dtype === 'float32' || dtype === 'float16';
}

/** Finds the nodes that read a stored tensor, by its name. */
export function readersIn({ nodes }: OnnxGraph): (name: string) => readonly Reader[] {
  const readers = readersOf(nodes);
  return (one) =>
    (readers.get(one) ?? []).map(({ op, inputs, name: own, outputs }) => {
      return { op, node: own || outputs[0]!, isStart: LEARNED.has(op) && inputs.indexOf(one) >= STARTS };
    });
}

/** Test whether a layer uses a stored tensor as a learned operand. */
export function learnedIn(graph: OnnxGraph): (tensor: OnnxTensor) => boolean {
  const readBy = readersIn(graph);
  const ofGroups = groupNormWeights(graph);
  const isGain = gainsIn(graph);
  return (one) =>
    (ofGroups.has(one.name) && one.dims.some((dim) => dim > 1)) ||
    isGain(one) ||
    (readBy(one.name).some(({ op, isStart }) => LEARNED.has(op) && !isStart) &&
      !(readBy(one.name).every(({ op }) => NORMS.has(op)) && isOneOrZero(one)));
}

/**
 * Test for numbered scales and offsets of channels: vectors, along any axis, that are multiplied with or added to a value after a layer with weights,
 * such as those of a global response norm, which PyTorch's older exporter reshapes. A mask or a table has several axes, an epsilon none, and the mean
 * of pictures or the window of sounds precedes all layers. If the newer exporter notes the origin of the vector, it must be a parameter.
 */
function gainsIn(graph: OnnxGraph): (tensor: OnnxTensor) => boolean {
  const stored = new Set(graph.initializers.filter(isFloat).map(({ name }) => name));
  const computed = new Set<string>();
  const read = new Set<string>();
  for (const { op, inputs, outputs } of graph.nodes) {
    const isBehind = inputs.some((one) => computed.has(one));
    if (isBehind && (op === 'Mul' || op === 'Add')) inputs.forEach((one) => read.add(one));
    if (isBehind || (LEARNED.has(op) && inputs.slice(1).some((one) => stored.has(one))))
      outputs.forEach((one) => computed.add(one));
  }
  const parameters = foldedParameters(graph);
  return ({ name, dims }) =>
    NUMBERED.test(name) &&
    read.has(name) &&
    dims.filter((size) => size > 1).length === 1 &&
    (parameters === undefined || (parameters.get(name) ?? []).length > 0);
}

/** Origin of a stored tensor, for messages: the parameters that it was computed from, or the module of a node that reads it. */
export function placesIn(graph: OnnxGraph): (name: string) => string {
  const readBy = readersIn(graph);
  const parameters = foldedParameters(graph);
  return (name) => {
    const from = parameters?.get(name) ?? [];
    const node = readBy(name).find((reader) => reader.node.startsWith('/'))?.node;
    return from.length > 0
      ? `${name} (computed from ${from.join(', ')})`
      : node === undefined
        ? name
        : `${name} (${node})`;
  };
}

/**
 * Scales and offsets of group norms, which PyTorch's exporters write as an InstanceNormalization of the groups followed by a product and a sum with
 * numbered tensors.
 */
function groupNormWeights({ nodes }: OnnxGraph): Set<string> {
  const producers = producersOf(nodes);
  const isNormed = (value: string): boolean => {
    const from = producers.get(value);
    return from?.op === 'Reshape' && producers.get(from.inputs[0]!)?.op === 'InstanceNormalization';
  };
  const scaled = nodes.filter(({ op, inputs }) => op === 'Mul' && inputs.some(isNormed));
  const products = new Set(scaled.flatMap(({ outputs }) => outputs));
  const shifted = nodes.filter(({ op, inputs }) => op === 'Add' && inputs.some((value) => products.has(value)));
  return new Set([...scaled, ...shifted].flatMap(({ inputs }) => inputs));
}

/** True for the scale or offset that an exporter adds to a norm without one: it was not learned. */
function isOneOrZero(tensor: OnnxTensor): boolean {
  const values = Array.from<number | bigint, number>(tensorData(tensor) ?? [], Number);
  return values.length > 0 && [0, 1].some((number) => values.every((value) => value === number));
}
