import { batches } from '../../../src/data/batches/batches.ts';
import type { BatchOptions } from '../../../src/data/batches/batches.ts';
import { countOfElements } from '../../../src/data/dataset.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { loadDataset } from '../../../src/data/load.ts';
import { neededOf, partsEach, batchPartSizes } from '../../../src/data/batches/share.ts';
import type { BatchCut } from '../../../src/data/batches/share.ts';
import { idx, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const COUNT = 90;

/** Positions that each of `size` processes needs of a batch. */
const needs = (samples: number, size: number, cuts: readonly BatchCut[]): number[][] =>
  Array.from({ length: size }, (_, rank) => [...neededOf(samples, { rank, size, cuts })]);

describe('the share of a process', () => {
  it.each([1, 2, 3, 4, 8])('of %i is its own parts: between them the processes need each sample once', (size) => {
    for (const cut of [{ shards: 8 }, { shards: 8, most: 3 }, { shards: 5, most: 4 }])
      for (const samples of [1, 7, 8, 50, 61]) {
        const all = needs(samples, size, [cut]);
        expect(all.flat()).toEqual(Array.from({ length: samples }, (_, i) => i));
        const sizes = batchPartSizes(samples, cut);
        const each = partsEach(sizes.length, size);
        const own = (rank: number) => sizes.slice(rank * each, (rank + 1) * each).reduce((sum, n) => sum + n, 0);
        expect(all.map(({ length }) => length)).toEqual(all.map((_, rank) => own(rank)));
      }
  });

  it('holds the samples of all cuts, where one is not a refinement of the other', () => {
    // Of six parts for the gradient the first process has four, of 8 samples; of three for the teacher, of 4, 3 and 3, it has two.
    const cuts = [{ shards: 3, most: 2 }, { shards: 3 }];
    expect(batchPartSizes(10, cuts[0]!)).toEqual([2, 2, 2, 2, 1, 1]);
    expect(needs(10, 2, cuts)).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [7, 8, 9],
    ]);
  });
});

describe('batches of one of several processes', () => {
  /** Samples that are left in their file, and the rows of it that are read. */
  async function counted(): Promise<{ dataset: Dataset; read: number[] }> {
    const images = idx(
      8,
      [COUNT, 3, 4],
      Uint8Array.from({ length: 12 * COUNT }, (_, i) => (i * 7 + (i >> 5)) % 256),
    );
    const labels = idx(
      8,
      [COUNT],
      Array.from({ length: COUNT }, (_, i) => i % 3),
    );
    const train = { images: await folder.file('x.idx', images), labels: await folder.file('y.idx', labels) };
    const { train: dataset } = await loadDataset({ type: 'idx', train, validation: 20 }, { memory: 0 });
    const read: number[] = [];
    const rows = new Proxy(dataset.stored!.rows, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) read.push(target[Number(key)]!);
        return Reflect.get(target, key, target) as unknown;
      },
    });
    return { dataset: { ...dataset, stored: { ...dataset.stored!, rows } }, read };
  }

  const options = { batchSize: 16, seed: 3, epoch: 1 };
  const made = (dataset: Dataset, more: Partial<BatchOptions> = {}) => [...batches(dataset, { ...options, ...more })];

  it.each([1, 2, 4, 8])('%i of them read each sample of an epoch once, each its own', async (size) => {
    const { dataset, read } = await counted();
    const augment = [{ shift: 1 }];
    const whole = made(dataset, { augment });
    const expected = [...read].sort((a, b) => a - b);
    expect(expected.length).toBe(dataset.count);
    read.length = 0;
    for (let rank = 0; rank < size; rank++) {
      const before = read.length;
      const share = { rank, size, cuts: [{ shards: 8 }] };
      for (const [i, { x, ...rest }] of made(dataset, { augment, share }).entries()) {
        const { x: all, ...others } = whole[i]!;
        expect(rest).toEqual(others);
        expect(x).toEqual(without(all, dataset, neededOf(rest.ids.length, share)));
      }
      // Of each batch a process has as many shards as the others, and a shard is one sample larger than another at most.
      expect(Math.abs(read.length - before - dataset.count / size)).toBeLessThanOrEqual(whole.length * (8 / size));
    }
    expect([...read].sort((a, b) => a - b)).toEqual(expected);
  });

  it.each([[{ mixup: 0.4 }], [{ cutmix: 1 }]])('read those too that are mixed into their own: %j', async (mix) => {
    const { dataset, read } = await counted();
    const augment = [mix];
    const whole = made(dataset, { augment });
    for (const rank of [0, 1, 2, 3]) {
      const share = { rank, size: 4, cuts: [{ shards: 8 }] };
      read.length = 0;
      let needed = 0;
      for (const [i, batch] of made(dataset, { augment, share }).entries()) {
        const own = neededOf(batch.ids.length, share);
        expect(rowsOf(batch.x, dataset, own)).toEqual(rowsOf(whole[i]!.x, dataset, own));
        expect(batch.mix).toEqual(whole[i]!.mix);
        needed += neededOf(batch.ids.length, share, batch.mix!.partners).length;
      }
      expect([read.length, needed < dataset.count]).toEqual([needed, true]);
    }
  });
});

function rowsOf(x: Float32Array, { sampleShape }: Dataset, positions: Int32Array): number[] {
  const size = countOfElements(sampleShape);
  return [...positions].flatMap((i) => [...x.subarray(i * size, (i + 1) * size)]);
}

/** NaN in place of all but these. */
function without(x: Float32Array, { sampleShape }: Dataset, positions: Int32Array): Float32Array {
  const size = countOfElements(sampleShape);
  const kept = new Float32Array(x.length).fill(NaN);
  for (const i of positions) kept.set(x.subarray(i * size, (i + 1) * size), i * size);
  return kept;
}
