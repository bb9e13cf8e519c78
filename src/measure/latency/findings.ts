import { describe } from './setting.ts';
import type { LatencySetting } from './setting.ts';
import type { Skipped } from '../../base/skipped.ts';
import { median } from '../../base/math/statistics.ts';
import { summarize } from './figures.ts';
import type { TimeFigures } from './figures.ts';

export interface Latency extends LatencySetting, TimeFigures {
  /** Median of each session, in which all variants took turns: for comparing variants in pairs. */
  readonly sessionMs: readonly number[];
}

/** Results of all sessions, by setting. */
export class LatencyFindings {
  readonly skipped: Skipped[] = [];
  readonly #timed = new Map<string, { setting: LatencySetting; sessions: number[][] }>();
  readonly #leftOut = new Set<string>();

  /** Reports an omission once, however many sessions repeat it. */
  skip(entries: readonly Skipped[]): void {
    for (const { what, why } of entries)
      if (!this.skipped.some((entry) => entry.what === what)) this.skipped.push({ what, why });
  }

  /** Removes all figures of a setting: one that fails in some sessions is not trusted in others. */
  leaveOut(setting: LatencySetting, why: string): void {
    const what = describe(setting);
    this.#leftOut.add(what);
    this.#timed.delete(what);
    this.skip([{ what, why }]);
  }

  has(setting: LatencySetting): boolean {
    return this.#timed.has(describe(setting));
  }

  isTaken(setting: LatencySetting): boolean {
    return !this.#leftOut.has(describe(setting));
  }

  /** Drops settings that could not be opened in a session: pairwise comparison needs all in every session. */
  keepOnly(settings: readonly LatencySetting[]): void {
    const opened = new Set(settings.map(describe));
    for (const key of this.#timed.keys()) {
      if (opened.has(key)) continue;
      this.#timed.delete(key);
      this.#leftOut.add(key);
    }
  }

  add(given: LatencySetting, times: readonly number[]): void {
    if (times.length === 0 || !this.isTaken(given)) return;
    const { name, runtime, device, batchSize, threads } = given;
    const key = describe(given);
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

/** A row without the sessions, which only comparisons need. */
export function withoutSessions(latency: Latency): Omit<Latency, 'sessionMs'> {
  return Object.fromEntries(Object.entries(latency).filter(([key]) => key !== 'sessionMs')) as Omit<
    Latency,
    'sessionMs'
  >;
}
