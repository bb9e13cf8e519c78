import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../base/clock.ts';
import { InterruptedError, UserError } from '../base/errors.ts';
import { median, summarize } from './statistics.ts';
import type { Figures } from './statistics.ts';

/** What a row of figures is about. */
export interface Setting {
  /** The file, or whatever else the rows are told apart by. */
  readonly name: string;
  readonly runtime: string;
  readonly device: string;
  readonly batchSize: number;
  readonly threads: number;
}

/** One thing to time: a model in a runtime, at a batch size and a number of threads. */
export interface Variant extends Setting {
  /** One inference; it is over when the promise, if there is one, is resolved. */
  readonly run: () => unknown;
}

export interface Skipped {
  readonly what: string;
  readonly why: string;
}

/** Models loaded once: a session of each. */
export interface Opened {
  readonly variants: readonly Variant[];
  readonly skipped: readonly Skipped[];
  readonly dispose: () => void;
}

/** A file that can be loaded again and again. */
export interface Source {
  readonly name: string;
  readonly open: () => Promise<Opened>;
}

export interface Latency extends Setting, Figures {
  /** The median of each session, in which all variants had their turns: for comparing variants in pairs. */
  readonly sessionMs: readonly number[];
}

export interface LatencySettings {
  /** Milliseconds for all variants together. */
  readonly budgetMs: number;
  /** Enough when half the interval of every median is below this share of it. Default 1 %. */
  readonly precision?: number;
  readonly signal?: AbortSignal | undefined;
  /** Leave out a file that cannot be opened instead of failing. */
  readonly lenient?: boolean;
  /** Milliseconds from any origin. Default: the process's monotonic clock. */
  readonly clock?: Clock;
}

type Clock = () => number;

export interface LatencyResult {
  readonly rows: readonly Latency[];
  readonly skipped: readonly Skipped[];
}

/** A turn of one variant: at least so many runs, and so many milliseconds. */
const TURN = { runs: 3, ms: 8 };
/** Of the time one session may take a sixteenth; fewer than eight sessions compare nothing. */
const SESSIONS = { wanted: 16, fewest: 8 };
/** Rounds of a session that was soon open: another session says more than another round. */
const ROUNDS = 5;
/** ONNX Runtime's threads go on spinning for a while after a run, which the next variant would pay for. */
const SETTLE_MS = 2;

/**
 * Time variants side by side, in several sessions. The same file loaded twice lies elsewhere in memory, and its medians
 * were seen to differ by 10 % for as long as both live: repeats within a session cannot tell that from a real difference,
 * so what counts is the spread between sessions. In a session each variant has turns, round after round, each time in
 * another order: a drift of the machine hits all alike. It ends when all medians are known to `precision`, or in time.
 */
export async function measureLatency(sources: readonly Source[], settings: LatencySettings): Promise<LatencyResult> {
  const { budgetMs, precision = 0.01, signal, clock = monotonicMs } = settings;
  const start = clock();
  const timeLeft = (): number => budgetMs - (clock() - start);
  const stopIfAsked = (): void => {
    if (signal?.aborted === true) throw new InterruptedError('stopped measuring latency');
  };
  const found = new Findings(clock);
  let session: Opened | undefined;
  try {
    for (let number = 0; ; number++) {
      stopIfAsked();
      const begun = clock();
      // The one before stays until the next is there: freed memory would be given to it again, and be no other place.
      const before = session;
      session = await openAll(sources, number, settings, number === 0 ? found.skipped : []);
      before?.dispose();
      const variants = await found.warmUp(session.variants, budgetMs, stopIfAsked);
      const all: number[][] = variants.map(() => []);
      const setUp = clock() - begun;
      for (let round = 0; variants.length > 0; round++) {
        for (let i = 0; i < variants.length; i++) {
          stopIfAsked();
          // The very first round is had by all, whatever it takes: a row without a figure helps nobody.
          if ((number > 0 || round > 0) && timeLeft() <= 0) break;
          const place = orderOf(number + round, i, variants.length);
          all[place]!.push(...(await takeTurn(variants[place]!, clock)));
        }
        const elapsed = clock() - begun;
        if (timeLeft() <= 0 || elapsed > budgetMs / SESSIONS.wanted) break;
        if (round + 1 >= ROUNDS && elapsed > 2 * setUp) break;
      }
      variants.forEach((variant, i) => found.add(variant, all[i]!));
      if (variants.length === 0 || timeLeft() <= 0) break;
      if (number + 1 >= SESSIONS.fewest && found.areKnown(precision)) break;
    }
  } finally {
    session?.dispose();
  }
  return { rows: found.rows(), skipped: found.skipped };
}

/** What all sessions together have found, by setting. */
class Findings {
  readonly skipped: Skipped[] = [];
  readonly #timed = new Map<string, { setting: Setting; sessions: number[][] }>();
  readonly #leftOut = new Set<string>();
  readonly #clock: Clock;
  #isFirst = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Run each variant once or twice; those that would take more than their share of the time are left out, and it is said. */
  async warmUp(variants: readonly Variant[], budgetMs: number, stopIfAsked: () => void): Promise<Variant[]> {
    const most = budgetMs / Math.max(1, variants.length) / (TURN.runs + 1);
    const known = new Map<string, number>();
    const taken: Variant[] = [];
    for (const variant of variants) {
      stopIfAsked();
      if (this.#leftOut.has(describe(variant))) continue;
      const key = describe({ ...variant, batchSize: 0 });
      const expected = (known.get(key) ?? 0) * variant.batchSize;
      const took = this.#isFirst && expected > 2 * most ? expected : await warm(variant, this.#clock);
      known.set(key, took / variant.batchSize);
      const hasSmaller = taken.some((other) => describe({ ...other, batchSize: 0 }) === key);
      if (this.#isFirst && took > 2 * most && hasSmaller) {
        this.#leftOut.add(describe(variant));
        this.skipped.push({ what: describe(variant), why: `one run takes about ${Math.round(took)} ms` });
      } else taken.push(variant);
    }
    this.#isFirst = false;
    return taken;
  }

  add(variant: Variant, times: readonly number[]): void {
    if (times.length === 0) return;
    const { name, runtime, device, batchSize, threads } = variant;
    const key = describe(variant);
    const found = this.#timed.get(key) ?? { setting: { name, runtime, device, batchSize, threads }, sessions: [] };
    found.sessions.push([...times]);
    this.#timed.set(key, found);
  }

  areKnown(precision: number): boolean {
    return this.rows().every(({ p50Ms, intervalMs }) => {
      return intervalMs !== null && intervalMs[1] - intervalMs[0] < 2 * precision * p50Ms;
    });
  }

  rows(): Latency[] {
    return [...this.#timed.values()].map(({ setting, sessions }) => ({
      ...setting,
      ...summarize(sessions, setting.batchSize),
      sessionMs: sessions.map(median),
    }));
  }
}

/** All files, each session in another order; variants in the order of the files all the same. */
async function openAll(
  sources: readonly Source[],
  number: number,
  { lenient = false }: LatencySettings,
  skipped: Skipped[],
): Promise<Opened> {
  const opened: (Opened | undefined)[] = sources.map(() => undefined);
  const dispose = (): void => opened.forEach((file) => file?.dispose());
  try {
    for (let i = 0; i < sources.length; i++) {
      const place = orderOf(number, i, sources.length);
      try {
        opened[place] = await sources[place]!.open();
      } catch (error) {
        if (!lenient || !(error instanceof UserError)) throw error;
        skipped.push({ what: sources[place]!.name, why: error.message });
      }
    }
  } catch (error) {
    dispose();
    throw error;
  }
  skipped.push(...opened.flatMap((file) => file?.skipped ?? []));
  return { variants: opened.flatMap((file) => file?.variants ?? []), skipped: [], dispose };
}

/** Forward, backward, and each time from another start. */
function orderOf(round: number, i: number, n: number): number {
  const place = (i + round) % n;
  return round % 2 === 0 ? place : n - 1 - place;
}

export function describe({ name, runtime, device, batchSize, threads }: Setting): string {
  return `${name} in ${runtime} on ${device}, batch ${batchSize}, ${threads} thread${threads === 1 ? '' : 's'}`;
}

/** The first run allocates and lays out weights; the second one says how long a run takes, the first if it took long. */
async function warm(variant: Variant, clock: Clock): Promise<number> {
  const first = await timeOf(variant, clock);
  return first > 100 ? first : timeOf(variant, clock);
}

async function takeTurn(variant: Variant, clock: Clock): Promise<number[]> {
  await sleep(SETTLE_MS);
  const times: number[] = [];
  const first = await timeOf(variant, clock);
  let sum = 0;
  // A run that takes long by itself needs no second warm-up.
  const [runs, ms] = first > 4 * TURN.ms ? [1, 0] : [TURN.runs, TURN.ms];
  while (times.length < runs || sum < ms) {
    const took = await timeOf(variant, clock);
    times.push(took);
    sum += took;
  }
  return times;
}

async function timeOf({ run }: Variant, clock: Clock): Promise<number> {
  const start = clock();
  const result = run();
  // Waiting for what is there already would cost a small model as much as its run.
  if (result instanceof Promise) await result;
  return clock() - start;
}

/** A row by itself, without the sessions that only a comparison needs. */
export function withoutSessions(latency: Latency): Omit<Latency, 'sessionMs'> {
  return Object.fromEntries(Object.entries(latency).filter(([key]) => key !== 'sessionMs')) as Omit<
    Latency,
    'sessionMs'
  >;
}
