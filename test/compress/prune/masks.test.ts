import {
  cubicSparsity,
  gradualMasks,
  magnitudeMasks,
  maskedCounts,
  patternMasks,
} from '../../../src/compress/prune/masks.ts';
import { kernelsOf } from '../../../src/networks/layers/resizable.ts';
import type { State } from '../../../src/runtime/engine.ts';
import { withMasks } from '../../../src/train/step/masks.ts';
import { useCpu } from '../../support/cpu.ts';
import { randomWeights, small } from './models.ts';

beforeAll(useCpu);

const tensor = (shape: number[], values: readonly number[]) => {
  return { type: { dtype: 'float32' as const, shape }, data: Float32Array.from(values) };
};
const zeros = (masks: State, name: string): number => [...masks.get(name)!.data].filter((value) => value === 0).length;

describe('what can be masked', () => {
  it('is the kernels of convolutions and dense layers; depthwise filters are left alone and named', () => {
    const { result, skipped } = kernelsOf(small('ds-cnn'));
    expect(result.map(({ name, inputs, shape }) => [name, shape[inputs]])).toEqual([
      ['stem1/kernel', 1],
      ['stem2/kernel', 8],
      ['stem3/kernel', 16],
      ['block1_pointwise/kernel', 32],
      ['block2_pointwise/kernel', 48],
      ['logits/kernel', 64],
    ]);
    expect(skipped.map(({ what }) => what)).toEqual([
      'block1_depthwise/depthwise_kernel',
      'block2_depthwise/depthwise_kernel',
    ]);
  });
});

describe('masks by magnitude', () => {
  const weights: State = new Map([
    ['a', tensor([2, 3], [1, -2, 3, -4, 5, 6])],
    ['b', tensor([4], [-10, 20, 30, 0.5])],
  ]);

  it('per layer clear the same share of each', () => {
    const masks = magnitudeMasks(weights, ['a', 'b'], 0.5, 'layer');
    expect([...masks.get('a')!.data]).toEqual([0, 0, 0, 1, 1, 1]);
    expect([...masks.get('b')!.data]).toEqual([0, 1, 1, 0]);
  });

  it('global clear the smallest wherever they are', () => {
    const masks = magnitudeMasks(weights, ['a', 'b'], 0.5, 'global');
    expect([...masks.get('a')!.data]).toEqual([0, 0, 0, 0, 1, 1]);
    expect([...masks.get('b')!.data]).toEqual([1, 1, 1, 0]);
    expect(maskedCounts(masks)).toEqual({ weights: 10, zero: 5 });
  });

  it('clear exactly the share, of equal weights the first', () => {
    const equal: State = new Map([['a', tensor([5], [1, 1, -1, 1, 1])]]);
    expect([...magnitudeMasks(equal, ['a'], 0.4, 'layer').get('a')!.data]).toEqual([0, 0, 1, 1, 1]);
  });

  it('make weights zero and leave the rest of a state as it is', () => {
    const masks = magnitudeMasks(weights, ['a'], 0.5, 'layer');
    const masked = withMasks(weights, masks);
    expect([...masked.get('a')!.data]).toEqual([0, 0, 0, -4, 5, 6]);
    expect(masked.get('b')).toBe(weights.get('b'));
    expect([...weights.get('a')!.data]).toEqual([1, -2, 3, -4, 5, 6]);
  });
});

describe('the cubic schedule', () => {
  it('is equation 1 of Zhu & Gupta 2017', () => {
    expect([0, 5, 10, 15].map((step) => cubicSparsity(step, 10, 0.8))).toEqual([0, expect.closeTo(0.7), 0.8, 0.8]);
  });

  it('grows over the first half of a training, and is final from there on', () => {
    const model = small('mlp');
    const weights = randomWeights(model);
    const names = kernelsOf(model).result.map(({ name }) => name);
    for (const steps of [1, 2, 7, 100, 1001]) {
      const plan = gradualMasks(names, { sparsity: 0.75, budget: 'layer', steps });
      const changes = Array.from({ length: steps }, (_, step) => step).filter((step) => plan.changesAt(step));
      expect(changes.at(-1)).toBe(plan.finalFrom);
      expect(plan.finalFrom).toBeLessThanOrEqual(steps / 2);
      expect(changes.length).toBeLessThanOrEqual(27);
      const shares = changes.map((step) => zeros(plan.masksAt(step, weights), 'dense2/kernel') / (32 * 24));
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      expect(shares.at(-1)).toBe(0.75);
    }
  });
});

describe('masks in a pattern', () => {
  const [conv, dense] = ['stem2/kernel', 'logits/kernel'];

  it.each([
    [2, 4],
    [1, 4],
    [4, 8],
    [1, 2],
  ])('%d of %d: of every run along the inputs the largest stay', (keep, outOf) => {
    const model = small('ds-cnn');
    const weights = randomWeights(model);
    const { result, skipped } = patternMasks(weights, kernelsOf(model).result, { keep, outOf });
    expect(skipped).toEqual([{ what: 'stem1/kernel', why: `its 1 inputs are not a multiple of ${outOf}` }]);
    for (const name of [conv, dense]) {
      const { type, data } = weights.get(name)!;
      const mask = result.get(name)!.data;
      const [inputs, outputs] = type.shape.slice(-2).map(Number) as [number, number];
      const runs = mask.length / outOf;
      let seen = 0;
      for (let outer = 0; outer < mask.length / (inputs * outputs); outer++)
        for (let out = 0; out < outputs; out++)
          for (let start = 0; start < inputs; start += outOf) {
            const at = Array.from({ length: outOf }, (_, i) => (outer * inputs + start + i) * outputs + out);
            const size = (i: number): number => Math.abs(Number(data[i]));
            const kept = at.filter((i) => mask[i] === 1).map(size);
            const gone = at.filter((i) => mask[i] === 0).map(size);
            expect(kept).toHaveLength(keep);
            expect(Math.min(...kept)).toBeGreaterThanOrEqual(Math.max(...gone));
            seen++;
          }
      expect(seen).toBe(runs);
    }
  });
});
