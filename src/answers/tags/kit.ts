import { NAMES_FILE } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';
import { taggedExamples } from './kit-examples.ts';

export const kit: KitForm = {
  kindOf: () => 'tags',
  output: ({ fields: [tags], answers }) => ({ shape: [1, ...tags!.shape], labels: NAMES_FILE, answers }),
  limits: () => ['It always answers, whatever it is shown: it was not trained to say that it does not know.'],
  example: (split, { run, texts }) => taggedExamples(split, run, texts),
};
