import { existsSync } from 'node:fs';
import path from 'node:path';
import { EVALUATION_TABLES } from '../../src/commands/terminal/evaluation.ts';
import { USUAL_ANSWERS } from '../../src/measure/usual-answers.ts';
import { answerForms } from '../../src/recipe/answer-forms.ts';
import { taskNames, taskRow } from '../../src/recipe/task.ts';
import type { AnswerFormKind } from '../../src/recipe/task.ts';
import { ANSWERS_TEXTS } from '../../src/report/summary.ts';
import { ANSWERS_SHOWN } from '../../src/run/stages/measure/examples.ts';
import { EXAMPLES } from '../../src/ship/kit/examples.ts';
import { KIT_FORMS } from '../../src/ship/kit/forms.ts';
import { PIPELINES } from '../../src/ship/transformers/config.ts';
import { ANSWER_WORDS, NAMES_KEYS } from '../../src/tasks/answer-form.ts';
import { EVALUATED } from '../../src/tools/evaluated.ts';

const TABLES = {
  ANSWERS_SHOWN,
  ANSWERS_TEXTS,
  ANSWER_WORDS,
  EVALUATED,
  EVALUATION_TABLES,
  EXAMPLES,
  KIT_FORMS,
  NAMES_KEYS,
  PIPELINES,
  USUAL_ANSWERS,
};

it.each(Object.entries(TABLES))('the table %s has a row for each form of answers', (_, table) => {
  expect(Object.keys(table).sort()).toEqual([...answerForms.names()].sort());
});

it.each([...answerForms.names()] as AnswerFormKind[])(
  'a kit has sources for answers of the form %s in each language',
  (form) => {
    const { program, texts, pictures } = KIT_FORMS[form];
    const parts = [texts, pictures].flatMap((one) => (one === undefined ? [] : [one.part]));
    const names = [`node/${program.name}.mjs`, ...parts.flatMap((part) => [`android/${part}.kt`, `ios/${part}.swift`])];
    expect(parts.length).toBeGreaterThan(0);
    const samples = path.resolve(import.meta.dirname, '../../src/ship/kit/samples');
    expect(names.filter((name) => !existsSync(path.join(samples, name)))).toEqual([]);
  },
);

it('each form of answers is that of a task', () => {
  expect(answerForms.names().filter((form) => !taskNames().some((task) => taskRow(task).form === form))).toEqual([]);
});
