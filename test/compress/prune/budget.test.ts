import { allot, removedShare, roundedChannels } from '../../../src/compress/prune/budget.ts';
import type { BudgetOptions } from '../../../src/compress/prune/budget.ts';
import { costModel } from '../../../src/compress/prune/costs.ts';
import { dependencies } from '../../../src/compress/prune/groups.ts';
import { pruneChannels } from '../../../src/compress/prune/prune.ts';
import { sensitivity } from '../../../src/compress/prune/sensitivity.ts';
import { useCpu } from '../../support/cpu.ts';
import { randomWeights, small } from './models.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';

beforeAll(useCpu);

/** Layers of these sizes, each as dear per channel as the others. */
const plain = (kept: readonly number[]) => {
  const channels = kept.reduce((sum, count) => sum + count, 0);
  return { channels, macs: 10 * channels, parameters: channels };
};
const rising = (count: number, from = 1) => Float64Array.from({ length: count }, (_, i) => from + i);
const options = (change: Partial<BudgetOptions>): BudgetOptions => {
  return { amount: 0.5, target: 'channels', budget: 'global', multipleOf: 8, ...change };
};

describe('rounding', () => {
  it.each([
    [64, 0.5, 8, 32],
    [64, 0.3, 8, 48],
    [84, 0.01, 8, 80],
    [84, 0, 8, 84],
    [16, 0.9, 8, 8],
    [6, 0.5, 8, 6],
    [12, 0.5, 1, 6],
    [12, 0.99, 1, 1],
  ])('%d channels, %d removed, multiples of %d: %d stay', (channels, share, multipleOf, expected) => {
    expect(roundedChannels(channels, share, multipleOf)).toBe(expected);
  });
});

describe('the budget', () => {
  it('per layer takes the same share everywhere', () => {
    expect(allot([rising(32), rising(64, 100)], plain, options({ budget: 'layer' }))).toEqual([16, 32]);
  });

  it('global takes what matters least, wherever it is, down to one multiple', () => {
    expect(allot([rising(32), rising(64, 100)], plain, options({ amount: 0.2 }))).toEqual([16, 64]);
    expect(allot([rising(32), rising(64, 100)], plain, options({ amount: 0.5 }))).toEqual([8, 40]);
  });

  it('global leaves no bottleneck: a layer loses at most (1 + amount) / 2', () => {
    expect(allot([rising(64), rising(64, 100)], plain, options({ amount: 0.4 }))).toEqual([24, 56]);
  });

  it('takes of several multiples the first below the count', () => {
    const scores = [rising(16), rising(32), rising(8)];
    const kept = (multipleOf: number | number[], budget: 'layer' | 'global') =>
      allot(scores, plain, options({ multipleOf, budget, amount: 0.5 }));
    expect(kept([16, 8], 'layer')).toEqual([8, 16, 8]);
    expect(kept(16, 'layer')).toEqual([16, 16, 8]);
    expect(kept([16, 8], 'global')).toEqual([8, 16, 8]);
  });

  it('first rounds a layer of an odd size', () => {
    expect(allot([rising(84)], plain, options({ amount: 0.05 }))).toEqual([80]);
    expect(allot([rising(84)], plain, options({ amount: 0.12 }))).toEqual([72]);
  });

  it('ends nearest to the amount', () => {
    const shares = [0.04, 0.1, 0.2, 0.3, 0.46].map((amount) => {
      const kept = allot([rising(80)], plain, options({ amount }));
      return removedShare(plain([80]), plain(kept), 'channels');
    });
    expect(shares.map((share) => Math.round(share * 100) / 100)).toEqual([0, 0.1, 0.2, 0.3, 0.5]);
  });

  it.each([
    ['macs', 'global'],
    ['macs', 'layer'],
    ['parameters', 'global'],
    ['parameters', 'layer'],
    ['channels', 'global'],
  ] as const)('of %s, %s, comes near the amount on a residual network', async (target, budget) => {
    const model = small('resnet');
    for (const amount of [0.25, 0.5]) {
      const { result } = await pruneChannels(layersNetwork(model), randomWeights(model), {
        amount,
        target,
        budget,
        multipleOf: 4,
      });
      const share = removedShare(result.before, result.after, target);
      expect(Math.abs(share - amount)).toBeLessThan(budget === 'layer' ? 0.1 : 0.05);
      for (const { after } of result.cuts) expect(after % 4).toBe(0);
    }
  });

  it('counts what depends on two groups at once', () => {
    const found = dependencies(layersNetwork(small('mlp')));
    const costsOf = costModel(found);
    // 5 → 32 → 24 → 3, and 5 → 16 → 8 → 3 with biases.
    expect(costsOf([32, 24])).toEqual({ channels: 56, macs: 160 + 768 + 72, parameters: 192 + 792 + 75 });
    expect(costsOf([16, 8])).toEqual({ channels: 24, macs: 80 + 128 + 24, parameters: 96 + 136 + 27 });
  });
});

describe('sensitivity', () => {
  it('has a row for each layer and amount that rounding leaves, against the model as it was', async () => {
    const model = small('mlp');
    const seen: string[] = [];
    const rows = await sensitivity(layersNetwork(model), randomWeights(model), {
      evaluate: (_, weights) => {
        const sizes = ['dense1/bias', 'dense2/bias'].map((name) => weights.get(name)!.data.length);
        seen.push(sizes.join(' '));
        return Promise.resolve(sizes[0]! / 64 + sizes[1]! / 48);
      },
    });
    expect(seen).toEqual(['32 24', '24 24', '16 24', '8 24', '32 16', '32 8']);
    expect(rows.map(({ layers, channels, kept, drop }) => [layers.join(), channels, kept, drop])).toEqual([
      ['dense1', 32, 24, 0.125],
      ['dense1', 32, 16, 0.25],
      ['dense1', 32, 8, 0.375],
      ['dense2', 24, 16, expect.closeTo(1 / 6)],
      ['dense2', 24, 8, expect.closeTo(1 / 3)],
    ]);
  });
});
