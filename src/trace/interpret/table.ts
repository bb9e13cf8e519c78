import * as tf from '@tensorflow/tfjs-core';
import type { Attrs } from '../../graph/types.ts';

/** Computes an op with tf ops on the current backend. An absent optional input is `undefined`. */
export type InterpretRule = (inputs: readonly tf.Tensor[], attrs: Attrs) => tf.Tensor | tf.Tensor[];
export type Rules = Readonly<Record<string, InterpretRule>>;

/** Calls a kernel by name, bypassing the checks of tfjs' ops (explicit paddings, strides together with dilations). */
export function kernel(name: string, inputs: Record<string, tf.Tensor>, attrs: object = {}): tf.Tensor {
  return tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap);
}

export function numbersAttr(attrs: Attrs, name: string): number[] {
  return [...(attrs[name] as readonly number[])];
}

export function numberAttr(attrs: Attrs, name: string): number {
  return attrs[name] as number;
}
