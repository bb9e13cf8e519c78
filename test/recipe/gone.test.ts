import { canonicalJson } from '../../src/recipe/diff.ts';
import { asBefore, asNow, GONE } from '../../src/recipe/gone.ts';
import { parseRecipe } from '../../src/recipe/load.ts';
import { userError } from '../data/support.ts';

const RECIPE = `dataset: { type: csv, train: x.csv, label: y }
teacher: { onnx: t.onnx }
student: { model: mlp }
`;

it.each([
  ['distill: { loss: dkd, targetWeight: 1, nonTargetWeight: 8 }', 'distill: { loss: dkd }'],
  ['distill: { loss: nkd, nonTargetWeight: 1.5 }', 'distill: { loss: nkd }'],
  ['quantize: { equalize: false, rounding: nearest }', 'quantize: {}'],
  ['quantize: [{ method: qat, qat: { rangeDecay: 0.99, freezeAfter: 0.5 } }]', 'quantize: [{ method: qat }]'],
])('a key of an earlier version with the value that holds now changes nothing: %s', (before, now) => {
  expect(parseRecipe(RECIPE + before, 'x.yaml').written).toEqual(parseRecipe(RECIPE + now, 'x.yaml').written);
});

it.each([
  [
    'distill: { loss: dkd, nonTargetWeight: 2 }',
    /^x\.yaml:4:23 distill\.nonTargetWeight: no longer a key, received 2$/,
    /dkd has 8, nkd has 1\.5/,
  ],
  ['distill: { loss: kd, maskRatio: 0.15 }', /^x\.yaml:4:22 distill\.maskRatio: no longer a key/, /mgd has 0\.15/],
  [
    'quantize: { method: qat, qat: { rangeDecay: 0.9 } }',
    /^x\.yaml:4:33 quantize\.qat\.rangeDecay: no longer a key/,
    /decay of 0\.99/,
  ],
  [
    'quantize:\n  - { method: qat, qat: { freezeAfter: 0.9 } }',
    /^x\.yaml:5:27 quantize\[0\]\.qat\.freezeAfter: no longer a key/,
    /second half/,
  ],
])('with another value it is refused, and the hint says what to do instead: %s', async (line, message, hint) => {
  const error = await userError(() => parseRecipe(RECIPE + line, 'x.yaml'));
  expect(error.message).toMatch(message);
  expect(error.hint).toMatch(hint);
});

/** A recipe with a value at a path; `*`: the first item of a list, or a key of the schedules. */
function recipeWith(path: string, value: unknown): unknown {
  const make = ([key, ...rest]: readonly string[]): unknown => {
    if (key === undefined) return value;
    if (key === '*') return path.includes('schedules') ? { temperature: make(rest) } : [make(rest)];
    return { [key]: make(rest) };
  };
  return make(path.split('.'));
}

const OTHER = 0.123;

it.each(GONE)('$path is refused by a sentence that says what to do instead', async ({ path, instead }) => {
  const recipe = recipeWith(path, OTHER);
  const error = await userError(() => parseRecipe(JSON.stringify(recipe), 'x.yaml'));
  const key = path.replaceAll('schedules.*', 'schedules.temperature').replaceAll('.*', '[0]');
  const lines = error.message.split('\n').filter((line) => line.includes(`${key}: `));
  expect(lines).toEqual([expect.stringMatching(/: no longer a key, received 0\.123$/)]);
  expect(instead).toMatch(/^(Take it out|Write )/);
  expect(error.hint.slice(0, instead.length)).toBe(instead);
});

it('nothing else is said about what is around a removed key', async () => {
  for (const line of [
    'baseline: { optimizer: { learningRate: 0.1 } }',
    'distill: { loss: crld, strong: [{ mixup: 1 }], softTargets: { store: live } }',
  ]) {
    const error = await userError(() => parseRecipe(RECIPE + line, 'x.yaml'));
    expect(error.message).toMatch(/^x\.yaml:4:\d+ [^\n]*no longer a key[^\n]*$/);
  }
  const crop = RECIPE.replace('label: y', 'label: y, augment: [{ crop: { padding: 4, edge: reflect } }]');
  const { message } = await userError(() => parseRecipe(crop, 'x.yaml'));
  expect(message).toBe(
    'x.yaml:1:67 dataset.augment[0].crop.padding: no longer a key, received 4\n' +
      'x.yaml:1:79 dataset.augment[0].crop.edge: no longer a key, received "reflect"',
  );
});

it('a recipe of an earlier run is the recipe without the keys, and hashes of its trainings are those of the keys', () => {
  const written = parseRecipe(
    `${RECIPE}distill: { schedules: { temperature: { to: 1 } } }
prune: [{ finetune: { optimizer: { learningRate: 0.001 } } }]`,
    'x.yaml',
  ).written;
  const before = asBefore(written);
  expect(before.distill.optimizer).toMatchObject({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
  expect(before.distill.schedules).toEqual({ temperature: { to: 1, curve: 'linear' } });
  expect(before.prune[0]!.finetune.optimizer).toEqual({
    ...{ type: 'adamw', learningRate: 0.001, schedule: 'cosine', warmup: 0, milestones: [], gamma: 0.1 },
    ...{
      finalLearningRate: 0,
      weightDecay: 0,
      decay: 'matrices',
      momentum: 0.9,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
    },
  });
  expect(canonicalJson(asNow(before))).toBe(canonicalJson(written));
  const other = { ...before, distill: { optimizer: { ...before.distill.optimizer, beta1: 0.8 } } };
  expect(asNow(other)).toEqual(other);
});
