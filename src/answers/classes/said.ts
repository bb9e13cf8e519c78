import { classProperties, valueSchema } from '../../serve/http/openapi-answers.ts';
import { best } from '../../serve/v1/answers.ts';
import type { SaidForm } from '../../serve/v1/forms.ts';

export const said: SaidForm = {
  choice: 'Classes to name',
  answerOf: (row, _, { said: as, top }) => best(row, as, top),
  answered: 'Classes',
  each: 'A class for each sample',
  prediction: (names, logits) => valueSchema(logits, classProperties(names, logits)),
};
