import { opSpec } from '../../graph/ops.ts';
import type { Graph, Node } from '../../graph/types.ts';

/** Operators that hand on the zeros of their first operand. */
const HANDING_ON =
  /^(BroadcastTo|Reshape|Transpose|Identity|Cast|Slice|StridedSlice|Split|Sum|Mean|GatherV2|BatchMatMul)$/;

/** Values of a graph that are zeros whatever goes in. */
export function alwaysZero({ constants, nodes }: Graph): ReadonlySet<string> {
  const isZero = (one: number | bigint): boolean => Number(one) === 0;
  const found = new Set([...constants].filter(([, { data }]) => data.every(isZero)).map(([name]) => name));
  for (const node of nodes) if (staysZero(node, found)) node.outputs.forEach((name) => found.add(name));
  return found;
}

function staysZero({ op, inputs }: Node, zeros: ReadonlySet<string>): boolean {
  const zero = HANDING_ON.test(op) ? 'first' : opSpec(op).zero;
  if (zero === 'all') return inputs.every((name) => zeros.has(name));
  return (zero !== undefined && zeros.has(inputs[0]!)) || (zero === 'any' && inputs.some((name) => zeros.has(name)));
}
