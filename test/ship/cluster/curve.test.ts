import type { LatencyRow } from '../../../src/report/types.ts';
import { curveOf, fitted } from '../../../src/ship/cluster/curve.ts';
import { sizingOf } from '../../../src/ship/cluster/sizing.ts';

const row = (batchSize: number, p50Ms: number, more: Partial<LatencyRow> = {}): LatencyRow => ({
  ...{ runtime: 'onnxruntime', device: 'cpu', threads: 1, batchSize, p50Ms, p95Ms: p50Ms, throughputPerSecond: 0 },
  ...more,
});

describe('fitted', () => {
  it('finds a line that the points lie on', () => {
    const { fixedMs, perSampleMs } = fitted([1, 8, 32].map((n) => [n, 2 + 0.5 * n]));
    expect(fixedMs).toBeCloseTo(2, 9);
    expect(perSampleMs).toBeCloseTo(0.5, 9);
  });

  it('has no negative part', () => {
    expect(fitted([1, 8].map((n) => [n, 3 - 0.1 * n])).perSampleMs).toBe(0);
    expect(fitted([1, 8].map((n) => [n, n ** 1.2])).fixedMs).toBe(0);
  });

  it('follows small batches, whose errors in milliseconds are small', () => {
    const { fixedMs } = fitted([
      [1, 1.1],
      [8, 1.8],
      [32, 8],
    ]);
    expect(fixedMs).toBeGreaterThan(0.8);
  });
});

describe('curveOf', () => {
  it('takes rows of one device, runtime, measurement and number of threads', () => {
    const later = { measuredAt: '2026-01-01T00:00:00Z' };
    const curve = curveOf(
      [
        ...[1, 8].map((n) => row(n, 100, { runtime: 'litert-wasm' })),
        ...[1, 8].map((n) => row(n, 100 * n, { device: 'cuda' })),
        ...[1, 8].map((n) => row(n, 50 * n, { threads: 2 })),
        ...[1, 8].map((n) => row(n, 1 + 4 * n)),
        ...[1, 8].map((n) => row(n, 1 + 2 * n, { ...later, memoryBytes: n * 100 })),
        row(32, 1),
        row(64, 5, later),
      ].filter(({ batchSize }) => batchSize < 32),
      ['cpu'],
    );
    expect(curve).toMatchObject({ sizes: [1, 8], threads: 1, device: 'cpu', memoryBytes: 800 });
    expect(curve!.perSampleMs).toBeCloseTo(2, 9);
  });

  it('is absent where one size alone was measured on such a device', () => {
    expect(curveOf([row(1, 1), row(1, 2, { threads: 2 }), row(8, 2, { device: 'cuda' })], ['cpu'])).toBeUndefined();
  });
});

describe('sizingOf', () => {
  const at = (fixedMs: number, perSampleMs: number) =>
    sizingOf({ fixedMs, perSampleMs, sizes: [1, 32], threads: 1, device: 'cpu', memoryBytes: undefined });

  it('makes batches of nine tenths of the most samples per second', () => {
    const { batch, perSecond, latencyMs } = at(1, 1);
    expect([batch, latencyMs]).toEqual([9, 20]);
    expect(perSecond).toBeCloseTo(900, 6);
  });

  it('makes no batches where they bring nothing, and makes none larger than was measured', () => {
    expect(at(0.01, 1)).toMatchObject({ batch: 1 });
    expect(at(10, 1)).toMatchObject({ batch: 32 });
    expect(at(1, 0)).toMatchObject({ batch: 32 });
  });
});
