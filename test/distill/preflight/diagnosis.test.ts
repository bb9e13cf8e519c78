import { diagnosis, betterReading } from '../../../src/distill/preflight/diagnosis.ts';
import type { Alternative, AskTeacher } from '../../../src/distill/preflight/diagnosis.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import type { Teacher } from '../../../src/distill/teachers/teacher.ts';
import '../../support/tasks.ts';

const SAMPLES = 400;
const labels = Int32Array.from({ length: SAMPLES }, (_, i) => i % 2);
const rows = Int32Array.from(labels, (_, i) => i);
const dataset = { task: 'classification', classNames: ['a', 'b'] } as unknown as Dataset;
const alternative: Alternative = {
  ...{ what: 'layout: nchw', keys: { layout: 'nchw' } },
  open: () => Promise.resolve({ classes: 2, dispose: () => Promise.resolve() } as unknown as Teacher),
};

/** Logits of the true class, but of the other one for a share of the rows. */
const wrongOn = (share: number, asked: ArrayLike<number> = rows): Float32Array =>
  Float32Array.from({ length: asked.length * 2 }, (_, at) => {
    const row = asked[at >> 1]!;
    const isWrong = ((row * 7919) % SAMPLES) / SAMPLES < share;
    return Number(((at & 1) === labels[row]!) !== isWrong);
  });

it.each([
  [0.08, 0.02, true],
  [0.08, 0.05, false],
  [0.04, 0, false],
  [0.6, 0.5, true],
  [0.6, 0.56, false],
])('a teacher that is wrong on %d of the samples, and in another reading on %d: is it named? %s', async (own, other, isNamed) => {
  const asked = { rows, labels, logits: wrongOn(own), accuracy: 1 - own };
  const ask: AskTeacher = (_teacher, _dataset, some) => Promise.resolve(wrongOn(other, some));
  const found = await betterReading(dataset, asked, [alternative], ask);
  expect(found?.hint).toBe(isNamed ? 'Set `teacher` to use layout: nchw.' : undefined);
}); // prettier-ignore

it('a reading is asked no further once it has made too many errors to be clearly better', async () => {
  const asked: number[] = [];
  const of =
    (share: number): AskTeacher =>
    (_teacher, _dataset, some) => {
      asked.push(some.length);
      return Promise.resolve(wrongOn(share, some));
    };
  const answered = { rows, labels, logits: wrongOn(0.5), accuracy: 0.5 };
  expect(await betterReading(dataset, answered, [alternative], of(1))).toBeUndefined();
  expect(asked.splice(0)).toEqual([20, 20, 20]);
  expect(await betterReading(dataset, answered, [alternative], of(0))).toMatchObject({ isEvident: true });
  expect(asked).toEqual([20, 20, 20, 20, 20, SAMPLES]);
});

it('a weak teacher that is clearly better in another reading is told so if it is better than chance, and taken so if it is not', async () => {
  const asked = { rows, labels, logits: wrongOn(0.5), accuracy: 0.5 };
  const ask: AskTeacher = (_teacher, _dataset, some) => Promise.resolve(wrongOn(0.36, some));
  expect(await betterReading(dataset, asked, [alternative], ask)).toMatchObject({ isEvident: false });
  const settings = { alternatives: [alternative], required: 0.55 };
  expect(await diagnosis(dataset, asked, settings, ask)).toMatchObject({
    fact: 'with layout: nchw it is right on 64.0 %',
    hint: 'Set `teacher` to use layout: nchw.',
  });
});

it('without an explanation the message names the readings that were tried, and the best figures', async () => {
  const asked = { rows, labels, logits: wrongOn(0.5), accuracy: 0.5 };
  const ask: AskTeacher = (_teacher, _dataset, some) => Promise.resolve(wrongOn(0.45, some));
  const alternatives = ['normalize: {scale: 1}', 'layout: nchw and normalize: {scale: 1}'].map((what) => ({ ...alternative, what })); // prettier-ignore
  const { fact } = await diagnosis(dataset, asked, { alternatives, required: 0.55 }, ask);
  expect(fact).toBe(
    'of normalize: {scale: 1} and layouts beside normalizations the best is normalize: {scale: 1}, with which it is right on 55.0 %; with its classes in the best other order it is right on 50.0 %',
  );
});
