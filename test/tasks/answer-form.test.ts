import { SHOWN_FORMS } from '../../src/page/browser/forms.ts';
import { ANSWER_FORMS, TASKS, taskRow } from '../../src/recipe/task.ts';
import { SCHEMAS_OF_ANSWERS } from '../../src/serve/http/openapi-models.ts';
import { SAID } from '../../src/serve/v1/forms.ts';
import { ANSWER_WORDS, NAMES_KEYS, statedForm } from '../../src/tasks/answer-form.ts';

it.each(Object.entries({ ANSWER_WORDS, NAMES_KEYS, SAID, SCHEMAS_OF_ANSWERS, SHOWN_FORMS }))(
  'the table %s has a row for each form of answers',
  (_, table) => {
    expect(Object.keys(table).sort()).toEqual([...ANSWER_FORMS].sort());
  },
);

it('each form of answers is that of a task', () => {
  expect(ANSWER_FORMS.filter((form) => !TASKS.some((task) => taskRow(task).form === form))).toEqual([]);
});

it.each([
  [{ logits: true }, 'classes', undefined],
  [{ labels: ['a', 'b'], logits: false }, 'classes', ['a', 'b']],
  [{ targets: ['a'], logits: false }, 'numbers', ['a']],
  [{ targets: ['a'], logits: true }, 'labels', ['a']],
  // A file may name classes too, for readers that know no other form.
  [{ labels: ['b'], targets: ['a'], logits: true }, 'labels', ['a']],
  [{ tags: ['O', 'B-X'], logits: true }, 'tags', ['O', 'B-X']],
])('what a server states of answers, %j, tells their form', (stated, kind, names) => {
  expect(statedForm(stated)).toEqual({ kind, names });
});
