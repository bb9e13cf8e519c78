import * as tf from '@tensorflow/tfjs-core';
import { withBatch } from '../../../graph/shapes.ts';
import type { TensorType } from '../../../graph/types.ts';
import type { StepProgram } from '../../../trace/program.ts';
import type { Loss } from '../../../train/loss.ts';
import type { Optimizer } from '../../../train/optimizers.ts';
import { byStateName, correct, lossInput, targetsFrom, targetTypes } from '../../../train/step.ts';
import type { FakeQuantizedNetwork } from './network.ts';
import { HIGH, LOW } from './network.ts';

/** The feed `hyper/rangeRate`: how far a range moves towards that of the batch; 0 while ranges are frozen. */
export const RANGE_RATE = 'rangeRate';

export interface QatOptions {
  readonly network: FakeQuantizedNetwork;
  /** One that compares logits. */
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /** As for a training step in float. */
  readonly targets?: 'classes' | 'mixup' | 'soft';
}

/**
 * One training step of the network as int8 computes it: forward with fake quantization, loss, straight-through backward,
 * update of the weights; then the ranges follow those of the batch as moving averages. Feeds and results are those of a
 * training step in float, and `hyper/rangeRate`.
 */
export function qatTrainingProgram({
  network,
  loss,
  optimizer,
  batchSize,
  targets = 'classes',
}: QatOptions): StepProgram {
  const { classes, trainable, variables } = network;
  const trained = { ...trainable, ...loss.variables };
  return {
    feeds: {
      x: inputOf(network, batchSize),
      ...targetTypes(targets, batchSize, classes),
      weights: floats([batchSize]),
      ...(loss.needs === 'labels' ? {} : { teacherLogits: floats([batchSize, classes]) }),
      ...Object.fromEntries([...Object.keys(loss.hyper), RANGE_RATE].map((name) => [`hyper/${name}`, floats([])])),
      ...optimizer.feeds,
    },
    state: { ...variables, ...loss.variables, ...optimizer.slots },
    run: (feeds) => {
      const goal = targetsFrom(feeds, targets, classes);
      const weights = feeds.weights as tf.Tensor1D;
      const results: Record<string, tf.Tensor> = {};
      const observed: Record<string, tf.Tensor> = {};
      const { grads } = tf.variableGrads(() => {
        const { logits, low, high } = network.run(feeds.x!, batchSize);
        const input = lossInput(loss, feeds, { studentLogits: logits, targets: goal, weights, studentFeatures: {} });
        const { loss: value, parts } = loss.compute(input);
        results['loss'] = tf.keep(value.clone());
        for (const [name, part] of Object.entries(parts)) results[`loss/${name}`] = tf.keep(part.clone());
        results['correct'] = tf.keep(correct(logits, goal, weights));
        observed[LOW] = tf.keep(low.clone());
        observed[HIGH] = tf.keep(high.clone());
        return value;
      }, Object.values(trained));
      optimizer.apply(byStateName(trained, grads), feeds);
      for (const [name, end] of Object.entries(observed)) {
        const range = variables[name]!;
        range.assign(tf.add(range, tf.mul(tf.sub(end, range), feeds[`hyper/${RANGE_RATE}`]!)));
      }
      return results;
    },
  };
}

/** Inference as int8 computes it, fed and answering as an evaluation in float; `logits` on demand. */
export function qatEvaluationProgram({
  network,
  batchSize,
  logits: wanted = false,
}: Pick<QatOptions, 'network' | 'batchSize'> & { readonly logits?: boolean }): StepProgram {
  return {
    feeds: {
      x: inputOf(network, batchSize),
      labels: { dtype: 'int32', shape: [batchSize] },
      weights: floats([batchSize]),
    },
    state: network.variables,
    run: (feeds) => {
      const { logits } = network.run(feeds.x!, batchSize);
      const targets = targetsFrom(feeds, 'classes', network.classes);
      const weights = feeds.weights as tf.Tensor1D;
      const entropy = tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), -1));
      return {
        loss: tf.sum(tf.mul(entropy, weights)),
        correct: correct(logits, targets, weights),
        ...(wanted ? { logits } : {}),
      };
    },
  };
}

function inputOf({ inputType: { dtype, shape } }: FakeQuantizedNetwork, batchSize: number): TensorType {
  return { dtype, shape: withBatch(shape, batchSize) };
}

function floats(shape: readonly number[]): TensorType {
  return { dtype: 'float32', shape };
}
