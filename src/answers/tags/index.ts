import { BEGINS, LOSSES_OF_LOGITS } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';
import { tagsKeys } from './recipe.ts';

/** A tag for each word of a text. */
export const tagsAnswers: AnswerRow = {
  name: 'tags',
  words: ['tag', 'tags'],
  namesKey: 'targets',
  told: { key: 'tags' },
  tasks: {
    tagging: {
      hasClasses: false,
      hasNames: true,
      isEmptyKnown: false,
      answersPer: 'word',
      losses: LOSSES_OF_LOGITS,
      loss: 'kd',
      store: 'fp16',
      // Micro-averaged F1 of entities: a right entity has the type and all words of a true one.
      score: { name: 'entity F1', unit: 'fraction' },
      mixes: [],
      begins: ['loss: kd # token by token', `temperature: 2 ${BEGINS.softens}`, `alpha: 0.5 ${BEGINS.alpha}`],
    },
  },
  keys: [tagsKeys],
};
