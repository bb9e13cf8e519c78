import * as tf from '@tensorflow/tfjs-core';
import type { DType, Graph, Node, TensorData } from '../../graph/types.ts';
import { elementwise, tfjsDtype } from './elementwise.ts';
import { linear } from './linear.ts';
import { norm } from './norm.ts';
import { reduce } from './reduce.ts';
import { shape } from './shape.ts';
import type { Rules } from './table.ts';

export const interpretRules: Rules = { ...elementwise, ...reduce, ...shape, ...linear, ...norm };

export interface Interpreted {
  readonly outputs: Readonly<Record<string, tf.Tensor>>;
  readonly updates: Readonly<Record<string, tf.Tensor>>;
}

/**
 * Runs a graph of fixed shapes with tf ops on the current backend; `values`: inputs and state by name, and replacements of constants. A result of
 * `see` replaces a value; a result of `instead` replaces the results of a node.
 */
export function interpret(
  graph: Graph,
  values: Readonly<Record<string, tf.Tensor>>,
  see: (name: string, value: tf.Tensor) => tf.Tensor = (_, value) => value,
  instead: (node: Node, inputs: readonly tf.Tensor[]) => tf.Tensor[] | undefined = () => undefined,
): Interpreted {
  const results = tf.tidy(() => {
    const bound = new Map<string, tf.Tensor>(Object.entries(values));
    for (const name of graph.inputs.keys()) bound.set(name, see(name, bound.get(name)!));
    for (const [name, { type, data }] of graph.constants)
      if (!bound.has(name)) bound.set(name, tfTensorOf(data, type.dtype, type.shape as number[]));
    for (const node of graph.nodes) {
      const { op, inputs, attrs, outputs, layer } = node;
      const rule = Object.hasOwn(interpretRules, op) ? interpretRules[op] : undefined;
      if (rule === undefined) throw new Error(`${layer ?? ''} ${op} cannot be interpreted`.trim());
      const operands = inputs.map((name) => (name === '' ? undefined : bound.get(name)!)) as tf.Tensor[];
      const computed = instead(node, operands) ?? [rule(operands, attrs)].flat();
      outputs.forEach((name, i) => bound.set(name, see(name, computed[i]!)));
    }
    const pick = (from: ReadonlyMap<string, string>, prefix: string): [string, tf.Tensor][] =>
      [...from].map(([name, value]) => [prefix + name, tf.clone(bound.get(value)!)]);
    return Object.fromEntries([...pick(graph.outputs, 'o'), ...pick(graph.updates, 'u')]);
  });
  const take = (prefix: string): Record<string, tf.Tensor> =>
    Object.fromEntries(
      Object.entries(results)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(1), tensor]),
    );
  return { outputs: take('o'), updates: take('u') };
}

/** A tensor on the current backend; tfjs does not support float16 bits and 64-bit integers. */
export function tfTensorOf(data: TensorData, dtype: DType, shape: readonly number[]): tf.Tensor {
  if (dtype === 'float16') throw new Error('float16 cannot be interpreted');
  const values = data instanceof BigInt64Array ? Int32Array.from(data, Number) : data;
  const typed = tfjsDtype(dtype);
  return tf.tensor(
    typed === 'int32' ? Int32Array.from(values as Int32Array) : (values as Float32Array),
    [...shape],
    typed,
  );
}
