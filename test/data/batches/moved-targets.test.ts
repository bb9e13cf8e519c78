// Needs the feature mask.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { RandomStream } from '../../../src/base/random.ts';
import { batches } from '../../../src/data/batches/batches.ts';
import type { Batch, BatchOptions } from '../../../src/data/batches/batches.ts';
import type * as Prefetch from '../../../src/data/batches/prefetch.ts';
import type { AugmentStep } from '../../../src/data/config.ts';
import { sharedBytes } from '../../../src/data/dataset.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { IGNORED } from '../../../src/data/targets/ignored.ts';
import { compileTo } from '../compile.ts';
import { datasetOf } from '../support.ts';

/** Compiled modules: worker threads cannot run what jest compiles in memory. */
const output = path.resolve(`node_modules/.cache/limbeck-moved-${process.pid}`);
let { Prefetcher } = {} as typeof Prefetch;

beforeAll(async () => {
  await compileTo(output, ['data/batches/prefetch', 'data/batches/prefetch-worker']);
  const file = path.join(output, 'data/batches/prefetch.js');
  ({ Prefetcher } = (await import(pathToFileURL(file).href)) as typeof Prefetch);
});
afterAll(() => rm(output, { recursive: true, force: true }));

const [COUNT, HEIGHT, WIDTH] = [41, 7, 10];

/** Pictures whose value at each pixel is the class of the pixel, and their masks. */
function masked(): Dataset {
  const random = new RandomStream('masks');
  const samples = sharedBytes(COUNT * HEIGHT * WIDTH).map(() => 1 + random.below(200));
  return { ...datasetOf(samples, [HEIGHT, WIDTH, 1]), task: 'segmentation', targets: Uint8Array.from(samples) };
}
const dataset = masked();

const EXACT: AugmentStep[] = [{ flip: 'horizontal' }, { crop: 2 }, { shift: 9 }];
const options: BatchOptions = { batchSize: 8, seed: 4, epoch: 2, augment: EXACT };
const ALL: AugmentStep[] = [...EXACT, { erase: {} }, { rotate: 20 }, { resizedCrop: {} }, { randAugment: {} }];

const all = (changes: Partial<BatchOptions> = {}) => [...batches(dataset, { ...options, ...changes })];
const targetsOf = (list: readonly Batch[]) => list.map(({ targets }) => targets);

async function collect(stream: AsyncIterable<Batch>): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of stream) list.push(batch);
  return list;
}

it('masks show the classes that their pictures show; pixels from outside are ignored', () => {
  let ignored = 0;
  for (const { x, targets } of all()) {
    expect(targets).toBeInstanceOf(Uint8Array);
    const classes = Array.from(x, (value) => Math.round(255 * value) || IGNORED);
    expect([...targets]).toEqual(classes);
    ignored += classes.filter((value) => value === IGNORED).length;
  }
  expect(ignored).toBeGreaterThan(COUNT);
});

it('masks stay in their places without augmentation, and in the data set in any case', () => {
  const before = dataset.targets.slice();
  for (const { ids, targets } of all({ augment: [] }))
    ids.forEach((row, i) => {
      const size = HEIGHT * WIDTH;
      expect(targets.slice(i * size, (i + 1) * size)).toEqual(before.slice(row * size, (row + 1) * size));
    });
  all({ augment: ALL });
  expect(dataset.targets).toEqual(before);
});

it.each([1, 3])('%i workers give the masks of one thread', async (workers) => {
  const prefetcher = new Prefetcher(dataset, { workers });
  expect(prefetcher.mode).toBe('workers');
  for (const changes of [
    {},
    { augment: ALL },
    { augment: ALL, views: 2, viewSeed: 9 },
    { augment: ALL, startBatch: 3 },
  ])
    expect(await collect(prefetcher.epoch({ ...options, ...changes }))).toEqual(all(changes));
  await prefetcher.close();
});

it('a resumed epoch has the masks of the whole epoch', () => {
  expect(targetsOf(all({ augment: ALL, startBatch: 2 }))).toEqual(targetsOf(all({ augment: ALL })).slice(2));
});

it('a fixed view has the same masks in every epoch that shows it, in any order of the samples', () => {
  const byRow = (epoch: number, seed: number): Map<number, string> =>
    new Map(
      all({ augment: ALL, views: 3, viewSeed: 5, epoch, seed }).flatMap(({ ids, targets }) => {
        const size = targets.length / ids.length;
        return Array.from(ids, (row, i) => [row, targets.subarray(i * size, (i + 1) * size).join()] as const);
      }),
    );
  expect(new Map([...byRow(4, 8)].sort())).toEqual(new Map([...byRow(1, 4)].sort()));
  expect(byRow(2, 4).get(0)).not.toBe(byRow(1, 4).get(0));
});

it.each([2, 4])(
  'each of %i processes has the masks of the whole batch, though it reads only its own samples',
  (size) => {
    const whole = all({ augment: ALL });
    for (let rank = 0; rank < size; rank++) {
      const own = all({ augment: ALL, share: { rank, size, cuts: [{ shards: 4 }] } });
      expect(targetsOf(own)).toEqual(targetsOf(whole));
      expect(own.some(({ x }) => x.includes(NaN))).toBe(true);
    }
  },
);
