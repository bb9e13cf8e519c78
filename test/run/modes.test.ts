import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf, sha256 } from '../../src/base/bytes.ts';
import type { RunEvent } from '../../src/base/events.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { RecipeInput } from '../../src/recipe/schema.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const SMALL = { batchSize: 50, optimizer: { learningRate: 0.02 } };

const recipe = (change: Partial<RecipeInput>) =>
  makeRecipe(
    {
      name: 'r',
      dataset: { ...DIGITS, limit: 250 },
      teacher: { train: { model: 'mlp', hidden: [24], epochs: 4, ...SMALL } },
      student: { model: 'mlp', hidden: [8] },
      baseline: false,
      ...QUICK,
      ...change,
    },
    folder(),
  );

async function exportsOf(out: string): Promise<string[]> {
  const of = path.join(out, 'r/exports');
  const names = (await readdir(of)).sort();
  return Promise.all(names.map(async (name) => `${name} ${sha256(await readFile(path.join(of, name)))}`));
}

/** The weights that a run chose: its exports also say by which recipe they were made. */
async function weightsOf(out: string, stage = 'distill'): Promise<string[]> {
  const of = path.join(out, 'r/state');
  const name = (await readdir(of))
    .filter((file) => file.startsWith(`${stage}-`))
    .sort()
    .at(-1)!;
  const { tensors } = readSafetensors(await readFile(path.join(of, name)), name);
  const best = [...tensors].filter(([key]) => key.startsWith('best/'));
  return best.map(([key, { data }]) => `${key} ${sha256(bytesOf(data))}`);
}

async function weightsAfter(change: Partial<RecipeInput>): Promise<string[]> {
  const out = path.join(folder(), `run-${runs++}`);
  await runRecipe(recipe(change), { out });
  return weightsOf(out);
}

let runs = 0;

/** Runs a recipe whole, and again with a stop in the middle of each of these stages; both must end alike. */
async function alike(change: Partial<RecipeInput>, stages: readonly string[]) {
  const [alone, stopped] = [path.join(folder(), 'alone'), path.join(folder(), 'stopped')];
  const messages: string[] = [];
  const { report } = await runRecipe(recipe(change), {
    out: alone,
    onEvent: (event) => event.type === 'message' && messages.push(event.message),
  });
  for (const stage of stages) {
    const abort = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'epoch' && event.stage === stage) abort.abort();
    };
    const run = runRecipe(recipe(change), { out: stopped, onEvent, signal: abort.signal, saveEvery: 0 });
    await expect(run).rejects.toThrow(new RegExp(`^stopped ${stage} `));
  }
  const resumed = await runRecipe(recipe(change), { out: stopped });
  expect(await exportsOf(stopped)).toEqual(await exportsOf(alone));
  expect(resumed.report.race).toEqual(report.race);
  return { report, messages };
}

it('a chain of assistants is trained one by the other, and stopped in mid-chain it ends with the same bytes', async () => {
  const chain = [
    { model: 'mlp', hidden: [16], epochs: 3, ...SMALL },
    { model: 'mlp', hidden: [12], epochs: 3, ...SMALL },
  ];
  const teacher = { train: { model: 'mlp', hidden: [24], epochs: 4, ...SMALL }, chain };
  const { report } = await alike({ teacher, distill: { epochs: 3, ...SMALL } }, ['assist-1', 'assist-2', 'distill']);
  expect(report.notes).toContainEqual(
    expect.stringMatching(
      /^assistant 2 \(mlp\), trained by assistant 1 \(mlp\), is right on .* of the validation split$/,
    ),
  );
  expect(report.teacher?.source).toBe('assistant 2 (mlp)');
  expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'distilled']);
});

it('generations teach their successors, with numbers that change, and resume in the middle', async () => {
  const distill = {
    ...SMALL,
    epochs: 4,
    generations: 3,
    temperature: 8,
    schedules: { temperature: { to: 1 }, alpha: { to: 0.5, epochs: 2 } },
  } as const;
  const { report } = await alike({ distill }, ['generation-1', 'generation-2', 'distill']);
  expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'distilled']);
  expect(report.notes).toContainEqual(expect.stringMatching(/^the distilled student is generation 3/));
});

it('loss: auto races within the epochs that it says beforehand, and the winner trains the student', async () => {
  const distill: RecipeInput['distill'] = {
    loss: 'auto',
    race: { losses: ['kd', 'dist', 'mse'], temperatures: [1, 4], alphas: [0.9], rounds: 2 },
    epochs: 4,
    ...SMALL,
  };
  const { report, messages } = await alike({ distill }, ['race-2-3']);
  // 5 candidates of 1 epoch, 3 of 2.
  expect(messages).toContain(
    'distill.loss: auto: a race of 5 candidates in 2 rounds, 11 epochs in all, before the 4 of the student itself',
  );
  const { candidates, pick, epochs } = report.race!;
  const trained = candidates.flatMap(({ rounds }) => rounds).reduce((sum, round) => sum + round.epochs, 0);
  expect([trained, epochs]).toEqual([11, 11]);
  const best = Math.max(...candidates.map(({ rounds }) => rounds[1]?.validation ?? 0));
  expect(candidates[pick]!.rounds[1]!.validation).toBe(best);
  expect(report.training?.map(({ stage }) => stage)).toEqual(['teach', 'distill']);
  const { loss, numbers } = candidates[pick]!;
  const named = { loss, ...numbers, epochs: 4, ...SMALL } as RecipeInput['distill'];
  expect(await weightsAfter({ distill: named })).toEqual(await weightsOf(path.join(folder(), 'alone')));
});

it('numbers change as the recipe says, from those of the loss', async () => {
  const base = { epochs: 2, ...SMALL };
  const of = (distill: RecipeInput['distill']) => weightsAfter({ distill: { ...base, ...distill } });
  const numbers = { alpha: 0.3, temperature: 2 };
  const schedules = { alpha: { to: 0.3 }, temperature: { to: 2 } };
  expect(await of({ ...numbers, schedules })).toEqual(await of(numbers));
  const fading = await of({ schedules: { alpha: { to: 0, epochs: 1 } } });
  expect(fading).not.toEqual(await of({}));
  // So short that it is over before the first step.
  expect(await of({ schedules: { alpha: { to: 0, epochs: 0.01 } } })).toEqual(await of({ alpha: 0 }));
});

/** Losses that keep something of each sample, or show a second view of it, or learn layers of their own. */
const DENSE = [{ student: 'dense1_relu', teacher: 'dense1_relu' }];
const live = { ...SMALL, epochs: 3, softTargets: { store: 'live' } } as const;
const CRD: RecipeInput['distill'] = { ...live, loss: 'crd', negatives: 16, features: DENSE };
const CRLD: RecipeInput['distill'] = { ...live, loss: 'crld', strong: [{ shift: 1 }] };
const REVIEWKD: RecipeInput['distill'] = { ...live, loss: 'reviewkd', features: DENSE };

it.each([CRD, REVIEWKD, CRLD])('a training with $loss that is stopped ends with the same bytes', async (distill) => {
  await alike({ distill }, ['distill']);
});

it.each([CRD, CRLD])(
  'a student of $loss is pruned by taylor, and trained for int8 with kd, which the report says',
  async (distill) => {
    const { report } = await runRecipe(
      recipe({
        distill,
        student: { model: 'mlp', hidden: [16] },
        prune: [{ amount: 0.3, importance: 'taylor', finetune: { epochs: 1 }, maxDrop: 100 }],
        quantize: [{ method: 'qat', qat: { epochs: 1 }, maxDrop: 100 }],
      }),
      { out: folder() },
    );
    expect(report.models.map(({ id }) => id)).toContain('pruned-1-int8-qat');
    const note = new RegExp(`^qat-1: trained by kd instead of ${distill.loss}, `);
    expect(report.notes).toContainEqual(expect.stringMatching(note));
  },
);

it('a teacher with random changes of its own is the one that the data set would give it, and its student sees none', async () => {
  const augment = [{ shift: 1 }];
  const train = { model: 'mlp', hidden: [24], epochs: 2, ...SMALL };
  const [own, all, none] = ['own', 'all', 'none'].map((name) => path.join(folder(), name)) as [string, string, string];
  const baseline = true;
  const { report } = await runRecipe(recipe({ baseline, teacher: { train: { ...train, augment } } }), { out: own });
  await runRecipe(
    recipe({
      baseline,
      dataset: { ...(DIGITS as object), limit: 250, augment } as RecipeInput['dataset'],
      teacher: { train },
    }),
    { out: all },
  );
  await runRecipe(recipe({ baseline, teacher: { train } }), { out: none });
  expect(await weightsOf(own, 'teach')).toEqual(await weightsOf(all, 'teach'));
  expect(await weightsOf(own, 'teach')).not.toEqual(await weightsOf(none, 'teach'));
  // The twin of the student is that of a recipe without changes.
  expect(await weightsOf(own, 'scratch')).toEqual(await weightsOf(none, 'scratch'));
  expect(await weightsOf(own, 'scratch')).not.toEqual(await weightsOf(all, 'scratch'));
  // One answer for each sample: the student has no views.
  expect(report.teacher!.views).toBe(1);
});

it('a student learns a class that it is never shown from the answers to others, once its bias is corrected, and resumes', async () => {
  const change = (correctBias: boolean): Partial<RecipeInput> => ({
    dataset: { ...(DIGITS as object), limit: 400 } as RecipeInput['dataset'],
    teacher: { train: { model: 'mlp', hidden: [32], epochs: 10, ...SMALL } },
    student: { model: 'mlp', hidden: [24] },
    baseline: true,
    distill: { epochs: 10, ...SMALL, temperature: 8, leaveOut: { classes: ['3'], correctBias } },
  });
  const { report: plain } = await runRecipe(recipe(change(false)), { out: path.join(folder(), 'plain') });
  const { report: corrected } = await alike(change(true), ['scratch', 'distill']);
  const recallOf = ({ models }: typeof plain, id: string): number => {
    const row = models.find((model) => model.id === id)!.confusion!.counts[3]!;
    return row[3]! / row.reduce((sum, count) => sum + count);
  };
  // A tenth of the digits is a 3.
  expect(plain.dataset.samples).toMatchObject({ train: 360, validation: 144 });
  expect(recallOf(plain, 'teacher')).toBeGreaterThan(0.7);
  expect(recallOf(plain, 'scratch')).toBe(0);
  expect(recallOf(plain, 'distilled')).toBeLessThan(0.4);
  expect(recallOf(corrected, 'distilled')).toBeGreaterThan(0.5);
  const right = ({ models }: typeof plain): number => models.find(({ id }) => id === 'distilled')!.score.validation!;
  expect(right(corrected)).toBeGreaterThan(right(plain));
  expect(corrected.notes.filter((note) => /the bias of 3 was raised by/.test(note))).toHaveLength(2);
});
