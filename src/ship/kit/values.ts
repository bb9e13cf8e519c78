import { ofValues } from './examples.ts';
import { kindOfSamples, NAMES_FILE } from './forms.ts';
import type { KitForm } from './forms.ts';

/** Parts of a kit for answers that are numbers, each with a name. */
export const namedValues: KitForm = {
  kindOf: kindOfSamples,
  output: ({ width, answers }) => ({ numbers: width, labels: NAMES_FILE, answers }),
  limits: () => ['It always answers, whatever it is shown: it was not trained to say that it does not know.'],
  example: ofValues,
};
