import type { StoreOptions } from '../../../../src/distill/answers/soft-targets.ts';
import { plainLogits } from '../../../../src/distill/preflight/preflight.ts';
import type { Teacher } from '../../../../src/distill/teachers/teacher.ts';
import type { Foretold } from '../../../../src/run/context.ts';
import { forecast } from '../../../../src/run/forecast.ts';
import { collectAnswers, storeOptions } from '../../../../src/run/stages/teacher/answer.ts';
import { makeRecipe } from '../../../../src/setup/make-recipe.ts';
import { alone } from '../../../../src/train/processes.ts';
import { pictures } from '../../../support/dataset.ts';
import { SHORT_RUN } from '../../../support/digits.ts';
import '../../../support/tasks.ts';

/** A teacher that answers with the first three numbers of a sample, and counts the samples that it is asked about. */
function counting(key = 'teacher'): Teacher & { readonly asked: () => number } {
  let asked = 0;
  return {
    ...{ name: 'teacher', key, classes: 3, featureShapes: {}, params: 0, sizeBytes: 0, device: 'cpu' },
    asked: () => asked,
    answer: (x, n) => {
      asked += n;
      const width = x.length / n;
      const logits = Float32Array.from({ length: 3 * n }, (_, i) => x[Math.floor(i / 3) * width + (i % 3)]!);
      return Promise.resolve({ logits, features: {} });
    },
    dispose: () => Promise.resolve(),
  };
}

const nothing = (): Promise<void> => Promise.resolve();

it('answers that a forecast asked for are stored, and asked for no second time', async () => {
  const [train, { recipe }] = [pictures(350), makeRecipe(SHORT_RUN, '.')];
  const data = { train, validation: pictures(20) } as never;
  const foretold: Foretold = { runs: 1, teachers: 1, finished: [], taken: new Map(), since: 0 };
  const teacher = counting();
  const options: StoreOptions = storeOptions(recipe, train, teacher, 'fp32');
  await forecast(
    { recipe, data, processes: alone },
    foretold,
    async ({ rehearsal }) => void (await rehearsal!.answers(options, 100)),
  );
  expect(foretold.answered?.metadata['done']).toBe('300');
  const before = teacher.asked();
  const titles: unknown[] = [];
  const stored = async (of: Teacher, more: Partial<Foretold>) => {
    const { answers } = await collectAnswers(
      {
        ...{ recipe: { ...recipe, distill: { ...recipe.distill, softTargets: { ...options, batchSize: 100 } } }, data },
        ...{ processes: alone, saveEveryMs: 1e9, done: nothing, foretold: { ...foretold, ...more } },
        onEvent: (event) => titles.push('resumedAt' in event && event.resumedAt),
        states: () => ({ load: () => Promise.resolve(undefined), save: nothing, remove: nothing }),
      },
      { teacher: of },
      { load: () => Promise.resolve(undefined), save: nothing },
    );
    return answers.answersFor({ ids: Int32Array.from(train.ids.keys()), x: new Float32Array() });
  };
  const expected = await stored(teacher, { answered: undefined as never });
  expect(teacher.asked() - before).toBe(350);
  expect(await stored(teacher, {})).toEqual(expected);
  expect(teacher.asked() - before).toBe(350 + 50);
  // Answers of another teacher, such as of a network before its training, are not used.
  const other = counting('other');
  expect(await stored(other, {})).toEqual(expected);
  expect(other.asked()).toBe(350);
  expect(titles.filter(Boolean)).toEqual([]);
});

it('answers to a whole split are asked for once, and those to a part or to another split each time', async () => {
  const [teacher, split, other] = [counting(), pictures(120), pictures(120)];
  const all = Int32Array.from({ length: 120 }, (_, row) => row);
  const first = await plainLogits(teacher, split, all);
  expect(await plainLogits(teacher, { ...split, targets: split.targets.slice() }, all)).toEqual(first);
  expect(teacher.asked()).toBe(120);
  await plainLogits(teacher, split, all.slice(0, 10));
  await plainLogits(teacher, split, all.toReversed());
  await plainLogits(teacher, other, all);
  expect(teacher.asked()).toBe(120 + 10 + 120 + 120);
});
