import { UserError } from '../base/errors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { TensorData } from '../graph/types.ts';
import type { LazyNode, Value } from './value.ts';

/** Every pending node that `roots` need, in order of creation, and values without a node. */
export function reachable(roots: readonly Value[]): { nodes: LazyNode[]; leaves: Value[] } {
  const nodes = new Set<LazyNode>();
  const leaves = new Set<Value>();
  const pending: Value[] = [...roots];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value.node === undefined) {
      leaves.add(value);
    } else if (!nodes.has(value.node)) {
      nodes.add(value.node);
      for (const input of value.node.inputs) if (input !== undefined) pending.push(input);
    }
  }
  return { nodes: [...nodes].sort((a, b) => a.order - b.order), leaves: [...leaves] };
}

/** Adds what `roots` need to `builder`, and returns a function from values to their names in the graph. */
export function addNodes(
  builder: GraphBuilder,
  roots: readonly Value[],
  addLeaf: (value: Value) => string,
): (value: Value) => string {
  const outputs = new Map<LazyNode, string[]>();
  const leaves = new Map<Value, string>();
  const nameOf = (value: Value): string => {
    if (value.node !== undefined) return outputs.get(value.node)![value.index]!;
    const known = leaves.get(value);
    if (known !== undefined) return known;
    const name = addLeaf(value);
    leaves.set(value, name);
    return name;
  };
  for (const node of reachable(roots).nodes) {
    const inputs = node.inputs.map((input) => (input === undefined ? '' : nameOf(input)));
    outputs.set(node, builder.node(node.op, inputs, node.attrs, { layer: node.layer }));
  }
  return nameOf;
}

/** Error for reading a value that only exists as a placeholder in a trace. */
export function notReadable(value: Value, roots: readonly Value[]): UserError {
  const from = value.placeholder!;
  let node = roots[0]?.node;
  while (node?.op === 'Reshape' && node.inputs[0]?.node !== undefined) node = node.inputs[0].node;
  const what =
    node === undefined
      ? `the ${from.kind} ${from.name}`
      : `the result of ${node.op}${node.layer === undefined ? '' : ` in layer ${node.layer}`}, which depends on the ${from.kind} ${from.name}`;
  return new UserError(
    `a step read ${what}; while a step is traced it has no value`,
    'Return the tensor from the step and read it there, or compute with tf ops (tf.where, tf.mul with a mask) instead of branching on its value.',
  );
}

/** The value of a constant array; undefined if values differ. */
export function uniform(data: TensorData): number | bigint | undefined {
  const first = data[0];
  if (first === undefined) return undefined;
  for (let i = 1; i < data.length; i++) if (!Object.is(data[i], first)) return undefined;
  return first;
}
