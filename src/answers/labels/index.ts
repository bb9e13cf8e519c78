import { BEGINS } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';

/** Any number of labels. */
export const labelsAnswers: AnswerRow = {
  name: 'labels',
  words: ['label', 'labels'],
  namesKey: 'targets',
  told: { key: 'targets', logits: true },
  tasks: {
    'multi-label': {
      hasClasses: false,
      hasNames: true,
      isEmptyKnown: true,
      answersPer: 'sample',
      losses: ['kd', 'mse'],
      loss: 'kd',
      store: 'fp16',
      // F1 of each label at a probability of 0.5, mean over the labels.
      score: { name: 'macro F1', unit: 'fraction' },
      mixes: ['mixup', 'cutmix'],
      outputs: 'probabilities',
      begins: ['loss: kd # label by label', `temperature: 1 ${BEGINS.softens}`, `alpha: 0.5 ${BEGINS.alpha}`],
    },
  },
  keys: [],
};
