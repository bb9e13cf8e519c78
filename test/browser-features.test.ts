import './support/fake-page.ts';
import '../src/browser.ts';
import { shownForm } from '../src/page/browser/forms.ts';
import { answerForms } from '../src/recipe/answer-forms.ts';
import { SAID } from '../src/serve/v1/forms.ts';

it.each(answerForms.all().map((row) => [row.name, row] as const))(
  'the page shows answers of the form %s, which it tells as the server does',
  (_, { told }) => {
    const names = told?.isNameless === true ? true : ['a'];
    const stated = { shape: [4], logits: told?.logits ?? true, [told?.key ?? 'labels']: names };
    const found = shownForm(stated);
    expect(found.told).toEqual(told === undefined ? undefined : { ...told, isNameless: undefined });
    expect(found.names).toEqual(told?.isNameless === true ? undefined : ['a']);
  },
);

it('the server says answers of every form', () => {
  expect(SAID.names()).toEqual(answerForms.names());
});
