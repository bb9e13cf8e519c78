import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../src/base/events.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
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
  await expect(run).rejects.toThrow(/^scratch: steps of 128 samples take about 5\d MB of memory, and 20 MB are free$/);
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

it('a run whose samples are left in a file ends with the same bytes', async () => {
  const exported = async (out: string) => {
    const warnings: string[] = [];
    const onEvent = (event: RunEvent) => event.type === 'warning' && warnings.push(event.message);
    await runRecipe(recipe, { out: path.join(folder(), out), onEvent });
    return { bytes: await readFile(path.join(folder(), out, 'r/exports/scratch.onnx'), 'base64'), warnings };
  };
  const known = await exported('in-memory');
  let asked = 0;
  // Scarce while the data are read, and not when the training asks.
  process.availableMemory = () => (asked++ === 0 ? 1000 : 4e9);
  const { bytes, warnings } = await exported('in-file');
  expect(warnings).toContainEqual(
    expect.stringMatching(/train\.csv: its samples take .*: they are read into a temporary/),
  );
  expect(bytes).toBe(known.bytes);
});
