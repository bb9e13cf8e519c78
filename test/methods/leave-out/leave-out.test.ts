import type { RunEvent } from '../../../src/base/events.ts';
import { bestShift, checkLeftOut } from '../../../src/methods/leave-out/leave-out.ts';
import { runRecipe } from '../../../src/run/run.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { CLASSES, pictures } from '../../support/dataset.ts';
import { DIGITS, QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

describe('the shift of the classes that were left out', () => {
  const left = new Set([2]);

  it('is the middle of the range in which most answers are right', () => {
    // Class 2 is answered from 1 on for the first, from 4 on for the second, from 3 on for the third.
    const logits = Float32Array.from([1, 0, 0, 4, 0, 0, 0, 3, 0]);
    expect(bestShift(logits, Int32Array.of(2, 0, 1), left)).toBeCloseTo(2);
    expect(bestShift(logits, Int32Array.of(2, 0, 2), left)).toBeCloseTo(3.5);
  });

  it('is the nearer to 0 of two ranges that are as good', () => {
    const logits = Float32Array.from([1, 0, 0, 2, 0, 0, 3, 0, 0]);
    expect(bestShift(logits, Int32Array.of(2, 0, 2), left)).toBeCloseTo(1.5);
    expect(bestShift(Float32Array.from([0, 0, 3, 0, 0, 1, 0, 0, 2]), Int32Array.of(0, 0, 2), left)).toBeCloseTo(-1.5);
  });

  it('is none where none is needed', () => {
    expect(bestShift(Float32Array.from([2, 0, 0, 0, 0, 3]), Int32Array.of(0, 2), left)).toBe(0);
    expect(bestShift(Float32Array.from([2, 0, 0, 0, 2, 0]), Int32Array.of(0, 1), left)).toBe(0);
  });
});

it('classes that do not exist are refused before anything is trained', async () => {
  const recipe = {
    name: 'r',
    dataset: { ...DIGITS, limit: 100 },
    teacher: { train: { model: 'mlp' } },
    student: { model: 'mlp' },
    distill: { leaveOut: { classes: ['7', 'x'] } },
    ...QUICK,
  };
  await expect(runRecipe(makeRecipe(recipe, folder()), { out: folder() })).rejects.toThrow(
    /leaveOut\.classes: expected one of 0, 1, .* received x/,
  );
});

it('the bias of each generation is raised before it teaches the next one', async () => {
  const recipe = {
    name: 'r',
    dataset: { ...DIGITS, limit: 200 },
    teacher: { train: { model: 'mlp', hidden: [16], epochs: 4, batchSize: 32 } },
    student: { model: 'mlp', hidden: [8] },
    baseline: false,
    distill: { epochs: 1, batchSize: 64, generations: 2, leaveOut: { classes: ['3'] } },
    ...QUICK,
  };
  const stages: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'done') stages.push(event.stage);
  };
  const { report } = await runRecipe(makeRecipe(recipe, folder()), { out: folder(), onEvent });
  const wanted = ['generation-1', 'bias of generation-1', 'answers of generation-1', 'distill', 'bias of distill'];
  expect(stages.filter((stage) => wanted.includes(stage))).toEqual(wanted);
  expect(report.notes.join()).toMatch(/The bias of 3 is raised in each before it teaches/);
});

it('samples without a label may be of the class that is left out, and are refused', () => {
  const { recipe } = makeRecipe(
    {
      name: 'r',
      dataset: DIGITS,
      teacher: { train: { model: 'mlp' } },
      student: { model: 'mlp' },
      distill: { leaveOut: { classes: ['bee'], correctBias: false } },
    },
    '/',
  );
  const check = (labelled?: Uint8Array) =>
    checkLeftOut(recipe, { classNames: CLASSES, train: pictures(60, { labelled }) }, { name: 'mlp', state: {} });
  expect(() => check(new Uint8Array(60).fill(1, 7))).toThrow(
    /leaveOut: expected a label for each sample of train, .* received 7 of 60 without one/,
  );
  expect(() => check()).not.toThrow();
});
