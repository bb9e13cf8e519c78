import { importOnnx } from '../../formats/onnx/import.ts';
import type { Model, OnnxGraph } from '../../formats/onnx/model.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { producersOf } from '../../graph/passes/uses.ts';
import type { Constant, Graph, Node } from '../../graph/types.ts';
import { traceWithBatch } from '../../trace/batch.ts';
import { fitting } from '../chosen.ts';
import { atBatchSize, contentOf } from '../network.ts';
import type { ModelNetwork, Weights } from '../network.ts';
import { fedBySamples } from '../onnx/inputs.ts';
import { onnxNetwork, withOpenBatch, withSampleSizes } from '../onnx/onnx.ts';
import type { Frozen } from '../onnx/onnx.ts';
import { levelsOf } from './levels.ts';
import type { Level } from './levels.ts';

/** Weights of a backbone that are not trained: none, all, those of batch norms, or those of a layer and of all layers before it. */
export type BackboneFreeze = 'none' | 'all' | 'norms' | { readonly until: string };

interface BackboneOptions {
  /** Height, width and channels of a picture. */
  readonly inputShape: readonly number[];
  readonly seed: number;
  readonly classes: number;
  /** Strides of the feature maps that neck and head read. */
  readonly strides: readonly number[];
  /** Names of the layers that give them. Default: found by stride. */
  readonly layers?: readonly string[] | undefined;
  readonly freeze?: BackboneFreeze | undefined;
  /** Factor of the learning rate of the file's weights. Default 1. */
  readonly learningRate?: number | undefined;
  /** Names of the answers. Default: logits. */
  readonly answers?: readonly string[] | undefined;
  /** Builds neck and head on feature maps of these shapes [height, width, channels]. */
  readonly headOn: (features: readonly Level['shape'][]) => ModelNetwork;
}

/**
 * The layers of an ONNX file up to its feature maps at some strides, under a neck and a head, as one trainable network. `UserError` if the file has no such
 * feature maps, and for everything that an ONNX student is refused for.
 */
export function backboneNetwork(source: Model, file: string, options: BackboneOptions): ModelNetwork {
  const { inputShape, strides, layers, freeze = 'none', learningRate = 1, answers } = options;
  const sized = withSampleSizes(source, file, inputShape, undefined);
  const imported = withOpenBatch(importOnnx(sized, file, { isTrained: true }), file);
  // Pictures of another size than the file's are refused by their sizes rather than for the lack of feature maps.
  fedBySamples(imported, file, inputShape);
  // Nodes that lead to no output would look like layers that a feature map passes by.
  const ends = sized.graph.outputs.map(({ name }) => name);
  const used = { ...sized, graph: upTo(sized.graph, ends) };
  const levels = levelsOf(used, imported, file, { strides, layers, picture: inputShape });
  const values = levels.map(({ value }) => value);
  const outputs = values.map((name) => ({ name, dtype: 'float32' as const }));
  const model = { ...sized, graph: { ...upTo(sized.graph, values), outputs } };
  const head = options.headOn(levels.map(({ shape }) => shape));
  const short = file.split(/[\\/]/).at(-1)!;
  const network = onnxNetwork(model, file, {
    inputShape,
    classes: options.classes,
    seed: options.seed,
    head: 'keep',
    freeze: [],
    frozenIn: (apart) => frozenIn(apart, freeze, file),
    joined: (graph, weights) => joined(graph, weights, { levels, head }),
    answers,
    rateOf: learningRate === 1 ? undefined : (name) => (name.startsWith(HEAD) ? 1 : learningRate),
  });
  const origin = [
    ...(network.origin ?? []),
    ...levels.map(
      ({ layer, stride, shape }) => `${short}: ${layer} gives the feature map at stride ${stride}, ${shape.join('×')}`,
    ),
    ...(learningRate === 1 ? [] : [`${short}: its weights learn at ${learningRate} times the rate`]),
  ];
  head.dispose();
  return { ...network, origin };
}

/** Begins the names of neck and head. */
const HEAD = 'head/';

function inHead(name: string): string {
  return `${HEAD}${name}`;
}

/** The graph of a file up to these values, without the nodes and weights that nothing reads then. */
function upTo(graph: OnnxGraph, values: readonly string[]): OnnxGraph {
  const producers = producersOf(graph.nodes);
  const needed = new Set<string>();
  const visit = (value: string): void => {
    if (needed.has(value)) return;
    needed.add(value);
    producers.get(value)?.inputs.forEach(visit);
  };
  values.forEach(visit);
  return {
    ...graph,
    nodes: graph.nodes.filter(({ outputs }) => outputs.some((name) => needed.has(name))),
    initializers: graph.initializers.filter(({ name }) => needed.has(name)),
  };
}

/** Weights and batch norms that are not trained. */
function frozenIn({ graph }: Model, freeze: BackboneFreeze, file: string): Frozen {
  const nameOf = ({ name, outputs }: Model['graph']['nodes'][number]): string => name || outputs[0]!;
  const normsOf = (nodes: typeof graph.nodes): ReadonlySet<string> =>
    new Set(nodes.filter(({ op }) => op === 'BatchNormalization').map(nameOf));
  if (freeze === 'none') return { isFrozen: () => false, norms: new Set() };
  if (freeze === 'norms') return { isFrozen: () => false, norms: normsOf(graph.nodes) };
  if (freeze === 'all') return { isFrozen: (weight) => !weight.startsWith(HEAD), norms: normsOf(graph.nodes) };
  const isNamed = fitting([freeze.until], graph.nodes.map(nameOf), 'student.backbone.freeze.until', file);
  const last = graph.nodes.findLast((node) => isNamed(nameOf(node)))!;
  const { nodes, initializers } = upTo(graph, last.outputs);
  const weights = new Set(initializers.map(({ name }) => name));
  return { isFrozen: (weight) => weights.has(weight), norms: normsOf(nodes) };
}

/** The graph of the feature maps with neck and head on it, whose values and weights begin with `head/`. */
function joined(
  graph: Graph,
  weights: Weights,
  { levels, head }: { readonly levels: readonly Level[]; readonly head: ModelNetwork },
): { readonly graph: Graph; readonly weights: Weights } {
  const traced = traceWithBatch((batch) => ({
    feeds: Object.fromEntries(Object.entries(head.inputs).map(([name, type]) => [name, atBatchSize(type, batch)])),
    state: head.state,
    run: (feeds) => ({ ...head.forward(feeds, { training: false }).outputs }),
  }));
  const builder = new GraphBuilder();
  for (const [name, type] of graph.inputs) builder.input(name, type);
  for (const [name, type] of graph.state) builder.state(name, type);
  for (const [name, { type, data }] of graph.constants) builder.constant(type, data, name);
  for (const { op, inputs, attrs, layer, outputs } of graph.nodes) builder.node(op, inputs, attrs, { layer, outputs });
  const fed = new Map(
    [...traced.inputs.keys()].map((name, i) => {
      const { value, shape } = levels[i]!;
      const output = graph.outputs.get(value)!;
      const isFirst =
        isTurned(builder.producerOf(output)) || builder.typeOf(output).shape.slice(1).join() !== shape.join();
      return [name, isFirst ? builder.op('Transpose', [output], { perm: [0, 2, 3, 1] }) : output];
    }),
  );
  const at = (name: string): string => fed.get(name) ?? inHead(name);
  for (const [name, type] of traced.state) builder.state(inHead(name), type);
  for (const [name, { type, data }] of traced.constants) builder.constant(type, data, inHead(name));
  for (const { op, inputs, attrs, layer, outputs } of traced.nodes)
    builder.node(op, inputs.map(at), attrs, { layer, outputs: outputs.map(inHead) });
  for (const [name, value] of traced.outputs) builder.output(name, at(value));
  const content: [string, Constant][] = [...contentOf(head)].map(([name, value]) => [inHead(name), value]);
  return { graph: builder.build(), weights: new Map([...weights, ...content]) };
}

/** True for a change of layout to channels first. */
function isTurned(node: Node | undefined): boolean {
  return node?.op === 'Transpose' && String(node.attrs['perm']) === '0,3,1,2';
}
