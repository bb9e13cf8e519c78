import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { macsOf } from '../../../src/graph/macs.ts';
import { modelInfo } from '../../../src/networks/models/info.ts';
import { dependencies } from '../../../src/compress/prune/groups.ts';
import type { ChannelGroup } from '../../../src/compress/prune/groups.ts';
import { pruneChannels } from '../../../src/compress/prune/prune.ts';
import { withWeights } from '../../../src/networks/layers/resize.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import type { State } from '../../../src/runtime/engine.ts';
import { useCpu } from '../../support/cpu.ts';
import { modelOf, randomWeights, small, SMALL } from './models.ts';

beforeAll(useCpu);

function logits(model: LayersModel): number[] {
  return tf.tidy(() => {
    const x = tf.randomUniform([3, ...model.inputs[0]!.shape.slice(1).map(Number)], -1, 1, 'float32', 5);
    return [...(model.apply(x, { training: false }) as tf.Tensor).dataSync()];
  });
}

/** The weights with everything zero that makes the odd channels of these groups: they and their batch norms give 0. */
function withoutOdd(weights: State, groups: readonly ChannelGroup[]): State {
  const out = new Map([...weights].map(([name, { type, data }]) => [name, { type, data: data.slice() }]));
  for (const { members } of groups) {
    for (const { weight, axis, role, positions } of members) {
      if (role === 'in' || weight.endsWith('moving_variance')) continue;
      const { type, data } = out.get(weight)!;
      const shape = type.shape.map(Number);
      const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      const odd = new Set(positions.filter((_, c) => c % 2 === 1).flat());
      data.forEach((_, i) => {
        if (odd.has(Math.floor(i / inner) % shape[axis]!)) data[i] = 0;
      });
    }
  }
  return out;
}

describe.each(Object.keys(SMALL))('%s', (name) => {
  it('answers as before without channels that are zero, and is as small as promised', async () => {
    const model = small(name);
    const { groups } = dependencies(layersNetwork(model));
    expect(groups.length).toBeGreaterThan(0);
    const weights = withoutOdd(randomWeights(model), groups);
    const before = logits(await withWeights(model, weights));
    const { result } = await pruneChannels(layersNetwork(model), weights, {
      amount: 0.5,
      budget: 'layer',
      multipleOf: 1,
    });
    for (const { before: was, after } of result.cuts) expect(after).toBe(Math.round(was / 2));
    const after = logits(modelOf(result.network));
    const scale = Math.max(...before.map(Math.abs));
    expect(scale).toBeGreaterThan(1e-3);
    after.forEach((value, i) => expect(Math.abs(value - before[i]!)).toBeLessThan(1e-5 * scale));

    expect(modelInfo(modelOf(result.network)).parameters).toBe(result.after.parameters);
    expect(macsOf(dependencies(result.network).graph)).toBe(result.after.macs);
    expect(result.after.macs).toBeLessThan(0.62 * result.before.macs);
  });

  it('answers otherwise without channels that matter', async () => {
    const model = small(name);
    const weights = randomWeights(model);
    const before = logits(await withWeights(model, weights));
    const { result } = await pruneChannels(layersNetwork(model), weights, { amount: 0.3, multipleOf: 4 });
    const after = logits(modelOf(result.network));
    expect(Math.max(...after.map((value, i) => Math.abs(value - before[i]!)))).toBeGreaterThan(1e-3);
    expect(after.every(Number.isFinite)).toBe(true);
  });
});

describe('pruneChannels', () => {
  it('keeps the batch statistics of the channels that stay', async () => {
    const model = small('ds-cnn');
    const weights = randomWeights(model);
    const { result } = await pruneChannels(layersNetwork(model), weights, { amount: 0.4, multipleOf: 4 });
    const [was, is] = [weights, result.weights].map((of) => of.get('stem3_bn/moving_variance')!.data);
    expect(is!.length).toBeLessThan(was!.length);
    expect([...is!].every((value) => was!.includes(value as never))).toBe(true);
  });

  it('removes the filters of the smallest norm', async () => {
    const model = small('mlp');
    const weights = new Map(randomWeights(model));
    const kernel = weights.get('dense1/kernel')!;
    // The norm of unit j grows with j.
    weights.set('dense1/kernel', {
      ...kernel,
      data: Float32Array.from({ length: kernel.data.length }, (_, i) => 1 + (i % 32)),
    });
    for (const importance of ['l1', 'l2'] as const) {
      const { result } = await pruneChannels(layersNetwork(model), weights, {
        amount: 0.5,
        budget: 'layer',
        importance,
      });
      expect([...result.weights.get('dense1/kernel')!.data].slice(0, 16)).toEqual(
        Array.from({ length: 16 }, (_, j) => 17 + j),
      );
    }
  });

  it('by batch-norm scale removes the channels with the smallest', async () => {
    const model = small('vgg');
    const weights = new Map(randomWeights(model));
    const gamma = weights.get('stage1_conv1_bn/gamma')!;
    weights.set('stage1_conv1_bn/gamma', {
      ...gamma,
      data: Float32Array.from({ length: gamma.data.length }, (_, i) => (i % 2 === 0 ? -1 - i : 0.5)),
    });
    const { result } = await pruneChannels(layersNetwork(model), weights, {
      amount: 0.5,
      budget: 'layer',
      importance: 'bn-scale',
    });
    expect([...result.weights.get('stage1_conv1_bn/gamma')!.data]).toEqual([-1, -3, -5, -7, -9, -11, -13, -15]);
    expect(result.cuts.every(({ by }) => by === 'bn-scale')).toBe(true);
    const plain = await pruneChannels(layersNetwork(small('mlp')), randomWeights(small('mlp')), {
      amount: 0.5,
      importance: 'bn-scale',
    });
    expect(plain.result.cuts.map(({ by }) => by)).toEqual(['l2', 'l2']);
  });

  it('says what it leaves alone, and what it cannot reach', async () => {
    const model = small('mlp');
    const { result, skipped } = await pruneChannels(layersNetwork(model), randomWeights(model), {
      amount: 0.9,
      multipleOf: 24,
    });
    expect(result.cuts.map(({ before, after }) => [before, after])).toEqual([
      [32, 24],
      [24, 24],
    ]);
    expect(skipped).toEqual([
      { what: 'logits', why: 'its channels are the outputs of the model' },
      { what: 'dense2', why: '24 channels cannot become fewer and stay a multiple of 24' },
      { what: '75.7 % of the channels', why: 'only 14.3 % could be removed' },
    ]);
  });

  it('leaves the model and the weights that it is given as they are', async () => {
    const model = small('resnet');
    const weights = randomWeights(model);
    const before = logits(model);
    await pruneChannels(layersNetwork(model), weights, { amount: 0.5 });
    expect(logits(model)).toEqual(before);
    expect(weights).toEqual(randomWeights(model));
  });
});
