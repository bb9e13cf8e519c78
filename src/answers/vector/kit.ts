import path from 'node:path';
import { plain } from '../../ship/kit/examples.ts';
import { kindOfSamples } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';

export const kit: KitForm = {
  program: {
    name: 'embed',
    DOES: 'Embeds samples, and finds those that are alike,',
    LABELS: 'names',
    ASKS: 'vectorOf',
  },
  texts: {
    part: 'vector',
    NAME: 'TextEmbedder',
    DOC: 'Vectors of length 1 of texts, which are as alike as the sum of the products of their numbers is large.',
  },
  pictures: {
    part: 'picture-vector',
    NAME: 'Embedder',
    DOC: 'Vectors of length 1 of samples, which are as alike as the sum of the products of their numbers is large.',
  },
  hasNames: false,
  hasPages: true,
  pageAnswers: 'vector',
  kindOf: kindOfSamples,
  output: ({ width }) => ({ numbers: width, length: 1, answers: 'values' }),
  limits: () => [
    'It gives a vector to whatever it is shown; how alike two samples must be to belong together is for your own data to show.',
  ],
  example: plain(({ classNames, targets }, row) => (classNames.length > 0 ? { label: classNames[targets[row]!] } : {})),
  folder: path.join(import.meta.dirname, 'kit'),
};
