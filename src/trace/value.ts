import { opSpec } from '../graph/ops.ts';
import type { Attrs, TensorData, TensorType } from '../graph/types.ts';
import { currentLayer } from './scope.ts';

/** A type in a trace: every size is known. */
export interface ConcreteType extends TensorType {
  readonly shape: readonly number[];
}

/** Source of a value that has no data and no node. */
export interface Placeholder {
  readonly kind: 'input' | 'state' | 'foreign variable';
  readonly name: string;
}

/**
 * Content of a tensor: data, a pending result (output `index` of a node), or a placeholder in a trace. A computed value drops its node, so that the
 * node's inputs can be garbage collected.
 */
export interface Value {
  readonly type: ConcreteType;
  readonly index: number;
  data?: TensorData;
  node?: LazyNode;
  readonly placeholder?: Placeholder;
  /** Number of the backend's data ids that refer to this value. */
  holders: number;
}

/** An op that was called and may be computed later. Inputs do not refer to it: an unused node is garbage. */
export interface LazyNode {
  readonly op: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attrs: Attrs;
  readonly outputs: readonly ConcreteType[];
  readonly layer: string | undefined;
  /** Order of creation. */
  readonly order: number;
  /** Length of the longest chain of pending nodes below it. */
  readonly depth: number;
}

let order = 0;

export function leaf(data: TensorData, type: ConcreteType): Value {
  return { type, index: 0, data, holders: 0 };
}

export function placeholder(kind: Placeholder['kind'], name: string, type: ConcreteType): Value {
  return { type, index: 0, placeholder: { kind, name }, holders: 0 };
}

/** Records an op and returns all of its outputs. An absent optional input is `undefined`. */
export function nodeOutputs(op: string, inputs: readonly (Value | undefined)[], attrs: Attrs = {}): Value[] {
  const layer = currentLayer();
  const types = inputs.map((value) => value?.type ?? ({ dtype: 'float32', shape: [] } as const));
  let outputs: readonly ConcreteType[];
  try {
    outputs = opSpec(op).infer(types, attrs) as readonly ConcreteType[];
  } catch (error) {
    const where = layer === undefined ? op : `${layer}: ${op}`;
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
  const depth = 1 + Math.max(0, ...inputs.map((value) => value?.node?.depth ?? 0));
  const node: LazyNode = { op, inputs, attrs, outputs, layer, order: order++, depth };
  return outputs.map((type, index) => ({ type, index, node, holders: 0 }));
}

/** Records an op with one output. */
export function op(name: string, inputs: readonly (Value | undefined)[], attrs: Attrs = {}): Value {
  return nodeOutputs(name, inputs, attrs)[0]!;
}
