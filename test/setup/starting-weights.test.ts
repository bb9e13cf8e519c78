import { UserError } from '../../src/base/errors.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { contentOf } from '../../src/networks/network.ts';
import type { ModelNetwork } from '../../src/networks/network.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { withStartingWeights } from '../../src/networks/starting-weights.ts';
import { startingWeights } from '../../src/setup/starting-weights.ts';
import { useLazyBackend } from '../../src/trace/use.ts';

beforeAll(() => useLazyBackend(evaluator));

const stored = await startingWeights();
type Per = 'sample' | 'pixel' | 'point';

function drawn(model: string, answersPer: Per, options: object = {}, channels = 3): ModelNetwork {
  const args = { inputShape: [64, 64, channels], classes: 4, seed: 1, answersPer, options: { ...options } };
  return layersNetwork(buildModel(model, answersPer === 'pixel' ? { ...args, stride: 4 } : args));
}

it.each<[model: string, per: Per, options: object, first: number]>([
  ['det-nano', 'point', {}, 240],
  ['seg-lraspp', 'pixel', { alpha: 0.35 }, 195],
  ['mobilenet-v2', 'sample', { alpha: 0.35 }, 255],
])('%s begins with the weights of the file, its other layers with drawn ones', (model, per, options, first) => {
  const before = new Map([...contentOf(drawn(model, per, options))].map(([name, { data }]) => [name, data.slice()]));
  const network = withStartingWeights(drawn(model, per, options), stored, { model, isAsked: false });
  const after = contentOf(network);
  expect([...after.keys()].filter((name) => stored.has(name))).toHaveLength(first);
  for (const [name, { data }] of after) expect(data).toEqual(stored.get(name)?.data ?? before.get(name));
  expect(network.origin).toEqual([
    expect.stringMatching(`^model ${model} begins with starting weights .* in ${first} tensors`),
  ]);
});

it.each<[what: string, model: string, options: object, channels: number]>([
  ['another width', 'mobilenet-v2', {}, 3],
  ['grey pictures', 'mobilenet-v2', { alpha: 0.35 }, 1],
])('a model of %s keeps its drawn weights, and refuses `own`', (_what, model, options, channels) => {
  const network = drawn(model, 'sample', options, channels);
  const before = [...contentOf(network).values()].map(({ data }) => data.slice());
  expect(withStartingWeights(network, stored, { model, isAsked: false })).toBe(network);
  expect([...contentOf(network).values()].map(({ data }) => data)).toEqual(before);
  expect(() => withStartingWeights(network, stored, { model, isAsked: true })).toThrow(UserError);
});
