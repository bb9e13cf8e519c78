import { BEGINS } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';
import { classesKeys } from './recipe.ts';

/** One class of several. */
export const classesAnswers: AnswerRow = {
  name: 'classes',
  words: ['class', 'classes'],
  namesKey: 'labels',
  answersText: (count) => `${count} classes`,
  tasks: {
    classification: {
      hasClasses: true,
      hasNames: true,
      isEmptyKnown: false,
      answersPer: 'sample',
      losses: 'of classes',
      loss: 'kd',
      store: 'fp16',
      score: { name: 'accuracy', unit: 'fraction', isShareRight: true },
      mixes: ['mixup', 'cutmix'],
      outputs: 'probabilities',
      begins: ['loss: kd', `temperature: 4 ${BEGINS.softens}`, `alpha: 0.9 ${BEGINS.alpha}`],
    },
  },
  keys: [classesKeys],
};
