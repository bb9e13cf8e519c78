import path from 'node:path';
import { ofValues } from '../../ship/kit/examples.ts';
import { kindOfSamples, NAMES_FILE } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';

export const kit: KitForm = {
  program: {
    ...{ name: 'segment', DOES: 'Segments pictures', LABELS: 'names', ASKS: 'logitsOf' },
    modules: ['masks', 'mask-colours'],
  },
  pictures: {
    part: 'picture-mask',
    NAME: 'Segmenter',
    DOC: 'Masks of pictures: a class for each pixel, drawn over them in colours.',
  },
  hasPages: true,
  page: 'mask',
  kindOf: kindOfSamples,
  output: ({ fields: [cells], answers }) => ({ shape: [1, ...cells!.shape], labels: NAMES_FILE, answers }),
  limits: (classes) => [
    `It gives each pixel one of ${classes} classes, whatever it is shown: it was not trained to say that it does not know.`,
  ],
  example: ofValues,
  folder: path.join(import.meta.dirname, 'kit'),
};
