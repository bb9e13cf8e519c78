import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../src/base/events.ts';
import type { RunOptions } from '../../src/run/options.ts';
import { runRecipe } from '../../src/run/run.ts';
import { trainShard } from '../../src/run/shards/shard.ts';
import { inProcess } from '../support/in-process.ts';
import { TINY, tinyRuns } from '../support/tiny-runs.ts';

const { folder, made } = tinyRuns();

/** Stages that train something, in their order. */
function trainings(): { stages: string[]; onEvent: (event: RunEvent) => void } {
  const stages: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'epoch' && stages.at(-1) !== event.stage) stages.push(event.stage);
  };
  return { stages, onEvent };
}

describe('a race of losses in shards', () => {
  const RACE = {
    distill: {
      ...{ ...TINY.distill, loss: 'auto' as const },
      race: { losses: ['kd', 'mse', 'ttm'] as const, temperatures: [1], alphas: [0.5], rounds: 2 },
    },
  };
  const out = () => ({ out: folder() });
  const shard = (index: number, count = 2, options: RunOptions = {}) =>
    trainShard(made(RACE), { index, count }, { ...out(), ...options });

  it('waits for a round of all, goes on, and gives the run what it comes to alone', async () => {
    const stop = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'epoch' || (event.type === 'done' && event.stage.startsWith('race'))) stop.abort();
    };
    // Stopped after its first candidate, and shared anew by others.
    await expect(shard(0, 2, { signal: stop.signal, onEvent })).rejects.toThrow(/; go on with the same command$/);
    await writeFile(path.join(folder(), 'r.yaml'), JSON.stringify({ ...TINY, ...RACE }));
    const { stdout } = await inProcess(folder(), 'run', 'r.yaml', '--shard', '1/2', '--out', folder());
    expect(stdout).toContain(`shard 1/2: 0 of 2 rounds of the race are finished: ${path.join(folder(), 'r-race')}\n`);
    expect(stdout).toMatch(
      /^shard 1\/2: [12] of the next round are left to other shards; after them start this one again$/m,
    );
    const others = trainings();
    expect((await shard(0, 1, { onEvent: others.onEvent })).race).toMatchObject({ missing: 0, rounds: 2 });
    expect(others.stages).not.toContain('race-1-2');
    const own = trainings();
    const { report } = await runRecipe(made(RACE), { ...out(), onEvent: own.onEvent });
    expect(own.stages).toEqual(['distill']);
    const alone = (await runRecipe(made(RACE), { out: path.join(folder(), 'alone') })).report;
    expect(report.race).toEqual(alone.race);
    expect(await readFile(path.join(folder(), 'r/exports/distilled.onnx'))).toEqual(
      await readFile(path.join(folder(), 'alone/r/exports/distilled.onnx')),
    );
  });

  it('goes on with the repeats, which take what has raced', async () => {
    const { stages, onEvent } = trainings();
    const { race, repeated } = await trainShard(
      made({ ...RACE, repeats: 2 }),
      { index: 0, count: 1 },
      { ...out(), onEvent },
    );
    expect([race!.missing, repeated!.repeats]).toEqual([0, [1, 2]]);
    expect(stages.slice(0, -2).every((stage) => stage.startsWith('race'))).toBe(true);
    expect(stages.slice(-2)).toEqual(['distill', 'distill-2']);
    expect(new Set(stages).size).toBe(stages.length);
  });

  it('of another recipe is refused', async () => {
    await shard(0, 1);
    const other = made({ ...RACE, seed: 9 });
    await expect(runRecipe(other, out())).rejects.toThrow(/r-race.done.race-1-1\.json: trained by another recipe/);
  });
});

describe('a search in shards', () => {
  const change = {
    teacher: { tfjs: 'teacher/model.json', chain: [{ model: 'mlp', hidden: [16], epochs: 5, batchSize: 16 }] },
    student: { model: 'mlp', hidden: [4] },
    baseline: undefined,
    target: { widths: [1, 0.5], amounts: [0], rounds: 2, sizeKb: 100 },
    report: { latency: { seconds: 0.05, batchSizes: [1], threads: [1] } },
  };
  const out = () => ({ out: folder() });
  const shard = (index: number, more: object = {}) =>
    trainShard(made({ ...change, ...more }), { index, count: 2 }, out());

  it('waits for a round of all, and gives the run every trial of it', async () => {
    expect((await shard(0)).search).toMatchObject({ rounds: 0, total: 2, missing: 1 });
    const [first, second] = [await shard(1), await shard(0)];
    // Of two candidates one goes on, which is one of theirs.
    const missing = [first, second].map(({ search }) => search!.missing);
    expect(missing.at(-1)).toBe(0);
    // As if another machine had done one of them.
    const elsewhere = path.join(folder(), 'r-search/width-1-pruned-0-round-1/report.json');
    const { machine, ...rest } = JSON.parse(await readFile(elsewhere, 'utf8')) as { machine: object };
    await writeFile(elsewhere, JSON.stringify({ ...rest, machine: { ...machine, cpu: 'another' } }));
    const { stages, onEvent } = trainings();
    const { report } = await runRecipe(made(change), { ...out(), onEvent });
    expect(stages).toEqual([]);
    expect(report.notes).toContainEqual(
      expect.stringMatching(/several kinds of machines \(another; .*\), and these times chose/),
    );
    expect(report.search!.points.length).toBe(6);
    const [own, taken] = await Promise.all(
      ['r-search', 'r/search'].map((of) =>
        readFile(path.join(folder(), of, 'width-0.5-pruned-0-round-1/exports/distilled.onnx')),
      ),
    );
    expect(taken).toEqual(own);
    await rm(path.join(folder(), 'r'), { recursive: true });
    await expect(runRecipe(made({ ...change, seed: 9 }), out())).rejects.toThrow(
      /width-1-pruned-0-round-1: this trial was run with another recipe than this run's:\n {2}seed: 0 -> 9/,
    );
    const data = path.join(folder(), 'data.csv');
    await writeFile(data, (await readFile(data, 'utf8')).replace('-0', '-1'));
    await expect(runRecipe(made(change), out())).rejects.toMatchObject({
      message: expect.stringMatching(/r-search: dataset\.train: \S+data\.csv gives other samples/) as string,
      hint: expect.stringMatching(/remove \S+r-search and start its shards again/) as string,
    });
  });
});
