import { atFile, UserError } from '../base/errors.ts';
import { importOnnx } from '../formats/onnx/import.ts';
import { parameterCount, storedTensors } from '../formats/onnx/model.ts';
import type { Model } from '../formats/onnx/model.ts';
import { describeTflite } from '../formats/tflite/describe/describe.ts';
import { arrays } from '../graph/arrays.ts';
import { macsOfNode } from '../graph/macs.ts';
import { symbolicSize } from '../graph/shapes.ts';
import type { Graph, Shape } from '../graph/types.ts';
import { formatOf, sourceModel } from './read.ts';
import type { ReadOptions } from './read.ts';

/** Input or output of a model. Open sizes are names, or -1 in a TFLite file. */
export interface ModelEnd {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

/** Layer of a model, in the order in which layers are computed. */
export interface Layer {
  readonly op: string;
  readonly name: string;
  readonly output: readonly (number | string)[];
  /** Bytes of the stored tensors that it reads. */
  readonly weightBytes: number;
  /** Bytes of its outputs for one sample; null where they are not known. */
  readonly outputBytes: number | null;
  /** Multiply-accumulates for one sample; null where they are not known. */
  readonly macs: number | null;
}

export interface Inspected {
  readonly format: 'onnx' | 'keras' | 'h5' | 'tflite';
  readonly bytes: number;
  readonly weightBytes: number;
  /** Stored numbers; absent for TFLite. */
  readonly parameters?: number;
  readonly inputs: readonly ModelEnd[];
  readonly outputs: readonly ModelEnd[];
  /** Number of operators of each kind. */
  readonly operators: Readonly<Record<string, number>>;
  readonly layers: readonly Layer[];
  /** Multiply-accumulates for one sample; null for a model that is refused. */
  readonly macs: number | null;
  /** Refusal of a model that can be read, but not converted. */
  readonly refused?: { readonly message: string; readonly hint: string };
}

/** Describes an ONNX, Keras or TFLite file. `UserError` for other files and damaged ones. */
export async function inspect(bytes: Uint8Array, options: ReadOptions = {}): Promise<Inspected> {
  const format = formatOf(bytes);
  const { name = 'model' } = options;
  if (format === 'tflite') return inspectTflite(bytes, name);
  const model = await sourceModel(bytes, options);
  const weights = new Set(model.graph.initializers.map((one) => one.name));
  const end = ({ name: of, dtype, dims = [] }: Model['graph']['inputs'][number]): ModelEnd => ({
    name: of,
    dtype: dtype ?? '?',
    shape: dims.map((dim) => dim ?? '?'),
  });
  const described = {
    format,
    bytes: bytes.length,
    weightBytes: [...storedTensors(model.graph).values()].reduce((sum, { raw }) => sum + raw.length, 0),
    parameters: parameterCount(model.graph),
    inputs: model.graph.inputs.filter((one) => !weights.has(one.name)).map(end),
    outputs: model.graph.outputs.map(end),
    operators: counted(model.graph.nodes),
  };
  try {
    const layers = layersIn(importOnnx(model, name));
    return { ...described, layers, macs: layers.reduce((sum, { macs }) => sum + (macs ?? 0), 0) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...described, layers: [], macs: null, refused: { message: error.message, hint: error.hint } };
  }
}

function inspectTflite(bytes: Uint8Array, name: string): Inspected {
  const { format, fileBytes, weightBytes, inputs, outputs, operators, layers, macs } = atFile(name, () =>
    describeTflite(bytes),
  );
  return { format, bytes: fileBytes, weightBytes, inputs, outputs, operators, layers, macs };
}

/** Layers of a graph: its operators, in order. */
export function layersIn(graph: Graph): Layer[] {
  const shapeOf = (name: string): Shape => (name === '' ? [] : graph.types.get(name)!.shape);
  return graph.nodes.map((node) => {
    const stored = new Set(node.inputs.flatMap((name) => graph.constants.get(name) ?? []));
    return {
      op: node.op,
      name: node.layer ?? node.outputs[0]!,
      output: shapeOf(node.outputs[0]!),
      weightBytes: [...stored].reduce((sum, { data }) => sum + data.byteLength, 0),
      outputBytes: node.outputs.reduce((sum, name) => sum + bytesOf(graph, name), 0),
      macs: macsOfNode(node, shapeOf),
    };
  });
}

/** Bytes of a value for one sample. */
function bytesOf({ types }: Graph, name: string): number {
  const type = types.get(name);
  return type === undefined ? 0 : symbolicSize(type.shape).factor * arrays[type.dtype].BYTES_PER_ELEMENT;
}

function counted(nodes: readonly { readonly op: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of nodes) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}
