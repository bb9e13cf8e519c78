import { handsOn } from './ops.ts';
import { staticSize } from './shapes.ts';
import type { DType, Graph, Node, TensorType } from './types.ts';

/** Bytes that a graph of fixed shapes holds while it is computed, node after node in its order. */
export interface LiveBytes {
  /** Bytes of the feeds, and of the results. */
  readonly ends: number;
  /** Bytes of variables: their current content, and beside it the next content of variables that change. */
  readonly state: number;
  /** The most that values between the ends take at once, each from the node that makes it to the last that reads it. */
  readonly values: number;
}

const BYTES: Readonly<Record<DType, number>> = {
  ...{ float32: 4, float16: 2, int64: 8, int32: 4, int16: 2, int8: 1, uint8: 1, bool: 1 },
};

function bytesOfType({ dtype, shape }: TensorType): number {
  return staticSize(shape) * BYTES[dtype];
}

/** A graph of a fixed batch size: throws where a shape is symbolic. */
export function liveBytes(graph: Graph): LiveBytes {
  const { inputs, state, updates, outputs, types, nodes } = graph;
  const size = (name: string): number => bytesOfType(types.get(name)!);
  const total = (names: Iterable<string>): number => [...names].reduce((sum, name) => sum + size(name), 0);
  const sourceOf = sourcesOf(nodes);
  const root = (name: string): string => sourceOf.get(name) ?? name;
  const held = new Set([...inputs.keys(), ...state.keys(), ...graph.constants.keys()]);
  for (const name of [...outputs.values(), ...updates.values()]) held.add(root(name));
  const lastRead = new Map<string, number>();
  for (const [at, node] of nodes.entries()) for (const name of node.inputs) lastRead.set(root(name), at);
  let [now, most] = [0, 0];
  for (const [at, node] of nodes.entries()) {
    const made = [...new Set(node.outputs.map(root))].filter((name) => node.outputs.includes(name) && !held.has(name));
    now += total(made);
    most = Math.max(most, now);
    const read = new Set([...node.inputs, ...node.outputs].filter((name) => name !== '').map(root));
    for (const name of read) if (!held.has(name) && (lastRead.get(name) ?? at) <= at) now -= size(name);
  }
  return {
    ends: total(inputs.keys()) + total(outputs.values()),
    state: total(state.keys()) + total(updates.keys()),
    values: most,
  };
}

/** Value that owns the memory, for each value that is a view of another. */
function sourcesOf(nodes: readonly Node[]): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const { op, inputs, outputs } of nodes) {
    const [from] = inputs;
    if (handsOn(op, 'kept') && from !== undefined) sources.set(outputs[0]!, sources.get(from) ?? from);
  }
  return sources;
}

/** Memory that ONNX Runtime takes for itself with a session, and that its kernels and the gaps between its blocks add to the values. */
const [OWN, GAPS] = [55e6, 1.2];

/**
 * About the memory that computing a graph of fixed shapes takes at its highest. The two numbers are fitted to measurements: see "Memory
 * of a training step" in docs/benchmarks.md. `resting`: variables of the step that the graph does not read.
 */
export function stepBytes(graph: Graph, resting: readonly TensorType[] = []): number {
  const { ends, state, values } = liveBytes(graph);
  return OWN + ends + state + GAPS * values + resting.reduce((sum, type) => sum + bytesOfType(type), 0);
}
