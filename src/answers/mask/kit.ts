import { ofValues } from '../../ship/kit/examples.ts';
import { kindOfSamples, NAMES_FILE } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';

export const kit: KitForm = {
  kindOf: kindOfSamples,
  output: ({ fields: [cells], answers }) => ({ shape: [1, ...cells!.shape], labels: NAMES_FILE, answers }),
  limits: (classes) => [
    `It gives each pixel one of ${classes} classes, whatever it is shown: it was not trained to say that it does not know.`,
  ],
  example: ofValues,
};
