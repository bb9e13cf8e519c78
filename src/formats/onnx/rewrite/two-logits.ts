import type { Model, OnnxGraph, OnnxNode, ValueInfo } from '../model.ts';
import { RESHAPING, tensor } from '../model.ts';
import { producersOf } from '../../../graph/passes/uses.ts';

/**
 * Converts a model that answers two classes with one number for each sample, [batch, 1] or [batch], to the logits 0 and z, whose softmax is the
 * sigmoid of z. z is the input of the file's final sigmoid, or the output of its last dense layer. Undefined for other outputs, whose meaning is
 * unknown. `output`: default the first float output.
 */
export function withTwoLogits(model: Model, output?: string): Model | undefined {
  const { graph } = model;
  const isAsked = ({ name, dtype }: ValueInfo): boolean =>
    output === undefined ? dtype === 'float32' || dtype === 'float16' : name === output;
  const answer = graph.outputs.find(isAsked);
  const { dims, dtype } = answer ?? {};
  const isOne = dims !== undefined && (dims.length === 1 || (dims.length === 2 && dims[1] === 1));
  if (answer === undefined || !isOne || (dtype !== 'float32' && dtype !== 'float16')) return undefined;
  const z = logitOf(graph, answer.name);
  if (z === undefined) return undefined;
  const { name } = answer;
  const one = `${name}/one`;
  const renamed = (value: string): string => (value === name ? one : value);
  const [shape, column, zero] = [`${name}/shape`, `${name}/z`, `${name}/zero`];
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  }));
  const [batch = null] = dims;
  // The zeros are computed, because a stored number would count as a trainable weight.
  const added = [
    made('Reshape', [renamed(z), shape], column),
    made('Sub', [column, column], zero),
    made('Concat', [zero, column], name, new Map([['axis', { type: 'int', value: 1 }]])),
  ];
  return {
    ...model,
    graph: {
      ...graph,
      nodes: [...nodes, ...added],
      initializers: [...graph.initializers, tensor(shape, 'int64', [2], BigInt64Array.of(-1n, 1n))],
      outputs: graph.outputs.map((value) => (value === answer ? { ...value, dims: [batch, 2] } : value)),
      valueInfos: graph.valueInfos.filter((value) => value.name !== name),
    },
  };
}

function made(op: string, inputs: readonly string[], output: string, attrs: OnnxNode['attrs'] = new Map()): OnnxNode {
  return { op, domain: '', name: output, inputs, outputs: [output], attrs };
}

/** True for a file that ends in a sigmoid: its single number is a probability rather than a number to predict. */
export function endsInSigmoid({ graph }: Model): boolean {
  const source = sourceIn(graph);
  return graph.outputs.some(({ name }) => source(name)?.op === 'Sigmoid');
}

/** Producer of a value, skipping nodes that only reshape. */
function sourceIn({ nodes }: OnnxGraph): (value: string) => OnnxNode | undefined {
  const producers = producersOf(nodes);
  return (value) => {
    let node = producers.get(value);
    while (node !== undefined && node.domain === '' && RESHAPING.includes(node.op))
      node = producers.get(node.inputs[0]!);
    return node?.domain === '' ? node : undefined;
  };
}

/** Tensor with one logit for each sample from which an answer is computed. */
function logitOf(graph: OnnxGraph, answer: string): string | undefined {
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const source = sourceIn(graph);
  const last = source(answer);
  if (last?.op === 'Sigmoid') return last.inputs[0];
  if (last?.op === 'Gemm' || last?.op === 'MatMul') return answer;
  const isBias = last?.op === 'Add' && last.inputs.some((name) => stored.has(name));
  const product = isBias ? source(last.inputs.find((name) => !stored.has(name)) ?? '') : undefined;
  return product?.op === 'MatMul' ? answer : undefined;
}
