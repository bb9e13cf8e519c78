import { objectOf } from '../http/openapi-schemas.ts';
import { valueProperties, valueSchema } from '../http/openapi-answers.ts';
import { named } from './answers.ts';
import type { SaidForm } from './forms.ts';

/** Answers with all of their values by name. */
export const saidValues: SaidForm = {
  saysAll: true,
  answerOf: (row, _, { said }) => ({ values: named(row, said) }),
  answered: 'Values',
  each: 'All values of each sample',
  prediction: (names, logits) =>
    objectOf({ values: { type: 'array', items: valueSchema(logits, valueProperties(names, logits)) } }),
};
