import { BEGINS, LOSSES_OF_FEATURES, LOSSES_OF_LOGITS, namedAnswers } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';
import { maskKeys } from './recipe.ts';

/** A class for each pixel of a picture. */
export const maskAnswers: AnswerRow = {
  name: 'mask',
  words: ['class', 'classes'],
  namesKey: 'targets',
  answersText: (count, names) => `a class for each pixel: ${namedAnswers(count, names)}`,
  told: { key: 'mask' },
  tasks: {
    segmentation: {
      hasClasses: false,
      hasNames: true,
      isEmptyKnown: false,
      answersPer: 'pixel',
      losses: [...LOSSES_OF_LOGITS, 'cwd-logits', ...LOSSES_OF_FEATURES],
      loss: 'kd',
      store: 'fp16',
      // Mean intersection over union of the classes, over all pixels of the set.
      score: { name: 'mean IoU', unit: 'fraction' },
      mixes: [],
      outputs: 'classes',
      // At temperature 4 and alpha 0.9 students of three sets were 2.4 to 5.1 points behind their twins (bench/dense/README.md).
      temperature: 1,
      begins: ['loss: kd # pixel by pixel', `temperature: 1 ${BEGINS.softens}`, `alpha: 0.2 ${BEGINS.alpha}`],
    },
  },
  keys: [maskKeys],
};
