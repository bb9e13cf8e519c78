import { objectOf } from '../../serve/http/openapi-schemas.ts';
import { finite } from '../../serve/v1/answers.ts';
import type { SaidForm } from '../../serve/v1/forms.ts';

export const said: SaidForm = {
  isVector: true,
  saysAll: true,
  answerOf: (row) => ({ embedding: row.map(finite) }),
  answered: 'Vectors to search with',
  each: 'A vector of length 1 for each sample',
  prediction: () => objectOf({ embedding: { type: 'array', items: { type: 'number' } } }),
};
