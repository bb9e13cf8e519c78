import { ofValues } from '../../ship/kit/examples.ts';
import { kindOfSamples, NAMES_FILE } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';

export const kit: KitForm = {
  kindOf: kindOfSamples,
  readsAnswerFiles: true,
  output: ({ answers, skeleton }) => ({ labels: NAMES_FILE, answers, skeleton }),
  limits: () => [
    'It gives each point a place whatever it is shown; a low score says that the point may be elsewhere or absent.',
  ],
  example: ofValues,
};
