import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { studentBuilder } from '../../src/setup/models.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { soundNotes, soundOf } from '../../src/setup/sound.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import '../support/tasks.ts';

beforeAll(() => useLazyBackend(evaluator));

const CLASSES = ['yes', 'no'];

const recipeOf = (dataset: object, student: object = { model: 'ds-cnn', strides: [2, 1, 2] }) =>
  makeRecipe({ name: 'r', dataset: { type: 'audio-folder', train: 'train', ...dataset }, student }).recipe;

/** Notes at the start of a run with the sounds of a recipe. */
async function notesOf(...given: Parameters<typeof recipeOf>): Promise<readonly string[]> {
  const recipe = recipeOf(...given);
  const { length } = soundOf(recipe.dataset)!;
  const train = { task: 'classification', sampleShape: [length, 1], classNames: CLASSES } as unknown as Dataset;
  return soundNotes(recipe.dataset, await studentBuilder({ recipe, data: { train, classNames: CLASSES } }, 0)());
}

it.each([8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000])(
  'at %d Hz the spectrum of an ordinary window has few constants, and the window its length within 2 %%',
  (rate) => {
    for (const seconds of [0.02, 0.025, 0.03, 0.032, 0.04, 0.05, 0.064]) {
      const { window } = soundOf(recipeOf({ rate, features: { window: seconds } }).dataset)!;
      expect(Math.abs(window / (seconds * rate) - 1)).toBeLessThan(0.02);
      let rest = window;
      for (const factor of [2, 3, 5, 7]) while (rest % factor === 0) rest /= factor;
      expect(rest).toBe(1);
    }
  },
);

it('windows whose length has small factors already stay as they are', () => {
  const windowOf = (rate: number, window: number) => soundOf(recipeOf({ rate, features: { window } }).dataset)!.window;
  expect(windowOf(16_000, 0.03)).toBe(480);
  expect(windowOf(22_050, 512 / 22_050)).toBe(512);
  expect(windowOf(44_100, 0.03)).toBe(1323);
  expect(windowOf(22_050, 0.03)).toBe(672);
  expect(windowOf(11_025, 0.03)).toBe(336);
});

it('a run says that a window was changed, and that the spectrum outweighs the net', async () => {
  expect(await notesOf({})).toEqual([]);
  expect(await notesOf({ rate: 22_050 })).toEqual([
    'dataset.features.window: 0.03 s are 662 values at 22050 Hz; windows have 672, without prime factors above 7, which keeps the spectrum small',
  ]);
  const [note, ...others] = await notesOf(
    { rate: 48_000, features: { window: 0.1 } },
    { model: 'ds-cnn', width: 0.25 },
  );
  expect(others).toEqual([]);
  expect(note).toMatch(
    /^dataset\.features: the spectrum takes [\d.]+ kB of a float32 file and [\d.]+ million multiply-accumulates a sample, the net [\d.]+ kB and [\d.]+ million: a lower dataset\.rate, a shorter window or a longer hop makes it smaller$/,
  );
});
