import * as tf from '@tensorflow/tfjs-core';
import type { TensorData } from '../../graph/types.ts';
import type { GraphEvaluator } from '../evaluate.ts';
import { interpret, tfTensorOf } from './interpret.ts';

/** Evaluates graphs with tf ops on another backend, such as tfjs' `cpu`: slow, but independent of other code. */
export function interpreterOn(backendName: string): GraphEvaluator {
  return {
    runSync: (graph, feeds) => {
      const engine = tf.engine();
      const before = engine.backendName;
      void engine.setBackend(backendName);
      try {
        const results = new Map<string, TensorData>();
        tf.tidy(() => {
          const values: Record<string, tf.Tensor> = {};
          for (const [name, { dtype, shape }] of graph.inputs)
            values[name] = tfTensorOf(feeds.get(name)!, dtype, shape as number[]);
          const { outputs } = interpret(graph, values);
          for (const [name, tensor] of Object.entries(outputs)) results.set(name, tensor.dataSync().slice());
        });
        return results;
      } finally {
        void engine.setBackend(before);
      }
    },
  };
}
