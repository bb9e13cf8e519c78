import type { Feeds } from '../compress/quantize/observe.ts';
import type { OpenModel } from '../compress/quantize/open-model.ts';
import { inOnePiece } from '../formats/onnx/large.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { lowerToOnnx, lowerWithValues } from '../formats/onnx/lower.ts';
import { dataTypes } from '../formats/onnx/model.ts';
import type { Model, OnnxNode } from '../formats/onnx/model.ts';
import { decodeModel, onnxContent } from '../formats/onnx/protobuf.ts';
import { readTflite } from '../formats/tflite/read.ts';
import { tensorType } from '../formats/tflite/schema/tensor-types.ts';
import type { TfliteModel } from '../formats/tflite/types.ts';
import { writeTflite } from '../formats/tflite/write.ts';
import { readersOf } from '../graph/passes/uses.ts';
import { layersOf } from '../graph/quantization.ts';
import type { Graph } from '../graph/types.ts';
import { leastSqnrDb } from './budgets.ts';
import type { AnsweringModel } from './compare.ts';
import { LikenessTally } from './likeness.ts';
import type { WriteOptions } from './write.ts';

/** Layer at which a file begins to compute other numbers than its source. */
export interface FirstLayer {
  readonly layer: string;
  /** Signal to noise of the layer's result, in dB. */
  readonly sqnrDb: number;
  /** That of the worst of the layer results that the layer reads; null where it reads none that was compared. */
  readonly readDb: number | null;
}

/** A file that was made of a graph. */
export interface SeenFile {
  readonly bytes: OnnxContent;
  readonly precision: WriteOptions['precision'];
  /** Of a TFLite file: index of the tensor of each value of the graph. */
  readonly tensors?: ReadonlyMap<string, number> | undefined;
}

export interface SeeingRuntimes {
  readonly open: OpenModel;
  readonly tflite?: ((bytes: Uint8Array) => Promise<Pick<AnsweringModel, 'run' | 'dispose'>>) | undefined;
}

/**
 * The first layer whose result in the file has less signal to noise than the precision explains; undefined where none has. The results are read by
 * making them outputs of the file as it was made, and of the float32 graph `graph` that it was made of. A result that the file computes as part of
 * another layer, such as a convolution before its Relu, is not read.
 */
export async function firstLayer(
  graph: Graph,
  file: SeenFile,
  samples: Feeds,
  runtimes: SeeingRuntimes,
): Promise<FirstLayer | undefined> {
  const pair = file.tensors === undefined ? await onnxPair(graph, file, runtimes) : await tflitePair(graph, file, runtimes);
  try {
    const [expected, actual] = [await pair.reference.run(samples), await pair.made.run(samples)];
    const limit = leastSqnrDb(file.precision);
    const found = new Map<string, number>();
    for (const { name, layer, reads } of pair.values) {
      const [a, b] = [expected[`${name}${SEEN}`], actual[`${name}${SEEN}`]];
      // Of another shape, it is the same value in another layout.
      if (a === undefined || b === undefined || a.data.length !== b.data.length || shapeOf(a) !== shapeOf(b)) continue;
      const tally = new LikenessTally(name);
      tally.add({ ...a, data: a.data as Float32Array, isInteger: false }, { ...b, data: b.data as Float32Array, isInteger: false });
      const { sqnrDb } = tally.result();
      found.set(name, sqnrDb!);
      if (sqnrDb! >= limit) continue;
      const read = reads(found);
      return { layer, sqnrDb: sqnrDb!, readDb: read.length === 0 ? null : Math.min(...read) };
    }
    return undefined;
  } finally {
    pair.reference.dispose();
    pair.made.dispose();
  }
}

/** Sentence on the layer, or on there being none. */
export function firstLayerText(found: FirstLayer | undefined): string {
  if (found === undefined) return 'no layer by itself is as far off on the first of these samples';
  const { layer, sqnrDb, readDb } = found;
  const read = readDb === null ? '' : `, ${decibels(readDb)} in what it reads`;
  return `it begins at the layer ${layer}: ${decibels(sqnrDb)}${read}`;
}

const decibels = (value: number): string =>
  value === Infinity ? 'no difference' : value === -Infinity ? 'no likeness' : `${value.toFixed(1)} dB`;

/** Ending of the name of a result that was made an output. */
const SEEN = '/seen';

const shapeOf = ({ shape }: { readonly shape: readonly number[] }): string => shape.filter((size) => size !== 1).join();

interface Pair {
  readonly reference: Pick<AnsweringModel, 'run' | 'dispose'>;
  readonly made: Pick<AnsweringModel, 'run' | 'dispose'>;
  /** Results in the order of computing; `reads`: decibels of the results that the layer reads. */
  readonly values: readonly {
    readonly name: string;
    readonly layer: string;
    readonly reads: (found: ReadonlyMap<string, number>) => number[];
  }[];
}

/** Operators that files compute together with the layer whose result they read. */
const TOGETHER: readonly string[] = ['Relu', 'Relu6', 'Clip', 'ClipByValue', 'Add', 'BiasAdd'];

/** Results that are not part of another operator. */
function apart<One extends { readonly op: string; readonly inputs: readonly string[]; readonly outputs: readonly string[] }>(
  nodes: readonly One[],
): { readonly node: One; readonly name: string; readonly reads: Pair['values'][number]['reads'] }[] {
  const readers = readersOf(nodes);
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const hides = (name: string): boolean => {
    const [reader, ...others] = readers.get(name) ?? [];
    return reader !== undefined && others.length === 0 && TOGETHER.includes(reader.op);
  };
  const known = (found: ReadonlyMap<string, number>, name: string, depth = 0): number[] => {
    const own = found.get(name);
    if (own !== undefined) return [own];
    const inner = depth > FURTHEST ? undefined : producers.get(name);
    return inner === undefined ? [] : inner.inputs.flatMap((input) => known(found, input, depth + 1));
  };
  return nodes.flatMap((node) =>
    node.outputs
      .filter((name) => !hides(name))
      .map((name) => ({ node, name, reads: (found) => node.inputs.flatMap((input) => known(found, input)) })),
  );
}

/** Operators without a compared result between a layer and the results that it reads. */
const FURTHEST = 8;

async function onnxPair(graph: Graph, { bytes }: SeenFile, { open }: SeeingRuntimes): Promise<Pair> {
  const file = decodeModel(bytes, 'the new file');
  const { model, values } = lowerWithValues(graph, { opset: file.opsets.get('') ?? 17 });
  const layers = layersOf(graph);
  const floats = (name: string): boolean => {
    const type = graph.types.get(values.get(name) ?? name);
    return type?.dtype === 'float32';
  };
  const results = apart(model.graph.nodes).filter(({ name }) => floats(name));
  const names = results.map(({ name }) => name);
  const [reference, made] = [withSeen(model, names), withSeen(file, names)];
  return {
    reference: await open(onnxContent(reference), 'the source'),
    made: await open(onnxContent(made), 'the new file'),
    values: results.map(({ node, name, reads }) => ({
      name,
      reads,
      layer: layers.get(values.get(name) ?? name) ?? node.name,
    })),
  };
}

/** The model with more outputs: its tensors of these names in float32, or what it makes of them in integers or halves. */
function withSeen(model: Model, names: readonly string[]): Model {
  const { graph } = model;
  const known = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const rounded = new Map(graph.nodes.filter(({ op }) => op === 'QuantizeLinear').map((node) => [node.inputs[0]!, node]));
  const added = names.flatMap((name): OnnxNode[] => {
    const output = [`${name}${SEEN}`];
    const plain = { domain: '', name: output[0]!, outputs: output, attrs: new Map() };
    // Of an output, the result before it was rounded has a name of its own.
    const quantized = rounded.get(known.has(`${name}/float`) ? `${name}/float` : name);
    if (quantized !== undefined)
      return [{ ...plain, op: 'DequantizeLinear', inputs: [quantized.outputs[0]!, ...quantized.inputs.slice(1)] }];
    if (!known.has(name)) return [];
    return [{ ...plain, op: 'Cast', inputs: [name], attrs: new Map([['to', { type: 'int', value: dataTypes.float32 }]]) }];
  });
  const outputs = added.map(({ name }) => ({ name, dtype: 'float32' as const }));
  return {
    ...model,
    graph: { ...graph, nodes: [...graph.nodes, ...added], outputs: [...graph.outputs, ...outputs] },
  };
}

async function tflitePair(graph: Graph, { bytes, tensors = new Map() }: SeenFile, runtimes: SeeingRuntimes): Promise<Pair> {
  const { open, tflite } = runtimes;
  if (tflite === undefined) throw new Error('a TFLite file is compared without a runtime');
  const model = readTflite(inOnePiece(bytes, 'the new file', 'TFLite'));
  const types = ['float32', 'int8'].map((type) => tensorType(type as 'float32'));
  const isSeen = (name: string): boolean =>
    tensors.has(name) &&
    graph.types.get(name)?.dtype === 'float32' &&
    types.includes(model.subgraphs[0]!.tensors[tensors.get(name)!]!.type);
  const results = apart(graph.nodes).filter(({ name }) => isSeen(name));
  const names = results.map(({ name }) => name);
  const layers = layersOf(graph);
  const seen = new Map(names.map((name) => [`${name}${SEEN}`, name] as const));
  return {
    reference: await open(onnxContent(lowerToOnnx({ ...graph, outputs: new Map([...graph.outputs, ...seen]) })), 'the source'),
    made: await tflite(writeTflite(seeing(model, names.map((name) => [name, tensors.get(name)!])))),
    values: results.map(({ name, reads }) => ({ name, reads, layer: layers.get(name) ?? name })),
  };
}

/** The model with more outputs, in its signature too. Metadata, which name its outputs, are left out. */
function seeing(model: TfliteModel, seen: readonly (readonly [name: string, tensor: number])[]): TfliteModel {
  const { subgraphs, signatureDefs = [] } = model;
  const [main, ...others] = subgraphs;
  const fresh = seen.filter(([, tensor]) => !main!.outputs.includes(tensor));
  const named = (
    maps: readonly { readonly name: string; readonly tensorIndex: number }[],
  ): { name: string; tensorIndex: number }[] => [
    ...maps,
    ...fresh.map(([name, tensorIndex]) => ({ name: `${name}${SEEN}`, tensorIndex })),
  ];
  return {
    ...model,
    metadata: [],
    subgraphs: [{ ...main!, outputs: [...main!.outputs, ...fresh.map(([, tensor]) => tensor)] }, ...others],
    signatureDefs: signatureDefs.map((one, i) => (i === 0 ? { ...one, outputs: named(one.outputs) } : one)),
  };
}
