import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { UserError } from '../../../src/base/errors.ts';
import { batches } from '../../../src/data/batches/batches.ts';
import type { Batch, BatchOptions } from '../../../src/data/batches/batches.ts';
import { Prefetcher as InlinePrefetcher, prefetch as inlinePrefetch } from '../../../src/data/batches/prefetch.ts';
import { Scratch } from '../../../src/data/storage/temporary-file.ts';
import { compileTo } from '../compile.ts';
import { countingDataset } from '../support.ts';

interface Module {
  readonly Prefetcher: typeof InlinePrefetcher;
  readonly prefetch: typeof inlinePrefetch;
}

/** Worker threads cannot run what jest compiles in memory, so the modules that the worker needs are compiled to a folder. */
const output = path.resolve(`node_modules/.cache/limbeck-prefetch-${process.pid}`);
let compiled: Module;

beforeAll(async () => {
  await compileTo(output, ['data/batches/prefetch', 'data/batches/prefetch-worker']);
  compiled = (await import(pathToFileURL(path.join(output, 'data/batches/prefetch.js')).href)) as Module;
});
afterAll(() => rm(output, { recursive: true, force: true }));

const dataset = countingDataset(500, [8, 8, 1]);
const options: BatchOptions = {
  batchSize: 32,
  seed: 3,
  epoch: 1,
  augment: [{ shift: 2 }, { rotate: 10 }, { mixup: 0.3 }],
  classWeights: Float32Array.of(1, 2, 3),
};

async function collect(stream: AsyncIterable<Batch>): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of stream) list.push(batch);
  return list;
}

function expectSameBatches(actual: readonly Batch[], expected: readonly Batch[]): void {
  expect(actual.map(({ index }) => index)).toEqual(expected.map(({ index }) => index));
  actual.forEach((batch, i) => {
    expect(Buffer.compare(Buffer.from(batch.x.buffer), Buffer.from(expected[i]!.x.buffer))).toBe(0);
    expect(batch).toEqual(expected[i]);
  });
}

/** As a training step does it: nothing else runs in this thread meanwhile. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('prefetch in worker threads', () => {
  it.each([1, 2, 3])('with %d workers gives the batches of one thread, in order and byte for byte', async (workers) => {
    const prefetcher = new compiled.Prefetcher(dataset, { workers });
    expect(prefetcher.mode).toBe('workers');
    try {
      for (const epoch of [0, 1]) {
        expectSameBatches(await collect(prefetcher.epoch({ ...options, epoch })), [
          ...batches(dataset, { ...options, epoch }),
        ]);
      }
      expectSameBatches(
        await collect(prefetcher.epoch({ ...options, startBatch: 5 })),
        [...batches(dataset, options)].slice(5),
      );
    } finally {
      await prefetcher.close();
    }
  });

  it('fills the memory of batches that are no longer needed with the same batches', async () => {
    const prefetcher = new compiled.Prefetcher(dataset, { workers: 2 });
    for (const epoch of [0, 1]) {
      const expected = [...batches(dataset, { ...options, epoch })];
      const held: Batch[] = [];
      for await (const batch of prefetcher.epoch({ ...options, epoch, needed: 3 })) {
        held.push(batch);
        for (const { index, ...rest } of held.slice(-3)) expect({ index, ...rest }).toEqual(expected[index]);
      }
      expect(held).toHaveLength(expected.length);
      expect(new Set(held.map(({ x }) => x.buffer)).size).toBe(3);
    }
    await prefetcher.close();
  });

  it('reads samples that are left in a file', async () => {
    const scratch = new Scratch('x: its samples', { type: 'uint8', rowSize: 64 }, dataset.samples.byteLength);
    scratch.write(dataset.samples);
    const prefetcher = new compiled.Prefetcher({ ...dataset, ...scratch.finish() }, { workers: 2 });
    expectSameBatches(await collect(prefetcher.epoch(options)), [...batches(dataset, options)]);
    await prefetcher.close();
  });

  it('has batches ready after a step that blocked this thread', async () => {
    const prefetcher = new compiled.Prefetcher(dataset, { workers: 1, depth: 4 });
    const stream = prefetcher.epoch({ ...options, batchSize: 8 });
    await stream.next();
    block(300);
    await new Promise((resolve) => setImmediate(resolve));
    expect(prefetcher.ready).toBe(4);
    await prefetcher.close();
  });

  it('makes no more batches ahead than its depth', async () => {
    const prefetcher = new compiled.Prefetcher(dataset, { workers: 2, depth: 4 });
    const stream = prefetcher.epoch({ ...options, batchSize: 1 });
    await stream.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(prefetcher.ready).toBe(4);
    await prefetcher.close();
  });

  it('can leave an epoch in the middle and read another', async () => {
    const prefetcher = new compiled.Prefetcher(dataset, { workers: 2 });
    for await (const { index } of prefetcher.epoch(options)) if (index === 2) break;
    expectSameBatches(await collect(prefetcher.epoch({ ...options, epoch: 9 })), [
      ...batches(dataset, { ...options, epoch: 9 }),
    ]);
    const first = prefetcher.epoch(options);
    await first.next();
    const second = prefetcher.epoch({ ...options, epoch: 4 });
    await expect(first.next()).rejects.toThrow(/ended by the start of another/);
    expectSameBatches(await collect(second), [...batches(dataset, { ...options, epoch: 4 })]);
    await prefetcher.close();
  });

  it('carries errors over, with their remedy, and works on after them', async () => {
    const prefetcher = new compiled.Prefetcher(countingDataset(9, [4]), { workers: 2 });
    const wrong = { batchSize: 2, seed: 1, epoch: 0, augment: [{ shift: 2 }] };
    const error = await collect(prefetcher.epoch(wrong)).catch((reason: unknown) => reason as UserError);
    expect(error).toMatchObject({
      name: 'UserError',
      message: 'augment: shift changes images, but a sample is [4]',
      hint: expect.stringMatching(/`shape: /) as string,
    });
    expect(await collect(prefetcher.epoch({ ...wrong, augment: [] }))).toHaveLength(5);
    await prefetcher.close();
  });

  it('says so when a worker dies', async () => {
    const broken = path.join(output, 'broken');
    await compileTo(broken, ['data/batches/prefetch']);
    await writeFile(path.join(broken, 'data/batches/prefetch-worker.js'), "throw new Error('worker could not start');");
    const { prefetch } = (await import(pathToFileURL(path.join(broken, 'data/batches/prefetch.js')).href)) as Module;
    await expect(collect(prefetch(dataset, options))).rejects.toThrow('worker could not start');
  });

  it('ends its threads on close, and an epoch that is still read says so', async () => {
    const prefetcher = new compiled.Prefetcher(dataset, { workers: 2 });
    const stream = prefetcher.epoch(options);
    await stream.next();
    await prefetcher.close();
    await expect(stream.next()).rejects.toThrow(/ended by the start of another or by close/);
    await prefetcher.close();
  });

  it('for one epoch closes itself, at the end and on a break', async () => {
    expectSameBatches(await collect(compiled.prefetch(dataset, { ...options, workers: 2 })), [
      ...batches(dataset, options),
    ]);
    for await (const batch of compiled.prefetch(dataset, options)) {
      expect(batch.index).toBe(0);
      break;
    }
  });
});

describe('prefetch without compiled code', () => {
  it('makes the same batches in this thread', async () => {
    const prefetcher = new InlinePrefetcher(dataset, { workers: 0 });
    expect(prefetcher.mode).toBe('inline');
    expectSameBatches(await collect(prefetcher.epoch(options)), [...batches(dataset, options)]);
    expectSameBatches(await collect(inlinePrefetch(dataset, options)), [...batches(dataset, options)]);
    await prefetcher.close();
  });
});
