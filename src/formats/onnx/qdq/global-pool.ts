import { readersOf } from '../../../graph/passes/uses.ts';
import { RESHAPING, tensorData } from '../model.ts';
import type { OnnxGraph, OnnxNode } from '../model.ts';

/** Ops that pass on their input. */
const HANDING_ON = [...RESHAPING, 'Transpose'];

/**
 * Replaces means over height and width of [batch, channels, height, width] by GlobalAveragePool, which ONNX Runtime computes in integers with
 * channels last: its ReduceMean is float, between a transpose and two conversions. `rankOf`: rank of a tensor; `pooled`: called with each new tensor
 * and the result that it holds. A mean that is an output of the model stays float: rounding logits to 8 bits makes ties.
 */
export function withGlobalPools(
  graph: OnnxGraph,
  rankOf: (tensor: string) => number | undefined,
  pooled: (tensor: string, result: string) => void,
): OnnxGraph {
  const stored = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  // From operator set 18 on, axes are an input.
  const axesOf = ({ inputs, attrs }: OnnxNode): string => {
    const axesTensor = stored.get(inputs[1] ?? '');
    const axes = axesTensor === undefined ? attrs.get('axes')?.value : [...(tensorData(axesTensor) as BigInt64Array)];
    return Array.isArray(axes) ? axes.join() : '';
  };
  const ends = new Set(graph.outputs.map(({ name }) => name));
  const readers = readersOf(graph.nodes);
  const isEnd = (value: string): boolean =>
    ends.has(value) ||
    (readers.get(value) ?? []).some(
      ({ op, inputs, outputs }) => HANDING_ON.includes(op) && inputs[0] === value && isEnd(outputs[0]!),
    );
  const nodes = graph.nodes.flatMap((node) => {
    const [input, result] = [node.inputs[0]!, node.outputs[0]!];
    if (node.op !== 'ReduceMean' || axesOf(node) !== '2,3' || rankOf(input) !== 4 || isEnd(result)) return [node];
    const pool = { ...node, op: 'GlobalAveragePool', inputs: [input], attrs: new Map() };
    if (node.attrs.get('keepdims')?.value !== 0) return [pool];
    const whole = `${result}/pooled`;
    pooled(whole, result);
    const flatten = { ...node, op: 'Flatten', name: `${node.name}/flatten`, inputs: [whole], attrs: new Map() };
    return [{ ...pool, outputs: [whole] }, flatten];
  });
  return { ...graph, nodes };
}
