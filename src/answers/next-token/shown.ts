import { shown as classes } from '../classes/shown.ts';
import type { Prediction, ShownForm } from '../../page/browser/forms.ts';

export const shown: ShownForm<Prediction> = {
  told: { key: 'tokens' },
  called: 'tokens',
  hasTop: true,
  title: 'texts to go on with',
  shown: classes.shown,
};
