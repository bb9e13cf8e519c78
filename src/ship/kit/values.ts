import { ofValues } from './examples.ts';
import { kindOfSamples, NAMES_FILE } from './forms.ts';
import type { KitForm } from './forms.ts';

/** Parts of a kit for answers that are numbers, each with a name. */
export const namedValues: KitForm = {
  program: { name: 'predict', DOES: 'Predicts', LABELS: 'names', ASKS: 'predict' },
  texts: {
    part: 'values',
    NAME: 'TextPredictor',
    DOC: 'Answers to texts by name, in the order of labels.txt: numbers in the units of the labels, or the probability of each label.',
  },
  pictures: {
    part: 'picture-values',
    NAME: 'Predictor',
    DOC: 'Answers by name, in the order of labels.txt: numbers in the units of the labels, or the probability of each label.',
  },
  hasPages: true,
  pageAnswers: 'values',
  kindOf: kindOfSamples,
  output: ({ width, answers }) => ({ numbers: width, labels: NAMES_FILE, answers }),
  limits: () => ['It always answers, whatever it is shown: it was not trained to say that it does not know.'],
  example: ofValues,
};
