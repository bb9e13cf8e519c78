import { milliseconds, short, size } from '../../../report/format.ts';
import { ask } from '../ask.ts';
import { liveChart } from '../chart.ts';
import type { Chart, Line } from '../chart.ts';
import { document } from '../dom.ts';
import { byId, choice, make } from '../make.ts';
import { figuresOf } from './figures.ts';
import type { Figures } from './figures.ts';
import { snapshotOf } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { figuresTable, tiles } from './words.ts';

const EVERY_MS = 2000;
/** Five minutes. */
const KEPT = 151;
/** A shorter axis would jump. */
const LEAST_SECONDS = 60;
const QUANTILES = ['p50', 'p95', 'p99'] as const;

type Value = (figures: Figures) => number | null;

/** Charts of the server's metrics, from the moment that the page was opened. `models`: in the order of their colours. */
export function showLive(models: () => readonly string[], onAnswer: (error: string | undefined) => void): void {
  const kept: Snapshot[] = [];
  let quantile = 1;
  const chart = (title: string, yText: (value: number) => string, empty = 'no requests yet'): Chart =>
    liveChart({ title, yText, empty, xText: (at) => ago((kept.at(-1)?.at ?? at) - at) });
  const charts: readonly (readonly [Chart, Value])[] = [
    [chart('Latency', milliseconds), (of) => of[QUANTILES[quantile]!]],
    [chart('Throughput, samples per second', decimal), (of) => of.samplesPerSecond],
    [chart('Samples in a batch, mean', decimal), (of) => of.batch],
    [chart('Requests that wait', decimal), (of) => of.waiting],
  ];
  const errors = chart('Errors per second', decimal);
  const drifts = new Map<string, Chart>();
  const [tileRow, grid] = [make('div', { class: 'tiles' }), make('div', { class: 'charts' })];
  const table = make('div', {
    class: 'scroll',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Figures of the last minute',
  });
  const quantiles = choice('Latency is', ['median', '95th percentile', '99th percentile'], quantile, (place) => {
    quantile = place;
    draw();
  });
  grid.append(...charts.map(([{ element }]) => element), errors.element);
  const details = make('details', {}, make('summary', {}, 'Figures of the last minute, as a table'), table);
  byId('live-body').replaceChildren(tileRow, quantiles, grid, details);

  const draw = (): void => {
    const now = kept.at(-1);
    if (now === undefined) return;
    const range = [Math.min(kept[0]!.at, now.at - LEAST_SECONDS), now.at] as const;
    const pairs = kept.slice(1).map((snapshot, i) => [kept[i]!, snapshot] as const);
    const series = (name: string, kind: number, value: (before: Snapshot, now: Snapshot) => number | null): Line => ({
      name,
      kind,
      points: pairs.map(([before, after]) => [after.at, value(before, after)]),
    });
    for (const [{ update }, value] of charts) {
      update(
        models().map((name, kind) => series(name, kind, (before, after) => value(figuresOf(name, before, after)))),
        range,
      );
    }
    errors.update(errorLines(models(), series), range);
    for (const [metric, values] of now.drift) {
      if (!drifts.has(metric)) {
        drifts.set(metric, chart(driftTitle(metric, now.help.get(metric)), decimal, 'no value yet'));
        grid.append(drifts.get(metric)!.element);
      }
      const lines = [...values.keys()].map((name, kind) =>
        series(name, kind, (_, after) => finite(after.drift.get(metric)?.get(name))),
      );
      drifts.get(metric)!.update(lines, range);
    }
    const minuteAgo = kept.find(({ at }) => at >= now.at - 60)!;
    tileRow.replaceChildren(...tiles(minuteAgo, now, size(now.memory)));
    table.replaceChildren(figuresTable(models(), minuteAgo, now));
  };
  const look = async (): Promise<void> => {
    if (document.visibilityState === 'visible') {
      try {
        const text = await (await ask('metrics')).text();
        kept.push(snapshotOf(text, performance.now() / 1000));
        if (kept.length > KEPT) kept.shift();
        draw();
        onAnswer(undefined);
      } catch (error) {
        onAnswer((error as Error).message);
      }
    }
    setTimeout(() => void look(), EVERY_MS);
  };
  void look();
}

function errorLines(
  models: readonly string[],
  series: (name: string, kind: number, value: (before: Snapshot, now: Snapshot) => number | null) => Line,
): Line[] {
  const http = (first: string) => (before: Snapshot, now: Snapshot) =>
    ((now.answers.get(first) ?? 0) - (before.answers.get(first) ?? 0)) / (now.at - before.at);
  return [
    ...models.map((name, kind) => series(name, kind, (before, now) => figuresOf(name, before, now).failuresPerSecond)),
    series('HTTP 4xx', models.length, http('4')),
    series('HTTP 5xx', models.length + 1, http('5')),
  ];
}

/** Names of metrics are for programs; their help texts are for people. */
function driftTitle(metric: string, help: string | undefined): string {
  return help === undefined || help.length > 70
    ? metric.replace(/^limbeck_serve_/, '').replaceAll('_', ' ')
    : help.replace(/\.$/, '');
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function decimal(value: number): string {
  return value >= 100 ? short(value) : String(Number(value.toPrecision(3)));
}

function ago(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole === 0) return 'now';
  return whole % 60 === 0 && whole >= 60 ? `${whole / 60} min ago` : `${whole} s ago`;
}
