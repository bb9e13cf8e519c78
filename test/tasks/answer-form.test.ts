import { answerForms } from '../../src/recipe/answer-forms.ts';
import { taskNames, taskRow } from '../../src/recipe/task.ts';

it('each form of answers is that of a task', () => {
  expect(answerForms.names().filter((form) => !taskNames().some((task) => taskRow(task).form === form))).toEqual([]);
});
