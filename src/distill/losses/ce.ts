import { labelLoss } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * The labels alone, as the task learns from them: how the scratch twin of the student is trained. Of classes that is cross-entropy,
 *
 *   L = -Σ_k y_k log softmax(s)_k,   y = (1 - ε)·onehot + ε/K
 */
export const ce = logitLoss({
  needs: 'labels',
  compute: (input) => {
    const loss = labelLoss(input);
    return { loss, parts: { [input.task.lossName]: loss } };
  },
});
