import { BEGINS } from '../../recipe/answer-forms.ts';
import type { ScoreData } from '../../base/events.ts';
import type { AnswerRow, ChosenScore } from '../../recipe/answer-forms.ts';
import { classesKeys } from './recipe.ts';

/** Scores of one class for each sample; of several classes the area under the ROC curve is the mean over each against the others. */
export const SCORES: Readonly<Record<ChosenScore, ScoreData>> = {
  accuracy: { name: 'accuracy', unit: 'fraction', isShareRight: true },
  'roc-auc': { name: 'ROC AUC', unit: 'fraction' },
  'macro-f1': { name: 'macro F1', unit: 'fraction' },
  'log-loss': { name: 'log loss', unit: 'nats' },
};

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
      score: SCORES.accuracy,
      scores: SCORES,
      mixes: ['mixup', 'cutmix'],
      outputs: 'probabilities',
      begins: ['loss: kd', `temperature: 4 ${BEGINS.softens}`, `alpha: 0.9 ${BEGINS.alpha}`],
    },
  },
  keys: [classesKeys],
};
