import { shownValues } from '../../page/browser/forms.ts';

export const shown = { ...shownValues, told: { key: 'targets', logits: true } };
