import type { Feeds } from '../compress/quantize/observe.ts';
import type { OpenModel } from '../compress/quantize/open-model.ts';
import { inOnePiece } from '../formats/onnx/large.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { lowerToOnnx, lowerWithValues } from '../formats/onnx/lower.ts';
import { dataTypes } from '../formats/onnx/model.ts';
import type { Model, OnnxNode } from '../formats/onnx/model.ts';
import { decodeModel, onnxContent } from '../formats/onnx/protobuf.ts';
import { readTflite } from '../formats/tflite/read.ts';
import { codeNumber } from '../formats/tflite/runtime.ts';
import { builtinOperators } from '../formats/tflite/schema/operators.ts';
import { tensorType } from '../formats/tflite/schema/tensor-types.ts';
import type { Subgraph, TfliteModel } from '../formats/tflite/types.ts';
import { writeTflite } from '../formats/tflite/write.ts';
import { producersOf } from '../graph/passes/uses.ts';
import { layersOf } from '../graph/quantization.ts';
import type { Graph } from '../graph/types.ts';
import { leastSqnrDb } from './budgets.ts';
import type { AnsweringModel } from './compare.ts';
import { LikenessTally } from './likeness.ts';
import type { WriteOptions } from './write.ts';

/** Layer at which a file begins to compute other numbers than its source. */
interface FirstLayer {
  readonly layer: string;
  /** Signal to noise of the layer's result, in dB. */
  readonly sqnrDb: number;
  /** That of the worst of the results that the layer reads; null where it reads none that was compared. */
  readonly readDb: number | null;
}

/** A file that was made of a graph. */
export interface TracedFile {
  readonly bytes: OnnxContent;
  readonly precision: WriteOptions['precision'];
  /** Of a TFLite file: index of the tensor of each value of the graph. */
  readonly tensors?: ReadonlyMap<string, number> | undefined;
}

export interface TracingRuntimes {
  readonly open: OpenModel;
  readonly tflite?: ((bytes: Uint8Array) => Promise<Pick<AnsweringModel, 'run' | 'dispose'>>) | undefined;
}

/**
 * The sentences on outputs that are beyond the budget of a file, if there are any, and one on the first layer whose result has less signal to noise
 * than the precision explains. At most four rows of the first of `samples` are asked, as each layer's result of each is kept.
 */
export async function withFirstLayer(
  beyond: readonly string[],
  graph: Graph,
  file: TracedFile,
  [first]: readonly Feeds[],
  runtimes: TracingRuntimes,
): Promise<readonly string[]> {
  if (beyond.length === 0 || first === undefined) return beyond;
  const said = await firstLayer(graph, file, fewOf(first, graph), runtimes).then(firstLayerText, (error: unknown) => {
    // A runtime may take a file and not the same with more outputs: what was found before still stands.
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
    return `the layer at which it begins was not found (${reason})`;
  });
  return [...beyond, said];
}

function firstLayerText(found: FirstLayer | undefined): string {
  if (found === undefined)
    return 'no layer by itself is as far off from the graph that was read: either it adds up over layers, or the source was read otherwise than its runtime runs it';
  const { layer, sqnrDb, readDb } = found;
  const read = readDb === null ? '' : `, ${decibels(readDb)} in what it reads`;
  return `it begins at the layer ${layer}: ${decibels(sqnrDb)}${read}`;
}

const decibels = (value: number): string =>
  value === Infinity ? 'no difference' : value === -Infinity ? 'no likeness' : `${value.toFixed(1)} dB`;

/** Rows of a call in which every layer's result is kept. */
const ROWS = 4;

function fewOf(feeds: Feeds, { inputs }: Graph): Feeds {
  const isLong = [...inputs].every(
    ([name, { shape }]) => typeof shape[0] === 'string' && (feeds[name]?.shape[0] ?? 0) > ROWS,
  );
  if (!isLong) return feeds;
  return Object.fromEntries(
    Object.entries(feeds).map(
      ([
        name,
        {
          data,
          shape: [rows, ...rest],
        },
      ]) => [name, { data: data.slice(0, (data.length / rows!) * ROWS), shape: [ROWS, ...rest] }],
    ),
  );
}

/** Ending of the name of a result that was made an output. */
const SEEN = '/seen';

type Answers = Awaited<ReturnType<AnsweringModel['run']>>;

/** A file and the float32 graph that it was made of, each with the results of its layers as outputs. */
interface Pair {
  readonly reference: Pick<AnsweringModel, 'run' | 'dispose'>;
  readonly made: Pick<AnsweringModel, 'run' | 'dispose'>;
  /** In the order of computing. */
  readonly nodes: readonly Computing[];
  readonly layerOf: (value: string, node: Computing) => string;
}

type Computing = Pick<OnnxNode, 'op' | 'inputs' | 'outputs'> & { readonly name?: string };

async function firstLayer(
  graph: Graph,
  file: TracedFile,
  samples: Feeds,
  runtimes: TracingRuntimes,
): Promise<FirstLayer | undefined> {
  const pair = await (file.tensors === undefined ? onnxPair : tflitePair)(graph, file, runtimes);
  const { reference, made, nodes, layerOf } = pair;
  try {
    const likeness = likenessOf(nodes, await reference.run(samples), await made.run(samples));
    const limit = leastSqnrDb(file.precision);
    const [name, sqnrDb] = [...likeness].find(([, db]) => !(db >= limit)) ?? [];
    if (name === undefined) return undefined;
    const { layers, inputs } = partOf(name, pair, likeness);
    const read = [...inputs].map((input) => likeness.get(input)!);
    const layer = layers.size === 0 ? layerOf(name, producersOf(nodes).get(name)!) : [...layers].join(' and ');
    return { layer, sqnrDb: sqnrDb!, readDb: read.length === 0 ? null : Math.min(...read) };
  } finally {
    reference.dispose();
    made.dispose();
  }
}

/** Signal to noise of each result that both have in the same layout, in dB, in the order of computing. */
function likenessOf(nodes: readonly Computing[], expected: Answers, actual: Answers): ReadonlyMap<string, number> {
  const found = nodes.flatMap(({ outputs }) =>
    outputs.flatMap((name) => {
      const [a, b] = [expected[`${name}${SEEN}`], actual[`${name}${SEEN}`]];
      if (a === undefined || b === undefined || a.data.length !== b.data.length || sizes(a) !== sizes(b)) return [];
      const tally = new LikenessTally(name);
      const values = ({ data, shape }: typeof a) => ({ data: data as Float32Array, shape, isInteger: false });
      tally.add(values(a), values(b));
      return [[name, tally.result().sqnrDb!] as const];
    }),
  );
  return new Map(found);
}

const sizes = ({ shape }: { readonly shape: readonly number[] }): string => shape.filter((size) => size !== 1).join();

/** Operators with weights, of graphs and of ONNX. */
const WEIGHTED: readonly string[] = [
  'BatchMatMul',
  'Conv2D',
  'DepthwiseConv2dNative',
  'Conv2DBackpropInput',
  'Conv',
  'ConvTranspose',
  'MatMul',
  'Gemm',
];

/** Layers with weights, and the compared results, that a result was computed from since the last compared results. */
function partOf(
  result: string,
  { nodes, layerOf }: Pick<Pair, 'nodes' | 'layerOf'>,
  compared: ReadonlyMap<string, number>,
): { readonly layers: ReadonlySet<string>; readonly inputs: ReadonlySet<string> } {
  const [layers, inputs, walked] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const producers = producersOf(nodes);
  const walk = (name: string): void => {
    const node = producers.get(name);
    if (node === undefined || walked.has(name)) return;
    walked.add(name);
    for (const input of node.inputs)
      if (compared.has(input)) inputs.add(input);
      else walk(input);
    if (WEIGHTED.includes(node.op)) layers.add(layerOf(name, node));
  };
  walk(result);
  return { layers, inputs };
}

/** Results are known by the names of nodes, since tensors of a file have names of their own. */
async function onnxPair(graph: Graph, { bytes }: TracedFile, { open }: TracingRuntimes): Promise<Pair> {
  const file = decodeModel(bytes, 'the new file');
  const { model, values } = lowerWithValues(graph, { opset: file.opsets.get('') ?? 17 });
  const layers = layersOf(graph);
  const made = new Map(file.graph.nodes.map((node) => [`${node.op} ${node.name}`, node]));
  const both = model.graph.nodes.flatMap(({ op, name, outputs }) =>
    (made.get(`${op} ${name}`)?.outputs ?? []).flatMap((own, i): [string, string][] => {
      const result = outputs[i]!;
      const isFloat = graph.types.get(values.get(result) ?? result)?.dtype === 'float32';
      return isFloat && own !== '' ? [[result, own]] : [];
    }),
  );
  // An output has one name, whatever operators compute it.
  const outputs = [model, file].map(({ graph: { outputs } }) => outputs.filter(({ dtype }) => dtype === 'float32'));
  for (const { name } of outputs[0]!) if (outputs[1]!.some((one) => one.name === name)) both.push([name, name]);
  return {
    reference: await open(onnxContent(seeing(model, new Map(both.map(([result]) => [result, result])))), 'the source'),
    made: await open(onnxContent(seeing(file, new Map(both))), 'the new file'),
    nodes: model.graph.nodes,
    layerOf: (value, { name }) => layers.get(values.get(value) ?? value) ?? name ?? value,
  };
}

/** The model with tensors as float32 outputs, by the names of the results. */
function seeing(model: Model, seen: ReadonlyMap<string, string>): Model {
  const { graph } = model;
  const casts = [...seen].map(([result, tensor]): OnnxNode => {
    const name = `${result}${SEEN}`;
    const attrs = new Map([['to', { type: 'int', value: dataTypes.float32 }] as const]);
    return { domain: '', name, op: 'Cast', inputs: [tensor], outputs: [name], attrs };
  });
  const outputs = casts.map(({ name }) => ({ name, dtype: 'float32' as const }));
  return {
    ...model,
    graph: { ...graph, nodes: [...graph.nodes, ...casts], outputs: [...graph.outputs, ...outputs] },
  };
}

async function tflitePair(graph: Graph, { bytes, tensors }: TracedFile, runtimes: TracingRuntimes): Promise<Pair> {
  const { open, tflite } = runtimes;
  if (tflite === undefined) throw new Error('a TFLite file is compared without a runtime');
  const model = readTflite(inOnePiece(bytes, 'the new file', 'TFLite'));
  const floats = graph.nodes.flatMap(({ outputs }) =>
    outputs.filter((name) => tensors!.has(name) && graph.types.get(name)?.dtype === 'float32'),
  );
  // Of a tensor with two names, which an operator that moves nothing gives, the first is seen.
  const seen = new Map([...floats].reverse().map((name) => [tensors!.get(name)!, name] as const));
  const outputs = new Map([...seen.values()].map((name) => [`${name}${SEEN}`, name] as const));
  const layers = layersOf(graph);
  return {
    reference: await open(onnxContent(lowerToOnnx({ ...graph, outputs })), 'the source'),
    made: await tflite(writeTflite(seeingTensors(model, seen))),
    nodes: graph.nodes,
    layerOf: (value) => layers.get(value) ?? value,
  };
}

/** The model with these tensors as its outputs, in its signature too. Metadata, which name its outputs, are left out. */
function seeingTensors(model: TfliteModel, seen: ReadonlyMap<number, string>): TfliteModel {
  const { subgraphs, signatureDefs = [] } = model;
  const [main, ...others] = subgraphs as [Subgraph, ...Subgraph[]];
  const tensors = [...main.tensors];
  const operators = [...main.operators];
  const [float, int16] = [tensorType('float32'), tensorType('int16')];
  const opcodeIndex = model.operatorCodes.findIndex((code) => builtinOperators[codeNumber(code)] === 'DEQUANTIZE');
  const outputs = [...seen].map(([tensorIndex, result]) => {
    const name = `${result}${SEEN}`;
    const { type, quantization: _, ...tensor } = tensors[tensorIndex]!;
    // LiteRT for WebAssembly hands no 16 bits back.
    if (type !== int16) return { name, tensorIndex };
    const at = tensors.push({ ...tensor, name, type: float }) - 1;
    operators.push({ opcodeIndex, inputs: [tensorIndex], outputs: [at] });
    return { name, tensorIndex: at };
  });
  return {
    ...model,
    metadata: [],
    subgraphs: [{ ...main, tensors, operators, outputs: outputs.map(({ tensorIndex }) => tensorIndex) }, ...others],
    signatureDefs: signatureDefs.map((one, i) => (i === 0 ? { ...one, outputs } : one)),
  };
}
