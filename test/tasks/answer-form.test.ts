import { existsSync } from 'node:fs';
import path from 'node:path';
import { answerForms } from '../../src/recipe/answer-forms.ts';
import { taskNames, taskRow } from '../../src/recipe/task.ts';
import { loadKit } from '../../src/ship/kit/forms.ts';

it.each(answerForms.names())('a kit has sources for answers of the form %s in each language', async (form) => {
  const { program, texts, pictures, folder = '' } = await loadKit(form);
  const parts = [texts, pictures].flatMap((one) => (one === undefined ? [] : [one.part]));
  const names = [`node/${program.name}.mjs`, ...parts.flatMap((part) => [`android/${part}.kt`, `ios/${part}.swift`])];
  expect(parts.length).toBeGreaterThan(0);
  const samples = path.resolve(import.meta.dirname, '../../src/ship/kit/samples');
  expect(names.filter((name) => ![folder, samples].some((at) => existsSync(path.join(at, name))))).toEqual([]);
});

it('each form of answers is that of a task', () => {
  expect(answerForms.names().filter((form) => !taskNames().some((task) => taskRow(task).form === form))).toEqual([]);
});
