import type { Constant, Graph } from '../../types.ts';
import { rewrite } from '../rewrite.ts';

/** Merges nodes of the same op, inputs and attributes, and equal constants. */
export function mergeCommonSubexpressions(graph: Graph): Graph {
  const constants = new Map<string, string>();
  const merged = new Map<string, string>();
  for (const [name, constant] of graph.constants) {
    const key = constantKey(constant);
    if (key === undefined) continue;
    const first = constants.get(key);
    if (first === undefined) constants.set(key, name);
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

/** Large constants are hardly ever equal: they are told apart by their content only up to this many elements. */
const COMPARED = 4096;

function constantKey({ type, data }: Constant): string | undefined {
  if (data.length > COMPARED) return undefined;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return `${type.dtype}[${type.shape.join()}]${Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')}`;
}
