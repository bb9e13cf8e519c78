import { BEGINS, LOSSES_OF_FEATURES, namedAnswers } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';
import { boxesKeys } from './recipe.ts';

/** Boxes around the objects in a picture. */
export const boxesAnswers: AnswerRow = {
  name: 'boxes',
  words: ['class', 'classes'],
  namesKey: 'targets',
  answersText: (count, names) => `boxes with a class each: ${namedAnswers(count, names)}`,
  told: { key: 'boxes' },
  tasks: {
    detection: {
      hasClasses: false,
      hasNames: true,
      isEmptyKnown: true,
      answersPer: 'point',
      losses: ['kd', ...LOSSES_OF_FEATURES, 'frs'],
      loss: 'kd',
      store: 'fp16',
      // Mean average precision of boxes by COCO's rules: over classes, and over intersections over union of 0.50 to 0.95.
      score: { name: 'mAP', unit: 'fraction' },
      mixes: ['mosaic'],
      outputs: 'detections',
      fields: ['boxes', 'scores'],
      // Scores of single classes, most of them near 0: softened, the many negatives would outweigh what a picture shows.
      temperature: 1,
      begins: [
        'loss: kd # point by point: class scores and boxes',
        `temperature: 1 ${BEGINS.softens}`,
        `alpha: 0.5 ${BEGINS.alpha}`,
      ],
    },
  },
  keys: [boxesKeys],
};
