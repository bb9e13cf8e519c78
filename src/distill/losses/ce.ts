import { labelLoss } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * The task's loss with the labels alone, by which the student's twin is trained. For classification, cross-entropy:
 *
 * L = -Σ_k y_k log softmax(s)_k, y = (1 - ε)·onehot + ε/K
 */
export const ce = logitLoss({
  needs: 'labels',
  compute: (input) => {
    const loss = labelLoss(input);
    return { loss, parts: { [input.task.lossName]: loss } };
  },
});
