import { existsSync } from 'node:fs';
import path from 'node:path';
import { SHOWN_FORMS } from '../../src/page/browser/forms.ts';
import { answerForms } from '../../src/recipe/answer-forms.ts';
import { taskNames, taskRow } from '../../src/recipe/task.ts';
import type { AnswerFormKind } from '../../src/recipe/task.ts';
import { DRIFT_WATCHES } from '../../src/serve/drift/watch.ts';
import { SCHEMAS_OF_ANSWERS } from '../../src/serve/http/openapi-models.ts';
import { SAID } from '../../src/serve/v1/forms.ts';
import { loadKit } from '../../src/ship/kit/forms.ts';
import { statedForm } from '../../src/tasks/answer-form.ts';

const TABLES = {
  DRIFT_WATCHES,
  SAID,
  SCHEMAS_OF_ANSWERS,
  SHOWN_FORMS,
};

it.each(Object.entries(TABLES))('the table %s has a row for each form of answers', (_, table) => {
  expect(Object.keys(table).sort()).toEqual([...answerForms.names()].sort());
});

it.each([...answerForms.names()] as AnswerFormKind[])(
  'a kit has sources for answers of the form %s in each language',
  async (form) => {
    const { program, texts, pictures, folder = '' } = await loadKit(form);
    const parts = [texts, pictures].flatMap((one) => (one === undefined ? [] : [one.part]));
    const names = [`node/${program.name}.mjs`, ...parts.flatMap((part) => [`android/${part}.kt`, `ios/${part}.swift`])];
    expect(parts.length).toBeGreaterThan(0);
    const samples = path.resolve(import.meta.dirname, '../../src/ship/kit/samples');
    expect(names.filter((name) => ![folder, samples].some((at) => existsSync(path.join(at, name))))).toEqual([]);
  },
);

it('each form of answers is that of a task', () => {
  expect(answerForms.names().filter((form) => !taskNames().some((task) => taskRow(task).form === form))).toEqual([]);
});

it.each([
  [{ logits: true }, 'classes', undefined],
  [{ labels: ['a', 'b'], logits: false }, 'classes', ['a', 'b']],
  [{ targets: ['a'], logits: false }, 'numbers', ['a']],
  [{ targets: ['a'], logits: true }, 'labels', ['a']],
  // A file may name classes too, for readers that know no other form.
  [{ labels: ['b'], targets: ['a'], logits: true }, 'labels', ['a']],
  [{ tags: ['O', 'B-X'], logits: true }, 'tags', ['O', 'B-X']],
  [{ mask: ['sky', 'road'], logits: true }, 'mask', ['sky', 'road']],
  [{ boxes: ['cat', 'dog'], logits: true }, 'boxes', ['cat', 'dog']],
  [{ vector: true as const, logits: false }, 'vector', undefined],
])('what a server states of answers, %j, tells their form', (stated, kind, names) => {
  expect(statedForm(stated)).toEqual({ kind, names });
});
