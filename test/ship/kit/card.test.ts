import { modelCard } from '../../../src/ship/kit/card.ts';
import { example } from '../../report/example.ts';

const OPTIONS = { normalization: 'value', runtimes: new Map() };

it.each([
  ['classification', 'It always answers one of 10 classes, whatever it is shown'],
  ['regression', 'It always answers, whatever it is shown'],
] as const)('the card of a model of %s says what its answers do not', (task, sentence) => {
  const card = modelCard({ ...example, dataset: { ...example.dataset, task, classes: 10 } }, [], OPTIONS);
  expect(card).toContain(`- ${sentence}`);
  expect(card.includes('not calibrated')).toBe(task === 'classification');
});
