import * as tf from '@tensorflow/tfjs-core';
import { prefixed } from '../networks/network.ts';
import type { Network } from '../networks/network.ts';
import type { StepProgram } from '../trace/program.ts';
import { classCountOf, correct, floats, forward, inputFeeds, targetsFrom } from './step.ts';

export interface EvaluationOptions {
  readonly network: Network;
  readonly batchSize: number;
  /** In front of the state names: `EMA_PREFIX` for the averaged network. Default none. */
  readonly prefix?: string;
  /** Hand the logits back too. Default false. */
  readonly logits?: boolean;
}

/**
 * Inference on a batch. Feeds: `x`, `labels` int32 [batch], `weights` [batch]. Results are sums, so that batches add up
 * exactly: `loss` Σ w · cross-entropy, `correct` Σ w · hit, and on demand `logits` [batch, classes].
 */
export function evaluationProgram({
  network,
  batchSize,
  prefix = '',
  logits: wanted = false,
}: EvaluationOptions): StepProgram {
  const classes = classCountOf(network);
  return {
    feeds: {
      ...inputFeeds(network, batchSize),
      labels: { dtype: 'int32', shape: [batchSize] },
      weights: floats([batchSize]),
    },
    state: prefixed(network.state, prefix),
    run: (feeds) => {
      const { logits } = forward(network, feeds, { training: false, layers: [] });
      const targets = targetsFrom(feeds, 'classes', classes);
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

/** Inference without labels: `x` to the outputs by name and the layers named. For teachers, exports and parity checks. */
export function predictionProgram({
  network,
  batchSize,
  features = [],
}: {
  readonly network: Network;
  readonly batchSize: number;
  readonly features?: readonly string[];
}): StepProgram {
  return {
    feeds: inputFeeds(network, batchSize),
    state: network.state,
    run: (feeds) => {
      const { outputs, layers } = forward(network, feeds, { training: false, layers: features });
      return { ...outputs, ...layers };
    },
  };
}
