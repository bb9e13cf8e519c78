import { plain } from '../../ship/kit/examples.ts';
import { kindOfSamples } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';

export const kit: KitForm = {
  hasNames: false,
  kindOf: kindOfSamples,
  output: ({ width }) => ({ numbers: width, length: 1, answers: 'values' }),
  limits: () => [
    'It gives a vector to whatever it is shown; how alike two samples must be to belong together is for your own data to show.',
  ],
  example: plain(({ classNames, targets }, row) => (classNames.length > 0 ? { label: classNames[targets[row]!] } : {})),
};
