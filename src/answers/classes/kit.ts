import { plain } from '../../ship/kit/examples.ts';
import { kindOfSamples, NAMES_FILE } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';

export const kit: KitForm = {
  kindOf: kindOfSamples,
  output: ({ width }) => ({ classes: width, labels: NAMES_FILE, softmax: 'not in the model' }),
  limits: (classes) => [
    `It always answers one of ${classes} classes, whatever it is shown: it was not trained to say that it does not know.`,
    'Its probabilities were not calibrated; a high one is no promise.',
  ],
  example: plain(({ classNames, targets }, row) => ({ label: classNames[targets[row]!] })),
};
