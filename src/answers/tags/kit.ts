import path from 'node:path';
import { NAMES_FILE } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';
import { taggedExamples } from './kit-examples.ts';

export const kit: KitForm = {
  program: { name: 'tag', DOES: 'Tags the words of texts', LABELS: 'names', ASKS: 'logitsOf' },
  texts: {
    part: 'tags',
    NAME: 'Tagger',
    DOC: 'Words with their tags; null for a word without a token, and behind the last token that the model takes.',
  },
  hasPages: true,
  kindOf: () => 'tags',
  output: ({ fields: [tags], answers }) => ({ shape: [1, ...tags!.shape], labels: NAMES_FILE, answers }),
  limits: () => ['It always answers, whatever it is shown: it was not trained to say that it does not know.'],
  example: (split, { run, texts }) => taggedExamples(split, run, texts),
  folder: path.join(import.meta.dirname, 'kit'),
};
