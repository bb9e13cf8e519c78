import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { UserError } from '../../../src/base/errors.ts';
import { compareLatency } from '../../../src/measure/latency/compare.ts';
import { measureLatency } from '../../../src/measure/latency/latency.ts';
import type { TimedSource, TimedVariant } from '../../../src/measure/latency/setting.ts';
import { openVariants, sourceOf } from '../../../src/measure/latency/variants.ts';
import { calibrated } from '../../formats/tflite/calibrate.ts';
import { exported, floats, randomFeeds, sketch } from '../../formats/tflite/support.ts';

/** Time passes only while a variant runs: a busy machine changes nothing. */
let now = 0;
const clock = () => now;

function variant(name: string, ms: number, calls: string[] = [], batchSize = 1): TimedVariant {
  const run = (): void => {
    calls.push(name);
    now += ms;
  };
  return { name, runtime: 'test', device: 'cpu', batchSize, threads: 1, run };
}

/** Variants that are the same in every session. */
const always = (variants: readonly TimedVariant[]): TimedSource[] => [
  { name: 'always', open: () => Promise.resolve({ variants, skipped: [], dispose: () => undefined }) },
];

const row = (sessionMs: readonly number[]) => ({ sessionMs });

describe('latency', () => {
  it('is that of the call, with samples per second', async () => {
    const sources = always([variant('a', 2), variant('b', 4, [], 8)]);
    const { rows } = await measureLatency(sources, { budgetMs: 3000, clock });
    expect(rows).toMatchObject([
      { name: 'a', p50Ms: 2, p95Ms: 2, p99Ms: 2, throughputPerSecond: 500, intervalMs: [2, 2] },
      { name: 'b', p50Ms: 4, p95Ms: 4, p99Ms: 4, throughputPerSecond: 2000, intervalMs: [4, 4] },
    ]);
  });

  it('is measured in turns, each round in another order', async () => {
    const calls: string[] = [];
    const sources = always([variant('a', 1, calls), variant('b', 1, calls), variant('c', 1, calls)]);
    await measureLatency(sources, { budgetMs: 10_000, clock });
    const turns = calls.filter((name, i) => name !== calls[i - 1]).join('');
    expect(new Set(turns.match(/[abc]{3}/g)).size).toBeGreaterThan(2);
    const count = (name: string) => calls.filter((call) => call === name).length;
    expect([count('b'), count('c')]).toEqual([count('a'), count('a')]);
  });

  it('ends early when the medians are known, and at the end of its time when not', async () => {
    const start = now;
    await measureLatency(always([variant('steady', 1)]), { budgetMs: 20_000, clock });
    expect(now - start).toBeLessThan(1_000);
    const before = now;
    await measureLatency(always([variant('a', 1)]), { budgetMs: 1000, precision: 0, clock });
    expect(now - before).toBeGreaterThanOrEqual(1000);
    expect(now - before).toBeLessThan(1020);
  });

  it('leaves out batches that would take all the time, and says so', async () => {
    const variants = [variant('m', 5), variant('m', 5, [], 1000)];
    const { rows, skipped } = await measureLatency(always(variants), { budgetMs: 200, clock });
    expect(rows.map(({ batchSize }) => batchSize)).toEqual([1]);
    expect(skipped).toEqual([
      {
        what: 'm in test on cpu, batch 1000, 1 thread',
        why: expect.stringMatching(/^one run takes about \d+ ms$/) as string,
      },
    ]);
  });

  it('counts each session once, and closes each', async () => {
    let [open, opened] = [0, 0];
    const source: TimedSource = {
      name: 'a',
      open: () => {
        open++;
        opened++;
        return Promise.resolve({ variants: [variant('a', 1)], skipped: [], dispose: () => open-- });
      },
    };
    const { rows } = await measureLatency([source], { budgetMs: 20_000, clock });
    expect(open).toBe(0);
    expect(opened).toBe(8);
    expect(rows[0]!.sessions).toBe(opened);
    expect(rows[0]!.sessionMs).toHaveLength(opened);
    expect(rows[0]!.runs).toBeGreaterThan(3 * opened);
  });

  it('leaves out a file that cannot be opened, with the reason and the remedy', async () => {
    const bad = { name: 'bad', open: () => Promise.reject(new UserError('bad: no model', 'Take another one.')) };
    const sources = [bad, ...always([variant('a', 1)])];
    const { rows, skipped } = await measureLatency(sources, { budgetMs: 50, clock });
    expect(rows.map(({ name }) => name)).toEqual(['a']);
    expect(skipped).toEqual([{ what: 'bad', why: 'no model. Take another one' }]);
  });

  it('leaves out a variant that fails, at once or after some sessions, and one that cannot be loaded again', async () => {
    let runs = 0;
    let opened = 0;
    const failing = (name: string, after: number): TimedVariant => ({
      ...variant(name, 1),
      run: () => {
        now += 1;
        if (++runs > after) throw new Error(`${name}: out of memory\n  at kernel`);
      },
    });
    const once: TimedSource = {
      name: 'once',
      open: () =>
        opened++ === 0
          ? Promise.resolve({ variants: [variant('once', 1)], skipped: [], dispose: () => undefined })
          : Promise.reject(new Error('no memory')),
    };
    const sources = [...always([failing('first', 0), variant('good', 1), failing('later', 100)]), once];
    const { rows, skipped } = await measureLatency(sources, { budgetMs: 5000, clock });
    expect(rows.map(({ name, sessions }) => [name, sessions])).toEqual([['good', 8]]);
    expect(skipped).toEqual([
      { what: 'first in test on cpu, batch 1, 1 thread', why: 'out of memory' },
      { what: 'once', why: 'no memory' },
      { what: 'later in test on cpu, batch 1, 1 thread', why: 'out of memory' },
    ]);
    expect((await measureLatency(always([failing('only', 0)]), { budgetMs: 50, clock })).rows).toEqual([]);
  });

  it('takes no first run, in which a GPU compiles, for the time of a run', async () => {
    const compiling = (batchSize: number): TimedVariant => {
      const { run, ...setting } = variant('gpu', 1, [], batchSize);
      let isFirst = true;
      return {
        ...setting,
        run: () => {
          if (isFirst) now += 300;
          isFirst = false;
          run();
        },
      };
    };
    const { rows, skipped } = await measureLatency(always([compiling(1), compiling(32)]), { budgetMs: 1000, clock });
    expect(skipped).toEqual([]);
    expect(rows.map(({ batchSize, p50Ms }) => [batchSize, p50Ms])).toEqual([
      [1, 1],
      [32, 1],
    ]);
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort();
    await expect(measureLatency(always([variant('a', 1)]), { budgetMs: 100, signal, clock })).rejects.toThrow(
      /stopped measuring/,
    );
  });
});

describe('a comparison', () => {
  it('sees through a drift that hits both, and calls two copies no different', () => {
    const drift = Array.from({ length: 20 }, (_, i) => 1 + i / 5);
    const noisy = (factor: number) => row(drift.map((d, i) => d * factor * (1 + 0.005 * ((i * 7) % 5))));
    expect(compareLatency(noisy(0.9), row(drift))).toMatchObject({ result: 'faster' });
    expect(compareLatency(noisy(1.1), row(drift))).toMatchObject({ result: 'slower' });
    expect(compareLatency(noisy(1), row(drift))).toMatchObject({ result: 'no difference' });
  });

  it('has the interval of 99 %: of twenty ratios the fourth from each end', () => {
    const ratios = Array.from({ length: 20 }, (_, i) => i + 1);
    expect(compareLatency(row(ratios), row(ratios.map(() => 1))).interval).toEqual([4, 17]);
  });

  it.each([
    [0.94, 'faster'],
    [0.96, 'no difference'],
    [1.04, 'no difference'],
    [1.06, 'slower'],
  ])('of %d times the time is %s: 5 %% are the margin', (factor, result) => {
    const even = Array.from({ length: 10 }, () => 1);
    expect(compareLatency(row(even.map(() => factor)), row(even)).result).toBe(result);
  });

  it('has sessions enough however early the medians are known', async () => {
    const { rows } = await measureLatency(always([variant('a', 0.2), variant('b', 0.2)]), {
      budgetMs: 20_000,
      precision: 10,
      clock,
    });
    expect(compareLatency(rows[0]!, rows[1]!).interval).not.toBeNull();
  });

  /** Sessions of files that, within one, are faster or slower for good by up to `spread`. */
  async function compared(spread: number) {
    const places = new RandomStream('places');
    const source = (name: string, ms: number): TimedSource => ({
      name,
      open: () => {
        const factor = 1 - spread + 2 * spread * places.uniform();
        return Promise.resolve({ variants: [variant(name, factor * ms)], skipped: [], dispose: () => undefined });
      },
    });
    const sources = [source('a', 1), source('a again', 1), source('slow', 1.8)];
    const { rows } = await measureLatency(sources, { budgetMs: 6000, clock });
    const [a, again, slow] = rows;
    return [compareLatency(again!, a!).result, compareLatency(slow!, a!).result];
  }

  it('of one file with itself is no difference, however its sessions lie in memory; of a slower one it is', async () => {
    expect(await compared(0.04)).toEqual(['no difference', 'slower']);
  });

  it('says no difference only where all of the interval says so', async () => {
    expect(await compared(0.2)).toEqual(['unknown', 'slower']);
    const ends = (low: number, high: number) =>
      compareLatency(row([low, low, 1, 1, 1, 1, 1, 1, high, high]), row(Array<number>(10).fill(1)));
    expect(ends(0.95, 1.05)).toEqual({ ratio: 1, interval: [0.95, 1.05], result: 'no difference' });
    for (const [low, high] of [
      [0.5, 2],
      [0.94, 1.01],
      [0.99, 1.06],
    ] as const) {
      expect(ends(low, high)).toEqual({ ratio: 1, interval: [low, high], result: 'unknown' });
    }
  });

  it('of too few sessions is open', () => {
    expect(compareLatency(row([1, 1, 1]), row([9, 9, 9])).result).toBe('unknown');
  });
});

describe('a model file', () => {
  const graph = sketch((g) => {
    const y = g.op('Relu', [g.input('x', floats('batch', 6))]);
    return g.op('BatchMatMul', [y, g.weights([6, 3])], { transposeA: false, transposeB: false });
  });
  const onnx = { name: 'small.onnx', bytes: encodeModel(lowerToOnnx(graph)) };

  it('of ONNX is timed at every batch size', async () => {
    const source = sourceOf(onnx, { batchSizes: [1, 16], threads: [1] });
    const { rows, skipped } = await measureLatency([source], { budgetMs: 400 });
    expect(skipped).toEqual([]);
    expect(rows.map(({ runtime, device, batchSize }) => [runtime, device, batchSize])).toEqual([
      ['onnxruntime', 'cpu', 1],
      ['onnxruntime', 'cpu', 16],
    ]);
    expect(rows.every(({ p50Ms, runs }) => p50Ms > 0 && p50Ms < 50 && runs >= 3)).toBe(true);
  });

  it.each([
    ['float32', { precision: 'float32' }],
    ['int8', { precision: 'integer', quantization: calibrated(graph, [randomFeeds(graph)]) }],
  ] as const)('of TFLite in %s is timed in both runtimes, and what one cannot do is said', async (_, options) => {
    const file = { name: 'small.tflite', bytes: exported(graph, options) };
    const source = sourceOf(file, { batchSizes: [1, 4], threads: [1] });
    const { rows, skipped } = await measureLatency([source], { budgetMs: 50 });
    expect(rows.map(({ runtime, batchSize }) => [runtime, batchSize])).toEqual([
      ['litert-wasm', 1],
      ['tflite-native', 1],
    ]);
    expect(skipped).toEqual([{ what: 'small.tflite at batch 4', why: 'the file has batch 1' }]);
  });

  it('of an unknown kind is refused', async () => {
    const file = { name: 'a.pt', bytes: new Uint8Array() };
    await expect(openVariants(file, { batchSizes: [1], threads: [1] })).rejects.toThrow(
      /a\.pt: expected a file ending in \.onnx, \.keras, \.h5 or \.tflite, received \.pt/,
    );
  });

  it('is not run on more threads than there are cores', async () => {
    const { variants, skipped } = await openVariants(onnx, { batchSizes: [1], threads: [4096] });
    expect(variants).toEqual([]);
    expect(skipped).toEqual([{ what: 'small.onnx on 4096 threads', why: expect.stringMatching(/cores$/) as string }]);
  });
});
