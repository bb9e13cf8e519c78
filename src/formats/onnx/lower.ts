import { batchFactor } from '../../graph/shapes.ts';
import { showStage } from '../../graph/stages.ts';
import type { Graph, TensorType } from '../../graph/types.ts';
import { Lowering } from './lower/context.ts';
import type { LowerOptions } from './lower/context.ts';
import { neededOpset, rules } from './lower/table.ts';
import type { Model, OnnxDim, OnnxNode, ValueInfo } from './model.ts';
import { printOnnx } from './print.ts';

export interface Options extends Partial<LowerOptions> {
  readonly name?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** Widely supported (ONNX Runtime 1.12, TensorRT 8.5), and sufficient for all but a few ops. */
export const DEFAULT_OPSET = 17;

/** Output name of a state's new content. */
export function nextName(state: string): string {
  return `${state}/next`;
}

/** Name of an output, with a suffix if an input or state has it, because ONNX has a single name space. */
export function outputName({ inputs, state }: Graph, output: string): string {
  return inputs.has(output) || state.has(output) ? `${output}/out` : output;
}

/**
 * Lowers a graph to an ONNX model. Inputs keep their names, state `s` becomes an input `s` and, if updated, an output `s/next`. The batch axis is the
 * symbolic dimension `batch`. `UserError` for ops that ONNX cannot express.
 */
export function lowerToOnnx(graph: Graph, options: Options = {}): Model {
  return lowerWithValues(graph, options).model;
}

/** The model, and for each of its tensors with a value of the graph, in any layout, the name of that value. */
export function lowerWithValues(graph: Graph, options: Options = {}): { model: Model; values: Map<string, string> } {
  const opset = Math.max(options.opset ?? DEFAULT_OPSET, neededOpset(graph));
  const c = new Lowering(graph, {
    opset,
    exactNaN: options.exactNaN ?? false,
    poolIndices: options.poolIndices ?? true,
    anyChannels: options.anyChannels ?? true,
    addsMatrices: options.addsMatrices ?? false,
    blocked: options.blocked,
  });
  const inBlocks = options.blocked?.(c);
  for (const node of graph.nodes) {
    // A rule may already have lowered this node with the previous.
    if (c.isDefined(node.outputs[0]!)) continue;
    c.enter(node.layer === undefined ? node.outputs[0]! : `${node.layer}/${node.outputs[0]!}`);
    if (inBlocks?.(node) === true) continue;
    const rule = rules[node.op];
    if (rule === undefined) c.fail(node, 'there is no rule for it', 'Build the layer from other ops.');
    else rule(node, c);
  }
  c.enter('results');
  const { results, outputs } = bindResults(c);
  const names = c.names(results);
  const name = (tensor: string): string => names.get(tensor) ?? tensor;
  const nodes = withoutUnused(c.nodes, new Set(results.keys())).map((node) => ({
    ...node,
    inputs: node.inputs.map(name),
    outputs: node.outputs.map(name),
  }));
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const initializers = [...c.initializers.values()].map((t) => ({ ...t, name: name(t.name) }));
  const model: Model = {
    irVersion: irVersionOf(opset),
    opsets: new Map([['', opset], ...domains(nodes).map((domain) => [domain, 1] as const)]),
    producerName: 'limbeck',
    producerVersion: '',
    graph: {
      name: options.name ?? 'graph',
      nodes,
      initializers: initializers.filter((t) => used.has(t.name)),
      inputs: [...graph.inputs, ...graph.state].map(([input, type]) => valueInfo(input, type)),
      outputs,
      valueInfos: [],
    },
    metadata: options.metadata ?? new Map(),
    functions: [],
  };
  // Excludes the evaluator's hundreds of small graphs.
  if (options.exactNaN !== true) showStage('onnx', () => printOnnx(model));
  return { model, values: new Map([...c.values].map(([tensor, value]) => [name(tensor), value])) };
}

/** Operator sets of the nodes besides ONNX' own. */
function domains(nodes: readonly OnnxNode[]): string[] {
  return [...new Set(nodes.map(({ domain }) => domain))].filter((domain) => domain !== '').sort();
}

/** Tensor by output name; an input, a stored tensor or a value of two outputs is copied. */
function bindResults(c: Lowering): { results: Map<string, string>; outputs: ValueInfo[] } {
  const results = new Map<string, string>();
  const outputs: ValueInfo[] = [];
  const bind = (output: string, value: string): void => {
    const tensor = c.plain(value);
    const isRenamed = c.isComputed(tensor) && !results.has(tensor);
    results.set(isRenamed ? tensor : c.one('Identity', [tensor]), output);
    outputs.push(valueInfo(output, c.typeOf(value)));
  };
  for (const [output, value] of c.graph.outputs) bind(outputName(c.graph, output), value);
  for (const [state, value] of c.graph.updates) bind(nextName(state), value);
  return { results, outputs };
}

/** The nodes that the results need: a rule may have made an unused tensor. */
function withoutUnused(nodes: readonly OnnxNode[], wanted: Set<string>): OnnxNode[] {
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((output) => wanted.has(output))) return false;
    for (const input of node.inputs) wanted.add(input);
    return true;
  });
  return kept.reverse();
}

function valueInfo(name: string, { dtype, shape }: TensorType): ValueInfo {
  const dims = shape.map((dim): OnnxDim => {
    if (typeof dim === 'number') return dim;
    return batchFactor(dim) === 1 ? 'batch' : `batch_${batchFactor(dim)}`;
  });
  return { name, dtype, dims };
}

/** The IR version that came with an operator set: https://github.com/onnx/onnx/blob/main/docs/Versioning.md */
export function irVersionOf(opset: number): number {
  return opset >= 23 ? 11 : opset >= 21 ? 10 : opset >= 19 ? 9 : 8;
}
