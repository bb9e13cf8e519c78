import path from 'node:path';
import { ofValues } from '../../ship/kit/examples.ts';
import { kindOfSamples, NAMES_FILE } from '../../ship/kit/forms.ts';
import type { KitForm } from '../../ship/kit/forms.ts';
import { USUAL_THRESHOLD } from './threshold.ts';

export const kit: KitForm = {
  program: {
    ...{ name: 'detect', DOES: 'Finds objects in pictures', LABELS: 'labels', ASKS: 'answersOf' },
    modules: ['letterbox', 'resize', 'suppression'],
    takes: '{"raw": [pixels from 0 to 255, row by row, channels last], "height": 480, "width": 640}, ...',
  },
  pictures: {
    part: 'picture-boxes',
    NAME: 'Detector',
    DOC: 'Boxes of the objects in pictures, with their labels and scores, also drawn over them.',
  },
  hasPages: true,
  outputs: 2,
  page: 'boxes',
  kindOf: kindOfSamples,
  output: ({ fields, answers, boxes: { overlap } = {} }, { boxes }) => ({
    ...{ fields, labels: NAMES_FILE, answers, overlap },
    threshold: boxes?.atThreshold?.threshold ?? USUAL_THRESHOLD,
  }),
  limits: () => ['It finds boxes of the classes that it was trained on, and takes other things for them at times.'],
  example: ofValues,
  folder: path.join(import.meta.dirname, 'kit'),
};
