import { monotonicMs } from '../../base/clock.ts';
import { InterruptedError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import { LatencyFindings } from './findings.ts';
import type { Latency } from './findings.ts';
import { describe } from './setting.ts';
import type { Opened, TimedSource, TimedVariant } from './setting.ts';
import { reasonOf } from '../reason.ts';
import type { Skipped } from '../../base/skipped.ts';
import { takeTurn, TURN, warm } from './turn.ts';
import type { Clock } from './turn.ts';

export interface LatencySettings {
  /** Milliseconds for all variants together. */
  readonly budgetMs: number;
  /** Stop when half the interval of every median is below this share of the median. Default 1 %. */
  readonly precision?: number;
  readonly signal?: AbortSignal | undefined;
  /** Default: the process's monotonic clock. */
  readonly clock?: Clock;
  /** Called with the elapsed seconds of the budget, which is not used up if medians are precise earlier. */
  readonly onProgress?: OnProgress;
}

export interface LatencyResult {
  readonly rows: readonly Latency[];
  /** Files that could not be opened, and variants that failed or would have used up the time. */
  readonly skipped: readonly Skipped[];
}

/** Number of sessions: each may take a sixteenth of the time; with fewer than eight, nothing is compared. */
const SESSIONS = { wanted: 16, fewest: 8 };
/** Maximum rounds of a session of quickly opened files: another session is worth more than another round. */
const ROUNDS = 5;

/**
 * Times variants side by side, in several sessions. A file loaded twice has different addresses, and its medians were seen to differ by 10 % for as
 * long as both live: repeats within a session cannot tell that from a real difference, so the spread between sessions counts. In a session variants
 * take turns, round after round, each time in another order, so a drift of the machine affects all alike. It ends when all medians are known to
 * `precision`, or when time is up. A variant that fails is left out.
 */
export async function measureLatency(
  sources: readonly TimedSource[],
  settings: LatencySettings,
): Promise<LatencyResult> {
  const { budgetMs, precision = 0.01, signal, clock = monotonicMs, onProgress } = settings;
  const start = clock();
  const timeLeft = (): number => budgetMs - (clock() - start);
  const stopIfAsked = (): void => {
    if (signal?.aborted === true) throw new InterruptedError('stopped measuring latency');
  };
  const found = new LatencyFindings();
  const isTaken = (variant: TimedVariant): boolean => found.isTaken(variant);
  let session: Opened | undefined;
  try {
    for (let number = 0; ; number++) {
      stopIfAsked();
      const begun = clock();
      // The previous session is closed only after the next is open, which would otherwise get the same addresses again.
      const before = session;
      session = await openAll(sources, number);
      before?.dispose();
      found.skip(session.skipped);
      found.keepOnly(session.variants);
      const variants = await warmUp(session.variants, number === 0, found, { budgetMs, clock, stopIfAsked });
      const all: number[][] = variants.map(() => []);
      const setUp = clock() - begun;
      for (let round = 0; variants.some(isTaken); round++) {
        for (let i = 0; i < variants.length; i++) {
          stopIfAsked();
          // Every variant runs in the very first round, whatever it takes, so that every row has a figure.
          if ((number > 0 || round > 0) && timeLeft() <= 0) break;
          const place = orderOf(number + round, i, variants.length);
          const variant = variants[place]!;
          if (!isTaken(variant)) continue;
          try {
            all[place]!.push(...(await takeTurn(variant, clock)));
          } catch (error) {
            found.leaveOut(variant, reasonOf(error, variant.name));
          }
          const spent = Math.min(budgetMs, clock() - start);
          onProgress?.('second', Math.floor(spent / 1000), Math.ceil(budgetMs / 1000));
        }
        const elapsed = clock() - begun;
        if (timeLeft() <= 0 || elapsed > budgetMs / SESSIONS.wanted) break;
        if (round + 1 >= ROUNDS && elapsed > 2 * setUp) break;
      }
      variants.forEach((variant, i) => found.add(variant, all[i]!));
      if (!variants.some(isTaken) || timeLeft() <= 0) break;
      if (number + 1 >= SESSIONS.fewest && found.areKnown(precision)) break;
    }
  } finally {
    session?.dispose();
  }
  return { rows: found.rows(), skipped: found.skipped };
}

interface WarmUp {
  readonly budgetMs: number;
  readonly clock: Clock;
  readonly stopIfAsked: () => void;
}

/** Runs each variant twice; in the first session, variants that would exceed their share of the time are left out. */
async function warmUp(
  variants: readonly TimedVariant[],
  isFirst: boolean,
  found: LatencyFindings,
  { budgetMs, clock, stopIfAsked }: WarmUp,
): Promise<TimedVariant[]> {
  const most = budgetMs / Math.max(1, variants.length) / (TURN.runs + 1);
  const known = new Map<string, number>();
  const chosen: TimedVariant[] = [];
  for (const variant of variants) {
    stopIfAsked();
    if (!found.isTaken(variant) || (!isFirst && !found.has(variant))) continue;
    const key = describe({ ...variant, batchSize: 0 });
    const expected = (known.get(key) ?? 0) * variant.batchSize;
    let took: number;
    try {
      took = isFirst && expected > 2 * most ? expected : await warm(variant, budgetMs, clock);
    } catch (error) {
      found.leaveOut(variant, reasonOf(error, variant.name));
      continue;
    }
    known.set(key, took / variant.batchSize);
    const hasSmaller = chosen.some((other) => describe({ ...other, batchSize: 0 }) === key);
    if (isFirst && took > 2 * most && hasSmaller) {
      found.leaveOut(variant, `one run takes about ${Math.round(took)} ms`);
    } else chosen.push(variant);
  }
  return chosen;
}

/** Opens all files, in another order for each session; returns variants in the order of the files. */
async function openAll(sources: readonly TimedSource[], number: number): Promise<Opened> {
  const opened: (Opened | undefined)[] = sources.map(() => undefined);
  const failed: Skipped[] = [];
  for (let i = 0; i < sources.length; i++) {
    const place = orderOf(number, i, sources.length);
    const { name, open } = sources[place]!;
    try {
      opened[place] = await open();
    } catch (error) {
      failed.push({ what: name, why: reasonOf(error, name) });
    }
  }
  return {
    variants: opened.flatMap((file) => file?.variants ?? []),
    skipped: [...failed, ...opened.flatMap((file) => file?.skipped ?? [])],
    dispose: () => opened.forEach((file) => file?.dispose()),
  };
}

/** Position of file `i` in a round: forward and backward alternately, starting with another file each time. */
function orderOf(round: number, i: number, n: number): number {
  const place = (i + round) % n;
  return round % 2 === 0 ? place : n - 1 - place;
}
