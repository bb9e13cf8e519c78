import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../src/base/events.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import type { Report } from '../../src/report/types.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const RECIPE = {
  name: 'r',
  dataset: DIGITS,
  teacher: { train: { model: 'mlp', hidden: [32], epochs: 1, batchSize: 128 } },
  student: { model: 'mlp', hidden: [16] },
  distill: { epochs: 1, batchSize: 128 },
  prune: [{ type: 'channels', amount: 0.3, importance: 'taylor', finetune: { epochs: 1 }, maxDrop: 100 }],
  quantize: [
    { samples: 64, maxDrop: 100 },
    { method: 'qat', samples: 64, qat: { epochs: 1 }, maxDrop: 100 },
  ],
  ...QUICK,
};

/** Seconds of all stages of a report. */
const sumOf = ({ stages }: Report): number => stages!.reduce((sum, { seconds }) => sum + seconds, 0);

describe('the time of a run', () => {
  it('is the sum of its stages, quantization among them, also where it was stopped in between', async () => {
    const recipe = makeRecipe(RECIPE, folder());
    const events: RunEvent[] = [];
    const abort = new AbortController();
    const start = performance.now();
    const first = runRecipe(recipe, {
      out: folder(),
      signal: abort.signal,
      onEvent: (event) => {
        events.push(event);
        // A stop is seen to in the middle of it.
        if (event.type === 'stage' && event.stage === 'quantize-1') abort.abort();
      },
    });
    await expect(first).rejects.toThrow(/stopped quantize-1, calibrating, batch 1 of \d+; go on with/);
    const stopped = JSON.parse(await readFile(path.join(folder(), 'r/report.json'), 'utf8')) as Report;
    expect(sumOf(stopped)).toBeCloseTo(stopped.wallSeconds, 6);
    expect(stopped.stages!.at(-1)!.stage).toBe('quantize-1');

    const { report } = await runRecipe(recipe, { out: folder(), onEvent: (event) => void events.push(event) });
    const elapsed = (performance.now() - start) / 1000;
    expect(sumOf(report)).toBeCloseTo(report.wallSeconds, 6);
    expect(report.wallSeconds).toBeLessThan(elapsed);
    // The rest is what a run does before its first stage, and the writing of its report.
    expect(report.wallSeconds).toBeGreaterThan(0.5 * elapsed);
    const entered = events.flatMap((event) => (event.type === 'stage' ? [event.stage] : []));
    expect(report.stages!.map(({ stage }) => stage)).toEqual(['start', ...new Set(entered)]);
    for (const stage of ['quantize-1', 'qat-2', 'check models', 'measure exports/pruned-1-int8.onnx'])
      expect(report.stages!.find((row) => row.stage === stage)!.seconds).toBeGreaterThan(0);
    for (const before of stopped.stages!) {
      const after = report.stages!.find(({ stage }) => stage === before.stage)!;
      expect(after.seconds).toBeGreaterThanOrEqual(before.seconds);
    }
  }, 60_000);
});
