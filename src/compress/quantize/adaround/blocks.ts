import { readersOf, usesOf } from '../../../graph/passes/uses.ts';
import { layersOf, weightedNodes } from '../../../graph/quantization.ts';
import type { Quantization, TensorQuantization } from '../../../graph/quantization.ts';
import type { Graph, Node, TensorType } from '../../../graph/types.ts';
import { biasesOf, layerAlone } from '../layers.ts';
import { weightScalesOf } from '../rounding.ts';

/** Ops that end a layer: its output is reconstructed behind them. */
const ACTIVATIONS: ReadonlySet<string> = new Set('Relu Relu6 LeakyRelu Elu Sigmoid Tanh ClipByValue'.split(' '));

/** A layer whose weights are rounded, by value names of its graph. */
export interface Block {
  readonly layer: string;
  readonly input: string;
  readonly output: string;
  readonly weights: string;
  readonly type: TensorType;
  readonly values: Float32Array;
  readonly scales: TensorQuantization;
  /** Graph from `x` to `y`: the product, its bias and its activation; the weights are a constant of it. */
  readonly graph: Graph;
}

/** The layers with int8 weights, in the order in which they are computed; weights that several share are those of the first. */
export function blocksOf(
  graph: Graph,
  quantization: Quantization,
  keepFloat: (layer: string) => boolean = () => false,
): Block[] {
  const seen = new Set<string>();
  const layers = layersOf(graph);
  const followers = followersIn(graph);
  return weightedNodes(graph).flatMap((node) => {
    const [input, weights] = node.inputs as [string, string];
    const layer = layers.get(node.outputs[0]!)!;
    const scales = weightScalesOf(quantization, weights);
    if (scales === undefined || seen.has(weights) || keepFloat(layer) || graph.constants.has(input)) return [];
    seen.add(weights);
    const nodes = [node, ...followers(node)];
    const { type, data } = graph.constants.get(weights)!;
    const output = nodes.at(-1)!.outputs[0]!;
    return [
      {
        ...{ layer, input, output, weights, type, scales, values: data as Float32Array },
        graph: layerAlone(graph, nodes, input, output),
      },
    ];
  });
}

/** The addition of a bias and the activation, where nothing else reads what is between. */
function followersIn(graph: Graph): (node: Node) => readonly Node[] {
  const [uses, readers, biases] = [usesOf(graph), readersOf(graph.nodes), biasesOf(graph)];
  const next = (value: string, fits: (reader: Node) => boolean): Node | undefined => {
    const [reader] = uses.get(value) === 1 ? (readers.get(value) ?? []) : [];
    return reader !== undefined && fits(reader) ? reader : undefined;
  };
  return (node) => {
    const bias = biases.get(node.outputs[0]!);
    const add = next(node.outputs[0]!, ({ op, inputs }) => op === 'Add' && bias !== undefined && inputs.includes(bias));
    const last = add ?? node;
    const activation = next(last.outputs[0]!, ({ op, inputs }) => ACTIVATIONS.has(op) && inputs.length === 1);
    return [add, activation].filter((one) => one !== undefined);
  };
}
