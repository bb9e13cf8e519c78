import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../base/clock.ts';
import { InterruptedError } from '../base/errors.ts';
import { ascending, median, medianInterval, quantile } from './statistics.ts';

/** One thing to time: a model in a runtime, at a batch size and a number of threads. */
export interface Variant {
  /** The file, or whatever else the rows are told apart by. */
  readonly name: string;
  readonly runtime: string;
  readonly device: string;
  readonly batchSize: number;
  readonly threads: number;
  /** One inference; it is over when the promise, if there is one, is resolved. */
  readonly run: () => unknown;
}

export interface Latency {
  readonly name: string;
  readonly runtime: string;
  readonly device: string;
  readonly batchSize: number;
  readonly threads: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Samples, not batches, at the median. */
  readonly throughputPerSecond: number;
  /** 95 % confidence interval of the median; null after fewer runs than it needs. */
  readonly intervalMs: readonly [number, number] | null;
  readonly runs: number;
  /** The median of each round, in which all variants had a turn: for comparing variants in pairs. */
  readonly rounds: readonly number[];
}

export interface LatencySettings {
  /** Milliseconds for all variants together. */
  readonly budgetMs: number;
  /** Enough when half the interval of every median is below this share of it. Default 1 %. */
  readonly precision?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface LatencyResult {
  readonly rows: readonly Latency[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}

/** A turn of one variant: at least so many runs, and so many milliseconds. */
const TURN = { runs: 3, ms: 8 };
const FEWEST_RUNS = 20;
/** A comparison in pairs has no interval below eight rounds. */
const FEWEST_ROUNDS = 8;
/** ONNX Runtime's threads go on spinning for a while after a run, which the next variant would pay for. */
const SETTLE_MS = 2;

/**
 * Time variants side by side. Every round gives each a turn, each time in another order, so that a drift of the machine
 * hits all alike; the first run of a turn warms the caches and does not count. Rounds end when all medians are known to
 * `precision` or the time is up.
 */
export async function measureLatency(variants: readonly Variant[], settings: LatencySettings): Promise<LatencyResult> {
  const { budgetMs, precision = 0.01, signal } = settings;
  const start = monotonicMs();
  const skipped: { what: string; why: string }[] = [];
  const timed: { variant: Variant; times: number[]; rounds: number[] }[] = [];
  // Nobody may take more than a fair share of the time for the runs that make a first figure.
  const most = budgetMs / Math.max(1, variants.length) / (TURN.runs + 1);
  const known = new Map<string, number>();
  for (const variant of variants) {
    const { batchSize } = variant;
    const expected = (known.get(keyOf(variant)) ?? 0) * batchSize;
    const took = expected > 2 * most ? expected : await warmUp(variant);
    known.set(keyOf(variant), took / batchSize);
    if (took > 2 * most && timed.some(({ variant: other }) => keyOf(other) === keyOf(variant))) {
      skipped.push({ what: describe(variant), why: `one run takes about ${Math.round(took)} ms` });
    } else timed.push({ variant, times: [], rounds: [] });
  }
  const timeLeft = (): boolean => monotonicMs() - start < budgetMs;
  const isKnown = (times: readonly number[]): boolean => {
    if (times.length < FEWEST_RUNS) return false;
    const sorted = ascending(times);
    const interval = medianInterval(sorted);
    return interval !== undefined && interval[1] - interval[0] < 2 * precision * quantile(sorted, 0.5);
  };
  for (let round = 0; timed.length > 0; round++) {
    for (let i = 0; i < timed.length; i++) {
      if (signal?.aborted === true) throw new InterruptedError('stopped measuring latency');
      // The first round is had by all, whatever it takes: a row without a figure helps nobody.
      if (round > 0 && !timeLeft()) break;
      const { variant, times, rounds } = timed[orderOf(round, i, timed.length)]!;
      const turn = await takeTurn(variant);
      times.push(...turn);
      rounds.push(median(turn));
    }
    if (!timeLeft() || (round + 1 >= FEWEST_ROUNDS && timed.every(({ times }) => isKnown(times)))) break;
  }
  return { rows: timed.map(({ variant, times, rounds }) => rowOf(variant, times, rounds)), skipped };
}

/** Forward, backward, and each time from another start. */
function orderOf(round: number, i: number, n: number): number {
  const place = (i + round) % n;
  return round % 2 === 0 ? place : n - 1 - place;
}

function keyOf({ name, runtime, device, threads }: Variant): string {
  return JSON.stringify([name, runtime, device, threads]);
}

export function describe({ name, runtime, device, batchSize, threads }: Omit<Variant, 'run'>): string {
  return `${name} in ${runtime} on ${device}, batch ${batchSize}, ${threads} thread${threads === 1 ? '' : 's'}`;
}

/** The first run allocates and lays out weights; the second one says how long a run takes, the first if it took long. */
async function warmUp(variant: Variant): Promise<number> {
  const first = await timeOf(variant);
  return first > 100 ? first : timeOf(variant);
}

async function takeTurn(variant: Variant): Promise<number[]> {
  await sleep(SETTLE_MS);
  const times: number[] = [];
  const warm = await timeOf(variant);
  let sum = 0;
  // A run that takes long by itself needs no second warm-up.
  const [runs, ms] = warm > 4 * TURN.ms ? [1, 0] : [TURN.runs, TURN.ms];
  while (times.length < runs || sum < ms) {
    const took = await timeOf(variant);
    times.push(took);
    sum += took;
  }
  return times;
}

async function timeOf({ run }: Variant): Promise<number> {
  const start = monotonicMs();
  const result = run();
  // Waiting for what is there already would cost a small model as much as its run.
  if (result instanceof Promise) await result;
  return monotonicMs() - start;
}

function rowOf(variant: Variant, times: readonly number[], rounds: readonly number[]): Latency {
  const { name, runtime, device, batchSize, threads } = variant;
  const sorted = ascending(times);
  const [p50Ms, p95Ms, p99Ms] = [quantile(sorted, 0.5), quantile(sorted, 0.95), quantile(sorted, 0.99)];
  return {
    name,
    runtime,
    device,
    batchSize,
    threads,
    p50Ms,
    p95Ms,
    p99Ms,
    throughputPerSecond: (1000 * batchSize) / p50Ms,
    intervalMs: medianInterval(sorted) ?? null,
    runs: times.length,
    rounds,
  };
}

/** A row by itself, without the rounds that only a comparison needs. */
export function withoutRounds(latency: Latency): Omit<Latency, 'rounds'> {
  return Object.fromEntries(Object.entries(latency).filter(([key]) => key !== 'rounds')) as Omit<Latency, 'rounds'>;
}

export interface Comparison {
  /** Time of `a` as a multiple of that of `b`: the median over rounds. */
  readonly ratio: number;
  /** 99 % confidence interval; null after too few rounds. */
  readonly interval: readonly [number, number] | null;
  readonly result: 'faster' | 'slower' | 'no difference' | 'unknown';
}

/** Two sessions of one file lie elsewhere in memory: at 12 µs their medians were seen to differ by up to 5 % for good. */
const SMALLEST_DIFFERENCE = 0.05;

/** Is `a` faster than `b`? In pairs, round by round, so that what slowed the machine down for a while drops out. */
export function compareLatency(a: Latency, b: Latency): Comparison {
  const rounds = Math.min(a.rounds.length, b.rounds.length);
  const ratios = ascending(Array.from({ length: rounds }, (_, i) => a.rounds[i]! / b.rounds[i]!));
  const interval = medianInterval(ratios, 0.99) ?? null;
  const ratio = ratios.length === 0 ? NaN : quantile(ratios, 0.5);
  if (interval === null) return { ratio, interval, result: 'unknown' };
  const result =
    interval[1] < 1 - SMALLEST_DIFFERENCE
      ? 'faster'
      : interval[0] > 1 + SMALLEST_DIFFERENCE
        ? 'slower'
        : 'no difference';
  return { ratio, interval, result };
}
