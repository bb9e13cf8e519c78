import { ofValues } from '../../ship/kit/examples.ts';
import { kindOfSamples, NAMES_FILE } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';
import { USUAL_THRESHOLD } from './threshold.ts';

export const kit: KitForm = {
  outputs: 2,
  kindOf: kindOfSamples,
  output: ({ fields, answers, boxes: { overlap } = {} }, { boxes }) => ({
    fields,
    labels: NAMES_FILE,
    answers,
    overlap,
    threshold: boxes?.atThreshold?.threshold ?? USUAL_THRESHOLD,
  }),
  limits: () => ['It finds boxes of the classes that it was trained on, and takes other things for them at times.'],
  example: ofValues,
};
