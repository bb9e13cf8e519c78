import { modelCard } from '../../../src/ship/kit/card.ts';
import { taskRow } from '../../../src/recipe/task.ts';
import { loadKit } from '../../../src/ship/kit/forms.ts';
import { example } from '../../report/example.ts';

const OPTIONS = { normalization: 'value', runtimes: new Map() };

it.each([
  ['classification', 'It always answers one of 10 classes, whatever it is shown'],
  ['regression', 'It always answers, whatever it is shown'],
] as const)('the card of a model of %s says what its answers do not', async (task, sentence) => {
  await loadKit(taskRow(task).form);
  const card = modelCard({ ...example, dataset: { ...example.dataset, task, classes: 10 } }, [], OPTIONS);
  expect(card).toContain(`- ${sentence}`);
  expect(card.includes('not calibrated')).toBe(task === 'classification');
});
