import { handsOn } from './ops.ts';
import { staticSize } from './shapes.ts';
import type { DType, Graph, Node, TensorType } from './types.ts';

/** Bytes that a graph of fixed shapes holds while its nodes are computed in order. */
export interface LiveBytes {
  /** Bytes of feeds and results. */
  readonly ends: number;
  /** Bytes of variables: their current content, and the next content of variables that change. */
  readonly state: number;
  /** Maximum bytes of intermediate values held at once, each from its producer to its last reader. */
  readonly values: number;
}

const BYTES: Readonly<Record<DType, number>> = {
  float32: 4,
  float16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

function bytesOfType({ dtype, shape }: TensorType): number {
  return staticSize(shape) * BYTES[dtype];
}

/** Computes the bytes of a graph of fixed batch size; throws for a symbolic shape. */
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

/** For each value that is a view, the value that owns its memory. */
function sourcesOf(nodes: readonly Node[]): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const { op, inputs, outputs } of nodes) {
    const [from] = inputs;
    if (handsOn(op, 'kept') && from !== undefined) sources.set(outputs[0]!, sources.get(from) ?? from);
  }
  return sources;
}

/** Bytes of a session of ONNX Runtime itself, which another session for a smaller batch does not take again. */
export const SESSION_BYTES = 55e6;
/** Factor of values for kernels and fragmentation. */
const GAPS = 1.2;

/**
 * Estimated peak memory of computing a graph of fixed shapes. Both constants are fitted to measurements: see "Memory of a training step" in
 * bench/README.md. `resting`: variables of the step that the graph does not read.
 */
export function stepBytes(graph: Graph, resting: readonly TensorType[] = []): number {
  const { ends, state, values } = liveBytes(graph);
  return SESSION_BYTES + ends + state + GAPS * values + resting.reduce((sum, type) => sum + bytesOfType(type), 0);
}
