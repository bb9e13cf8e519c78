import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { compareLatency, measureLatency } from '../../src/measure/latency.ts';
import type { Latency, Variant } from '../../src/measure/latency.ts';
import { openVariants } from '../../src/measure/variants.ts';
import { exported, floats, sketch } from '../formats/tflite/support.ts';

function busyFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function variant(name: string, ms: number, calls: string[] = [], batchSize = 1): Variant {
  const run = (): void => {
    calls.push(name);
    busyFor(ms);
  };
  return { name, runtime: 'test', device: 'cpu', batchSize, threads: 1, run };
}

const row = (rounds: readonly number[]): Latency => ({ rounds }) as Latency;

describe('latency', () => {
  it('is that of the call, with percentiles in order and samples per second', async () => {
    const { rows } = await measureLatency([variant('a', 2), variant('b', 4, [], 8)], { budgetMs: 3000 });
    const [a, b] = rows;
    expect(a!.p50Ms).toBeGreaterThanOrEqual(2);
    // Tests share their machine: only the unit is sure.
    expect(a!.p50Ms).toBeLessThan(200);
    expect(b!.p50Ms).toBeGreaterThanOrEqual(4);
    for (const { p50Ms, p95Ms, p99Ms, intervalMs } of rows) {
      expect([p50Ms, p95Ms, p99Ms]).toEqual([p50Ms, p95Ms, p99Ms].sort((x, y) => x - y));
      expect(intervalMs![0]).toBeLessThanOrEqual(p50Ms);
      expect(intervalMs![1]).toBeGreaterThanOrEqual(p50Ms);
    }
    expect(b!.throughputPerSecond).toBeCloseTo(8000 / b!.p50Ms);
  });

  it('is measured in turns, each round in another order', async () => {
    const calls: string[] = [];
    await measureLatency([variant('a', 1, calls), variant('b', 1, calls)], { budgetMs: 1000, precision: 0 });
    const turns = calls.filter((name, i) => name !== calls[i - 1]);
    // a, b of the warm-up; then more turns than one each.
    expect(turns.length).toBeGreaterThan(4);
    const count = (name: string) => calls.filter((call) => call === name).length;
    expect(Math.abs(count('a') - count('b'))).toBeLessThan(0.5 * count('a'));
  });

  it('ends early when the medians are known, and at the end of its time when not', async () => {
    const start = performance.now();
    await measureLatency([variant('steady', 0.5)], { budgetMs: 20_000, precision: 0.5 });
    expect(performance.now() - start).toBeLessThan(5_000);
    const before = performance.now();
    await measureLatency([variant('a', 1)], { budgetMs: 100, precision: 0 });
    expect(performance.now() - before).toBeGreaterThan(95);
  });

  it('leaves out batches that would take all the time, and says so', async () => {
    const variants = [variant('m', 5), variant('m', 5, [], 1000)];
    const { rows, skipped } = await measureLatency(variants, { budgetMs: 200 });
    expect(rows.map(({ batchSize }) => batchSize)).toEqual([1]);
    expect(skipped).toEqual([
      {
        what: 'm in test on cpu, batch 1000, 1 thread',
        why: expect.stringMatching(/^one run takes about \d+ ms$/) as string,
      },
    ]);
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort();
    await expect(measureLatency([variant('a', 1)], { budgetMs: 100, signal })).rejects.toThrow(/stopped measuring/);
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

  it('has rounds enough however early the medians are known', async () => {
    const { rows } = await measureLatency([variant('a', 0.2), variant('b', 0.2)], { budgetMs: 20_000, precision: 10 });
    expect(compareLatency(rows[0]!, rows[1]!).interval).not.toBeNull();
  });

  it('of too few rounds is open', () => {
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
    const { variants, skipped, dispose } = await openVariants(onnx, { batchSizes: [1, 16], threads: [1] });
    const { rows } = await measureLatency(variants, { budgetMs: 50 });
    dispose();
    expect(skipped).toEqual([]);
    expect(rows.map(({ runtime, device, batchSize }) => [runtime, device, batchSize])).toEqual([
      ['onnxruntime', 'cpu', 1],
      ['onnxruntime', 'cpu', 16],
    ]);
    expect(rows.every(({ p50Ms, runs }) => p50Ms > 0 && p50Ms < 50 && runs >= 3)).toBe(true);
  });

  it('of TFLite is timed in both runtimes, and what one cannot do is said', async () => {
    const file = { name: 'small.tflite', bytes: exported(graph) };
    const { variants, skipped, dispose } = await openVariants(file, { batchSizes: [1, 4], threads: [1] });
    const { rows } = await measureLatency(variants, { budgetMs: 50 });
    dispose();
    expect(rows.map(({ runtime, batchSize }) => [runtime, batchSize])).toEqual([
      ['litert-wasm', 1],
      ['tflite-native', 1],
    ]);
    expect(skipped).toEqual([{ what: 'small.tflite at batch 4', why: 'the file has batch 1' }]);
  });

  it('of an unknown kind is refused', async () => {
    const file = { name: 'a.pt', bytes: new Uint8Array() };
    await expect(openVariants(file, { batchSizes: [1], threads: [1] })).rejects.toThrow(
      /a\.pt: expected a file ending in \.onnx or \.tflite, received \.pt/,
    );
  });

  it('is not run on more threads than there are cores', async () => {
    const { variants, skipped } = await openVariants(onnx, { batchSizes: [1], threads: [4096] });
    expect(variants).toEqual([]);
    expect(skipped).toEqual([{ what: 'small.onnx on 4096 threads', why: expect.stringMatching(/cores$/) as string }]);
  });
});
