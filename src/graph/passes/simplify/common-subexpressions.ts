import type { Constant, Graph } from '../../types.ts';
import { rewrite } from '../rewrite.ts';

/** Merges nodes of the same op, inputs and attributes, and equal constants. */
export function mergeCommonSubexpressions(graph: Graph): Graph {
  const constants = new Map<string, string[]>();
  const merged = new Map<string, string>();
  for (const [name, constant] of graph.constants) {
    const key = constantKey(constant);
    const alike = constants.get(key) ?? [];
    const first = alike.find((other) => isEqual(constant, graph.constants.get(other)!));
    if (first === undefined) constants.set(key, [...alike, name]);
    else merged.set(name, first);
  }
  const seen = new Map<string, readonly string[]>();
  return rewrite(graph, (node, builder) => {
    const inputs = node.inputs.map((name) => merged.get(name) ?? name);
    const key = JSON.stringify([node.op, inputs, Object.entries(node.attrs).sort()], apart);
    // Each drops values of its own.
    const known = node.op === 'Dropout' ? undefined : seen.get(key);
    if (known !== undefined) return known;
    const outputs = builder.node(node.op, inputs, node.attrs, { layer: node.layer, outputs: node.outputs });
    seen.set(key, outputs);
    return outputs;
  });
}

/** JSON has no infinite numbers, and writes null for each of them. */
function apart(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** Elements that tell most constants apart; the steps of an unrolled loop may each have the same part of a large matrix. */
const COMPARED = 64;

/** Type and some of the elements. */
function constantKey({ type, data }: Constant): string {
  const step = Math.max(1, Math.floor(data.length / COMPARED));
  const some = Array.from({ length: Math.ceil(data.length / step) }, (_, i) => data[i * step]!);
  return `${type.dtype}[${type.shape.join()}]${some.join()}`;
}

/** True for the same elements; 0 and -0 differ. */
function isEqual({ data }: Constant, { data: other }: Constant): boolean {
  for (let i = 0; i < data.length; i++) if (!Object.is(data[i], other[i])) return false;
  return true;
}
