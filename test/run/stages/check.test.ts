import type { RecipeInput } from '../../../src/recipe/schema.ts';
import { runRecipe } from '../../../src/run/run.ts';
import { makeRecipe } from '../../../src/setup/runnable.ts';
import { DIGITS, QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

const teacher = { train: { model: 'mlp', hidden: [8], epochs: 1 } };
const features = [{ student: 'dense1_relu', teacher: 'dense1_relu' }];
const live = { softTargets: { store: 'live' } } as const;

it.each<[string, Partial<RecipeInput>, RegExp]>([
  [
    'crld with stored answers',
    { distill: { loss: 'crld', strong: [{ shift: 1 }] } },
    /crld asks the teacher about a second view of each sample, .*received softTargets.store: fp16/,
  ],
  [
    'crd with mixed samples',
    { distill: { loss: 'crd', features, ...live }, dataset: { ...DIGITS, limit: 60, augment: [{ mixup: 1 }] } },
    /distill\.loss: crd remembers single samples, received dataset\.augment with mixup/,
  ],
  [
    'crd without all labels',
    { distill: { loss: 'crd', features, ...live }, dataset: { ...DIGITS, limit: 60, labelled: 40 } },
    /distill\.loss: crd asks which class or number is the true one, and \d+ of 60 samples of train have no label/,
  ],
  [
    'layers that the last assistant has not',
    {
      distill: { loss: 'reviewkd', features: [{ student: 'dense1_relu', teacher: 'stem1_relu' }], ...live },
      teacher: { ...teacher, chain: [teacher.train] },
    },
    /distill\.features: the last assistant has no layer stem1_relu/,
  ],
])('%s is refused before anything is trained', async (_, change, message) => {
  const dataset = { ...DIGITS, limit: 60 };
  const recipe = makeRecipe({ name: 'r', dataset, teacher, student: { model: 'mlp' }, ...QUICK, ...change }, folder());
  const stages: string[] = [];
  const onEvent = (event: { type: string; stage?: string }): void => void (event.stage && stages.push(event.stage));
  await expect(runRecipe(recipe, { out: folder(), onEvent })).rejects.toThrow(message);
  expect(stages).not.toContain('teach');
});
