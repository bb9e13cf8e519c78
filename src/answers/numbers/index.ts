import { BEGINS } from '../../recipe/answer-forms.ts';
import type { AnswerRow } from '../../recipe/answer-forms.ts';
import { numbersKeys } from './recipe.ts';

/** Numbers by name. */
export const numbersAnswers: AnswerRow = {
  name: 'numbers',
  words: ['number', 'numbers'],
  namesKey: 'targets',
  told: { key: 'targets', logits: false },
  tasks: {
    regression: {
      hasClasses: false,
      hasNames: false,
      isEmptyKnown: false,
      answersPer: 'sample',
      losses: ['mse', 'bounded'],
      loss: 'mse',
      // Half precision has 11 bits: too few for a label such as 1021.3 hPa.
      store: 'fp32',
      // Root mean squared error in the label's units, mean over the numbers; drops are in percent of it.
      score: { name: 'RMSE', unit: 'label' },
      mixes: ['mixup', 'cutmix'],
      begins: [
        "loss: mse # beside the teacher's answers; bounded takes the teacher as a bound of the error",
        `alpha: 0.7 ${BEGINS.alpha}`,
        '# huber: 1 # errors beyond one deviation count straight, not squared',
      ],
    },
  },
  keys: [numbersKeys],
};
