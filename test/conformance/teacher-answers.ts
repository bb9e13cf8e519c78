import path from 'node:path';
import type { Dataset } from '../../src/data/dataset.ts';
import { openTeacher } from '../../src/distill/teachers/open.ts';
import { plainLogits } from '../../src/distill/preflight/preflight.ts';
import { sessionOptionsOf } from '../../src/runtime/recipe-options.ts';
import { loadFedData } from '../../src/setup/data.ts';
import { engineOf } from '../../src/setup/engine.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';

/** The train split of a recipe of texts whose files lie in `folder`, and the answers of its teacher to all of it, one row behind the other. */
export async function teacherAnswers(
  written: object,
  folder: string,
): Promise<{ train: Dataset; given: Float32Array }> {
  const { recipe } = makeRecipe(written, folder);
  const { train } = await loadFedData(recipe, recipe.teacher, false);
  const { teacher } = await openTeacher(recipe.teacher!, {
    ...{ engine: await engineOf(recipe), session: sessionOptionsOf(recipe), dataset: train },
    name: (file) => path.basename(file),
  });
  const rows = Int32Array.from({ length: train.count }, (_, i) => i);
  try {
    return { train, given: await plainLogits(teacher, train, rows) };
  } finally {
    await teacher.dispose();
  }
}

/** True if answers are those that are expected, to 1e-4 of the spread of these, which must be more than 0.1: equal answers would show nothing. */
export function areNear(pairs: readonly (readonly [expected: number, given: number])[]): boolean {
  let [low, high, worst] = [Infinity, -Infinity, 0];
  for (const [expected, given] of pairs) {
    [low, high] = [Math.min(low, expected), Math.max(high, expected)];
    worst = Math.max(worst, Math.abs(expected - given));
  }
  return high - low > 0.1 && worst < 1e-4 * Math.max(1, high - low);
}
