import { opSpec } from '../graph/ops.ts';
import type { Attrs, TensorData, TensorType } from '../graph/types.ts';
import { currentLayer } from './scope.ts';

/** A type inside a trace: every size is known there. */
export interface ConcreteType extends TensorType {
  readonly shape: readonly number[];
}

/** Source of a value that has no data and is not computed by a node. */
export interface Placeholder {
  readonly kind: 'input' | 'state' | 'foreign variable';
  readonly name: string;
}

/**
 * The content of a tensor: data, or a promise of it (output `index` of a node), or a placeholder of a running trace. Once
 * it has been computed it holds data and lets go of the node, so that what it came from can be collected.
 */
export interface Value {
  readonly type: ConcreteType;
  readonly index: number;
  data?: TensorData;
  node?: LazyNode;
  readonly placeholder?: Placeholder;
  /** Number of the backend's data ids that stand for this value. */
  holders: number;
}

/** An op that was called and may be computed later. Nothing points from inputs to it: an unused one is garbage. */
export interface LazyNode {
  readonly op: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attrs: Attrs;
  readonly outputs: readonly ConcreteType[];
  readonly layer: string | undefined;
  /** Order of creation. */
  readonly order: number;
  /** Longest chain of pending nodes below it. */
  readonly depth: number;
}

let order = 0;

export function leaf(data: TensorData, type: ConcreteType): Value {
  return { type, index: 0, data, holders: 0 };
}

export function placeholder(kind: Placeholder['kind'], name: string, type: ConcreteType): Value {
  return { type, index: 0, placeholder: { kind, name }, holders: 0 };
}

/** Records an op and gives all of its outputs. An absent optional input is `undefined`. */
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
