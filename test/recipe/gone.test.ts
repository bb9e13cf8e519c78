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
