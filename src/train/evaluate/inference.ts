import * as tf from '@tensorflow/tfjs-core';
import { prefixed } from '../../networks/network.ts';
import type { Network } from '../../networks/network.ts';
import type { StepProgram } from '../../trace/program.ts';
import { joinedOutputs } from '../step/joined-outputs.ts';
import type { Task } from '../../tasks/task.ts';
import { rowsOfBatch } from '../step/rows.ts';
import { floats, forward, inputFeeds } from '../step/step.ts';

export interface EvaluationOptions {
  readonly network: Network;
  readonly task: Task;
  readonly batchSize: number;
  /** Prefix of the state names: `EMA_PREFIX` for the averaged network. Default none. */
  readonly prefix?: string;
  /** Return the outputs too, as `logits`. Default: true if the task's score needs them. */
  readonly logits?: boolean;
}

/**
 * Evaluates a batch. Feeds: `x`, the targets, `weights` [batch]. Results are sums, so that batches add up exactly: `loss` Σ w · loss with the labels,
 * `score/<sum>` the sums of the task's score, and on demand `logits` [batch, width].
 */
export function evaluationProgram({
  network,
  task,
  batchSize,
  prefix = '',
  logits: wanted = task.collects !== undefined,
}: EvaluationOptions): StepProgram {
  return {
    feeds: {
      ...inputFeeds(network, batchSize),
      ...task.feeds(batchSize, 'none'),
      weights: floats([batchSize]),
    },
    state: prefixed(network.state, prefix),
    run: (feeds) => {
      const { outputs: made } = forward(network, feeds, { training: false, layers: [] });
      const targets = task.targets(feeds, 'none');
      const weights = feeds.weights as tf.Tensor1D;
      const answers = joinedOutputs(made, task.fields);
      const outputs = task.forLoss(answers);
      const sums = Object.entries(task.sums(outputs, targets, weights));
      const rows = rowsOfBatch(task, targets);
      return {
        loss: tf.sum(tf.mul(task.loss(rows.of(outputs), rows.targets(outputs), {}), rows.weights(weights))),
        ...Object.fromEntries(sums.map(([name, sum]) => [`score/${name}`, sum])),
        ...(wanted ? { logits: answers } : {}),
      };
    },
  };
}

/** Inference without labels: from `x` to the outputs and the named layers. For teachers, exports and parity checks. */
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
