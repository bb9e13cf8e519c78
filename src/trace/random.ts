import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../base/random.ts';
import { lazyBackend } from './backend.ts';
import { isTracing } from './scope.ts';
import type { Value } from './value.ts';
import { placeholder } from './value.ts';

/** Prefix of graph inputs that whoever runs the graph fills with uniform numbers in [0, 1). */
export const RANDOM_PREFIX = 'random/';

export type RandomSource = (name: string, shape: readonly number[]) => Float32Array;

let inputs: Value[] | undefined;
let source: RandomSource | undefined;
let drawn = 0;

/**
 * Uniform numbers in [0, 1) that are new in every call of the program: a feed `random/<n>` in a trace (numbered in the order of the calls), else
 * drawn at once. Masks made from them are the same on every engine and in every resumed run.
 */
export function uniformFeed(shape: readonly number[]): tf.Tensor {
  if (isTracing() && inputs !== undefined) {
    const value = placeholder('input', `${RANDOM_PREFIX}${inputs.length}`, { dtype: 'float32', shape: [...shape] });
    inputs.push(value);
    return tf.engine().makeTensorFromTensorInfo(lazyBackend().hold(value), lazyBackend());
  }
  const name = `${RANDOM_PREFIX}${drawn++}`;
  return tf.tensor((source ?? drawUniform)(name, shape), [...shape], 'float32');
}

/** Standard normal numbers from two uniform feeds (Box & Muller 1958). */
export function normalFeed(shape: readonly number[]): tf.Tensor {
  return tf.tidy(() => {
    const radius = tf.sqrt(tf.mul(-2, tf.log(tf.sub(1, uniformFeed(shape)))));
    return tf.mul(radius, tf.cos(tf.mul(2 * Math.PI, uniformFeed(shape))));
  });
}

/** Runs `body` eagerly with numbers from `next`, for feeds named `random/0`, `random/1`, … as in a trace. */
export function withRandomSource<T>(next: RandomSource, body: () => T): T {
  const before = [source, drawn] as const;
  [source, drawn] = [next, 0];
  try {
    return body();
  } finally {
    [source, drawn] = before;
  }
}

/** Uniform numbers of the stream `key`. */
export function uniformNumbers(count: number, ...key: readonly (string | number)[]): Float32Array {
  const stream = new RandomStream(...key);
  return Float32Array.from({ length: count }, () => stream.uniform());
}

function drawUniform(name: string, shape: readonly number[]): Float32Array {
  return uniformNumbers(
    shape.reduce((n, dim) => n * dim, 1),
    'eager',
    name,
  );
}

/** Runs `body`, collecting the random inputs of this trace. */
export function collectRandomInputs<T>(body: (random: readonly Value[]) => T): T {
  const before = inputs;
  inputs = [];
  try {
    return body(inputs);
  } finally {
    inputs = before;
  }
}
