import * as tf from '@tensorflow/tfjs-core';
import { BACKEND_NAME } from './backend.ts';
import { setEvaluator } from './evaluate.ts';
import type { GraphEvaluator } from './evaluate.ts';
import { install } from './install.ts';

/** Makes the lazy backend tfjs' current one; `evaluator` computes values that are read outside of a trace. */
export function useLazyBackend(evaluator: GraphEvaluator): void {
  install();
  setEvaluator(evaluator);
  void tf.engine().setBackend(BACKEND_NAME);
}
