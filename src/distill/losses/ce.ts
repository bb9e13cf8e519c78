import { labelLoss } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Cross-entropy with the labels alone: how the scratch twin of the student is trained.
 *
 *   L = -Σ_k y_k log softmax(s)_k,   y = (1 - ε)·onehot + ε/K
 */
export const ce = logitLoss({
  needs: 'labels',
  compute: (input) => {
    const loss = labelLoss(input);
    return { loss, parts: { ce: loss } };
  },
});
