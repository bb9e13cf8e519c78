import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { QUICK } from './digits.ts';
import { temporaryFolder } from './folder.ts';
import { writeTeacher } from './tiny-teacher.ts';
import { writeData } from './tiny.ts';

/** Recipe of a tiny student that a teacher from a file teaches. */
export const TINY = {
  name: 'r',
  dataset: { type: 'csv', train: 'data.csv', testFraction: 0.2 },
  teacher: { tfjs: 'teacher/model.json' },
  student: { model: 'mlp', hidden: [2] },
  baseline: false,
  distill: { epochs: 2, batchSize: 16, softTargets: { batchSize: 16 } },
  ...QUICK,
};

/** A new folder for each test, with the data and the teacher of `TINY`, and recipes there, each with changes of `TINY`. `base`: changes of all of them. */
export function tinyRuns(base: object = {}) {
  const folder = temporaryFolder();
  beforeEach(async () => {
    useLazyBackend(evaluator);
    await writeData(folder());
    await writeTeacher(folder());
  });
  return { folder, made: (change: object = {}) => makeRecipe({ ...TINY, ...base, ...change }, folder()) };
}
