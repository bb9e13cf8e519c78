import type { RunEvent } from '../../src/base/events.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/runnable.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const recipe = makeRecipe(
  {
    name: 'r',
    dataset: DIGITS,
    student: { model: 'mlp', hidden: [16] },
    distill: { epochs: 1, batchSize: 128 },
    ...QUICK,
  },
  folder(),
);

const { availableMemory } = process;
afterEach(() => {
  process.availableMemory = availableMemory;
});

it('a run is refused before its first step where there is no room for one', async () => {
  process.availableMemory = () => 20e6;
  const events: RunEvent[] = [];
  const run = runRecipe(recipe, { out: folder(), onEvent: (event) => void events.push(event) });
  await expect(run).rejects.toThrow(/^scratch: steps of 128 samples take about 6\d MB of memory, and 20 MB are free$/);
  expect(events.filter(({ type }) => type === 'epoch')).toEqual([]);
});

it('a run that needs more than half of what is free says so, and goes on', async () => {
  process.availableMemory = () => 90e6;
  const warnings: string[] = [];
  await runRecipe(recipe, {
    out: folder(),
    onEvent: (event) => event.type === 'warning' && warnings.push(event.message),
  });
  expect(warnings).toContainEqual(expect.stringContaining('more than half of the 90 MB that are free'));
});
