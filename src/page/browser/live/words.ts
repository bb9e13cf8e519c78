import { milliseconds, number } from '../../../report/format.ts';
import type { Element } from '../dom.ts';
import { make } from '../make.ts';
import { figuresOf } from './figures.ts';
import type { Snapshot } from './snapshot.ts';

/** The figures that are looked for first, of all models together. */
export function tiles(before: Snapshot, now: Snapshot, memory: string): Element[] {
  const seconds = now.at - before.at;
  const sum = (snapshot: Snapshot, of: 'requests' | 'failures'): number =>
    [...snapshot.models.values()].reduce((total, counts) => total + counts[of], 0);
  const requests = sum(now, 'requests');
  const failures = sum(now, 'failures');
  const rate = seconds > 0 ? (requests - sum(before, 'requests')) / seconds : 0;
  return [
    tile(rate < 10 ? String(Number(rate.toFixed(1))) : number(rate), 'requests a second, in the last minute'),
    tile(number(requests), 'requests answered since the start'),
    tile(
      number(failures),
      `failed${requests + failures > 0 ? `: ${((100 * failures) / (requests + failures)).toFixed(1)} %` : ''}`,
    ),
    tile(`${now.busy} of ${now.workers}`, `workers busy, ${memory} of memory`),
  ];
}

export function tile(figure: string, about: string): Element {
  return make('div', { class: 'tile' }, make('b', {}, figure), make('span', {}, about));
}

const HEAD = ['model', 'requests/s', 'samples/s', 'median', '95 %', '99 %', 'batch', 'waiting', 'failures/s'];

export function figuresTable(models: readonly string[], before: Snapshot, now: Snapshot): Element {
  const shown = (value: number | null, text: (value: number) => string): string => (value === null ? '–' : text(value));
  const decimal = (value: number): string => String(Number(value.toPrecision(3)));
  const rows = models.map((model) => {
    const of = figuresOf(model, before, now);
    const cells = [
      ...[of.requestsPerSecond, of.samplesPerSecond].map((value) => shown(value, decimal)),
      ...[of.p50, of.p95, of.p99].map((value) => shown(value, milliseconds)),
      ...[of.batch, of.waiting, of.failuresPerSecond].map((value) => shown(value, decimal)),
    ];
    return make('tr', {}, make('th', { scope: 'row' }, model), ...cells.map((cell) => make('td', {}, cell)));
  });
  const head = HEAD.map((name, i) => make('th', { scope: 'col', class: i === 0 ? 'text' : undefined }, name));
  return make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows));
}
