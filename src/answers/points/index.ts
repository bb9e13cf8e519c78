import { BEGINS, LOSSES_OF_LOGITS, LOSSES_OF_FEATURES, namedAnswers } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';
import { pointsKeys } from './recipe.ts';

/** Places of named points in a picture. */
export const pointsAnswers: AnswerRow = {
  name: 'points',
  words: ['point', 'points'],
  namesKey: 'targets',
  answersText: (count, names) => `the places of points: ${namedAnswers(count, names)}`,
  told: { key: 'points' },
  tasks: {
    points: {
      hasClasses: false,
      hasNames: true,
      isEmptyKnown: false,
      answersPer: 'sample',
      losses: [...LOSSES_OF_LOGITS, ...LOSSES_OF_FEATURES],
      loss: 'kd',
      store: 'fp16',
      // Share of points that lie within a part of the picture's longer side of their label, over all labelled points of the set.
      score: { name: 'PCK', unit: 'fraction' },
      mixes: [],
      outputs: 'points',
      begins: [
        'loss: kd # for each point: the row over columns, then the one over rows',
        `temperature: 1 ${BEGINS.softens}`,
        `alpha: 0.5 ${BEGINS.alpha}`,
      ],
    },
  },
  keys: [pointsKeys],
};
