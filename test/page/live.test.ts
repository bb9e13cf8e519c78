import { Gauge, Histogram, Registry } from 'prom-client';
import { parseExposition } from '../../src/page/browser/live/exposition.ts';
import { figuresOf, quantile } from '../../src/page/browser/live/figures.ts';
import { snapshotOf } from '../../src/page/browser/live/snapshot.ts';
import { scaleBetween, scaleTo } from '../../src/page/browser/scale.ts';

describe('parseExposition', () => {
  it('reads what prom-client writes, whatever the labels hold', async () => {
    const registry = new Registry();
    const help = 'Of anything.';
    const gauge = new Gauge({ name: 'a_b', help, labelNames: ['x', 'y'], registers: [registry] });
    const names = ['plain', 'a "quoted" one', 'back\\slash, comma=}', 'two\nlines'];
    names.forEach((x, i) => gauge.set({ x, y: 'é' }, [1.5, -2e-9, Infinity, NaN][i]!));
    const { samples, type, help: told } = parseExposition(await registry.metrics());
    expect(samples).toEqual(
      names.map((x, i) => ({ name: 'a_b', labels: { x, y: 'é' }, value: [1.5, -2e-9, Infinity, NaN][i] })),
    );
    expect([type.get('a_b'), told.get('a_b')]).toEqual(['gauge', help]);
  });
});

describe('quantile', () => {
  // By the definition of histogram_quantile: the rank within its bucket, along a line.
  it.each([
    [
      0.5,
      [
        [1, 0],
        [2, 10],
        [Infinity, 10],
      ],
      1.5,
    ],
    [
      0.5,
      [
        [1, 5],
        [2, 10],
        [Infinity, 10],
      ],
      1,
    ],
    [
      0.95,
      [
        [1, 90],
        [2, 100],
        [Infinity, 100],
      ],
      1.5,
    ],
    [
      0.99,
      [
        [1, 50],
        [2, 60],
        [Infinity, 100],
      ],
      2,
    ],
    [
      0.1,
      [
        [4, 10],
        [Infinity, 10],
      ],
      0.4,
    ],
  ] as const)('%d of %j is %d', (share, buckets, expected) => {
    expect(quantile(share, buckets)).toBeCloseTo(expected, 12);
  });

  it('is not there where nothing was counted', () => {
    expect(
      quantile(0.5, [
        [1, 0],
        [Infinity, 0],
      ]),
    ).toBeNull();
    expect(quantile(0.5, [])).toBeNull();
  });
});

describe('snapshots', () => {
  /** Metrics as a server has them, after so many requests of 3 ms, each with two samples. */
  async function metrics(requests: number, drift?: number): Promise<string> {
    const registry = new Registry();
    const registers = [registry];
    const labelNames = ['model', 'stage'] as const;
    const gauge = (name: string, labels: Record<string, string>, value: number): void =>
      new Gauge({ name, help: name, labelNames: Object.keys(labels), registers }).set(labels, value);
    const times = new Histogram({
      ...{ name: 'limbeck_serve_stage_seconds', help: 'x', labelNames, registers, buckets: [0.001, 0.002, 0.004] },
    });
    for (let i = 0; i < requests; i++) times.observe({ model: 'm', stage: 'total' }, 0.003);
    times.observe({ model: 'm', stage: 'queue' }, 9);
    const of = { model: 'm', version: '1' };
    gauge('nv_inference_request_success', of, requests);
    gauge('nv_inference_count', of, 2 * requests);
    gauge('nv_inference_exec_count', of, requests / 2);
    gauge('nv_inference_request_failure', { ...of, reason: 'OTHER' }, requests / 5);
    gauge('nv_inference_pending_request_count', of, 7);
    gauge('limbeck_serve_worker_memory_bytes', { pid: '1' }, 5e6);
    gauge('limbeck_serve_http_request_seconds_count', { code: '404' }, 3);
    if (drift !== undefined) gauge('limbeck_serve_drift_psi', { model: 'm', of: 'confidence' }, drift);
    return registry.metrics();
  }

  it('are figures of what happened between two of them', async () => {
    const [before, now] = [snapshotOf(await metrics(10), 100), snapshotOf(await metrics(30), 104)];
    const figures = figuresOf('m', before, now);
    expect(figures).toMatchObject({
      requestsPerSecond: 5,
      samplesPerSecond: 10,
      batch: 4,
      failuresPerSecond: 1,
      waiting: 7,
    });
    expect(figures.p50).toBeCloseTo(3, 9);
    expect(figures.p99).toBeCloseTo(3.98, 9);
    expect(now).toMatchObject({ memory: 5e6, answers: new Map([['4', 3]]) });
    // Nothing happened, or the model is not there: no figure, rather than zero.
    expect(figuresOf('m', now, { ...now, at: 110 })).toMatchObject({ p50: null, batch: null, requestsPerSecond: 0 });
    expect(figuresOf('other', before, now)).toMatchObject({ p50: null, waiting: 0 });
  });

  it('have every gauge of drift that the server has', async () => {
    expect(snapshotOf(await metrics(1), 0).drift.size).toBe(0);
    const { drift } = snapshotOf(await metrics(1, 0.25), 0);
    expect(drift).toEqual(new Map([['limbeck_serve_drift_psi', new Map([['m, confidence', 0.25]])]]));
  });
});

describe('axes', () => {
  it.each([0.0123, 0.9, 1, 7, 10, 99.5, 12345])('reach %d in round steps', (most) => {
    for (const { bottom, top, ticks } of [scaleTo(most, 3), scaleBetween(0.7 * most, most, 3)]) {
      expect(top).toBeGreaterThanOrEqual(most);
      expect(bottom).toBeLessThanOrEqual(0.7 * most);
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks.length).toBeLessThan(8);
      expect([ticks[0], ticks.at(-1)]).toEqual([bottom, top]);
    }
  });

  it('are there for one value and for none', () => {
    expect(scaleTo(0, 3).top).toBe(1);
    expect(scaleTo(-Infinity, 3).top).toBe(1);
    const { bottom, top } = scaleBetween(0.5, 0.5, 3);
    expect(bottom < 0.5 && top > 0.5).toBe(true);
  });
});
