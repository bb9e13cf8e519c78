import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Forecast, RunEvent } from '../../src/base/events.ts';
import { runAlone, runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { SHORT_RUN } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

async function bytesIn(place: string): Promise<number> {
  const files = await readdir(place, { recursive: true, withFileTypes: true });
  const sizes = files.map(async (file) =>
    file.isFile() ? (await stat(path.join(file.parentPath, file.name))).size : 0,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describe('the forecast of a run', () => {
  it('stands before the first step, and changes no bit of the result', async () => {
    const long = makeRecipe(
      { ...SHORT_RUN, student: { model: 'mlp', hidden: [128, 64] }, distill: { epochs: 28, batchSize: 128 } },
      folder(),
    );
    const events: RunEvent[] = [];
    await runRecipe(long, { out: folder(), onEvent: (event) => void events.push(event) });
    const at = events.findIndex((event) => event.type === 'message' && event.forecast !== undefined);
    expect(at).toBeGreaterThan(0);
    expect(at).toBeLessThan(events.findIndex(({ type }) => type === 'epoch'));
    const { forecast } = events[at] as { readonly forecast: Forecast };
    expect(forecast).toMatchObject({ trainings: 3, processes: 1 });
    const found = await bytesIn(path.join(folder(), 'r'));
    // A short training may end before its second saved state.
    expect(forecast.diskBytes / found).toBeGreaterThan(0.5);
    expect(forecast.diskBytes / found).toBeLessThan(2);

    const other = path.join(folder(), 'other');
    const silent: RunEvent[] = [];
    await runAlone(long, other, { isShard: true, onEvent: (event) => void silent.push(event) });
    expect(silent.some((event) => event.type === 'message' && event.forecast !== undefined)).toBe(false);
    const [one, two] = ['r', 'other'].map((name) => readFile(path.join(folder(), name, 'exports/distilled.onnx')));
    expect((await one)!.equals((await two)!)).toBe(true);
  });
});
