import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Forecast, RunEvent } from '../../src/base/events.ts';
import { gridTrials } from '../../src/recipe/grid.ts';
import { checkData } from '../../src/run/check-data.ts';
import { forecastText } from '../../src/run/forecast.ts';
import { runRecipe } from '../../src/run/run.ts';
import { labelShard } from '../../src/run/shards/label.ts';
import { repeatShard } from '../../src/run/shards/repeats.ts';
import { sweepShard } from '../../src/run/shards/sweep.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const RECIPE = {
  name: 'r',
  dataset: DIGITS,
  teacher: { train: { model: 'mlp', hidden: [32], epochs: 2, batchSize: 128 } },
  student: { model: 'mlp', hidden: [128, 64] },
  distill: { epochs: 28, batchSize: 128 },
  ...QUICK,
};

const SHORT = { ...RECIPE, student: { model: 'mlp', hidden: [16] }, distill: { epochs: 2, batchSize: 128 } };

/** Forecasts and their texts, as a run tells them. */
function listener() {
  const told: Forecast[] = [];
  const texts: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.type !== 'message' || event.forecast === undefined) return;
    told.push(event.forecast);
    texts.push(event.message.trim());
  };
  return { told, texts, onEvent };
}

describe('the forecast', () => {
  it('of a resumed run is of what is left; a shard of the labels says its part of the answers', async () => {
    const { told, texts, onEvent } = listener();
    const stop = new AbortController();
    let epochs = 0;
    const stopping = (event: RunEvent): void => {
      if (event.type === 'epoch' && event.stage === 'distill' && ++epochs === 14) stop.abort();
      onEvent(event);
    };
    const long = makeRecipe(RECIPE, folder());
    const options = { out: folder(), onEvent };
    await expect(runRecipe(long, { ...options, onEvent: stopping, signal: stop.signal })).rejects.toThrow(
      /limbeck resume/,
    );
    await runRecipe(long, options);
    expect(texts.map((text) => text.split(':')[0])).toEqual(['forecast', 'forecast of what is left']);
    // The teacher and the twin are trained.
    expect(told.map(({ trainings }) => trainings)).toEqual([3, 1]);
    expect(told[1]!.takenSeconds).toBeGreaterThan(0);

    const [head, ...rows] = (await readFile(DIGITS.train, 'utf8')).trimEnd().split('\n');
    const many = path.join(folder(), 'many.csv');
    await writeFile(many, [head, ...Array.from({ length: 56 }, () => rows).flat()].join('\n'));
    const labelled = makeRecipe(
      {
        ...RECIPE,
        dataset: { ...DIGITS, train: many },
        teacher: { onnx: path.join(folder(), 'r/exports/distilled.onnx') },
      },
      folder(),
    );
    for (const count of [1, 2]) await labelShard(labelled, { index: 0, count }, { out: path.join(folder(), `${count}`), onEvent }); // prettier-ignore
    const [whole, half] = told.slice(2);
    expect(half!.diskBytes / whole!.diskBytes).toBeCloseTo(0.5, 1);
    expect(whole).toMatchObject({ trainings: 0, trainingSeconds: 0 });
    expect(texts.slice(2)).toEqual([expect.stringMatching(/^forecast: answers of the teacher /), expect.anything()]);
  });

  it('stands once before the trials of a sweep, and before a shard of the repeats', async () => {
    const { told, texts, onEvent } = listener();
    const loaded = (change: object) => Promise.resolve(makeRecipe({ ...RECIPE, ...change }, folder()));
    const trials = gridTrials(['seed=1,2']);
    const load = ({ name }: { readonly name: string }) => loaded({ name, seed: Number(name.at(-1)) });
    await sweepShard(await loaded({}), trials, load, { index: 0, count: 1 }, { out: folder(), onEvent });
    expect(texts).toEqual([expect.stringMatching(/^forecast of 2 trials, by the first: .* 6 trainings/)]);
    // A teacher is trained for each seed.
    expect(told[0]).toMatchObject({ runs: 2, trainings: 6, takenSeconds: 0 });

    await repeatShard(await loaded({ repeats: 4 }), { index: 0, count: 2 }, { out: folder(), onEvent });
    // The teacher, and two of the four pairs.
    expect(told.slice(1)).toEqual([expect.objectContaining({ trainings: 5 })]);
    expect(texts[1]).toMatch(/^forecast: /);
  });

  it.each([
    ['a run without a teacher', { teacher: undefined }, 1],
    ['repeats and later generations', { repeats: 2, distill: { ...SHORT.distill, generations: 2 } }, 7],
    ['a peer', { teacher: undefined, distill: { ...SHORT.distill, loss: 'mutual' } }, 2],
    ['a race of losses', { distill: { ...SHORT.distill, loss: 'auto' } }, 31],
    [
      'assistants, the last of which has the layer that the loss compares',
      {
        teacher: { ...SHORT.teacher, chain: [{ model: 'mlp', hidden: [24], epochs: 1, batchSize: 128 }] },
        distill: {
          ...SHORT.distill,
          loss: 'hint',
          softTargets: { store: 'live' },
          features: [{ student: 'dense1', teacher: 'dense1' }],
        },
      },
      4,
    ],
    [
      'pruning and training with quantization',
      { prune: [{ finetune: { epochs: 2 } }], quantize: [{ method: 'qat' }] },
      5,
    ],
  ])('counts the trainings of %s', async (_, change, trainings) => {
    const { recipe } = makeRecipe({ ...SHORT, ...change }, folder());
    const { forecast } = await checkData(recipe);
    expect(forecast).toMatchObject({ trainings, processes: 1 });
    expect(forecast!.trainingSeconds).toBeGreaterThan(0);
    expect(forecastText(forecast!)).toMatch(
      /^forecast: .* s up to the exports \(.*trainings? .* s\), memory \d.* [MG]B, disk .*B$/,
    );
  });
});
