import { percent } from '../format.ts';
import type { PruningSensitivity, Report } from '../types.ts';
import { chart, frameOf, marker, px } from './chart.ts';
import { escape } from './escape.ts';
import { scaleOf } from './scale.ts';
import { key, table } from './tables.ts';

type Row = PruningSensitivity['rows'][number];

/** What each layer costs when it alone is pruned: a picture, and a table of the same figures. */
export function pruningSection({ pruningSensitivity }: Report): string {
  if (pruningSensitivity === undefined || pruningSensitivity.rows.length === 0) return '';
  const { model, accuracy, rows } = pruningSensitivity;
  const places = Math.max(...byLayer(rows).map((of) => of.length));
  const legend = Array.from({ length: places }, (_, i) => `<li>${key(i)}${ORDER[i] ?? `amount ${i + 1}`}</li>`);
  return (
    `<section id="pruning"><h2>Sensitivity to pruning</h2><p>Validation accuracy of the ${escape(model)} model (${percent(accuracy)}) after one layer ` +
    `alone lost channels, without training afterwards. Layers that make the same channels can only lose them together.</p>` +
    `<ul class="legend">${legend.join('')}</ul>${picture(rows, 760, 200, 'wide')}${picture(rows, 350, 110, 'narrow')}` +
    `<details><summary>All ${rows.length} measurements</summary>${rowsTable(rows)}</details></section>`
  );
}

const ORDER = ['fewest channels removed', 'more', 'most'];

/** The rows of each layer, in the order of the model. */
function byLayer(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.layers.join(), [...(groups.get(row.layers.join()) ?? []), row]);
  return [...groups.values()];
}

function picture(rows: readonly Row[], width: number, left: number, className: string): string {
  const layers = byLayer(rows);
  const frame = frameOf(width, 70 + 30 * layers.length, left);
  const x = scaleOf([0, ...rows.map(({ drop }) => 100 * drop)], [frame.left + 12, frame.right - 12]);
  const step = (frame.bottom - frame.top) / layers.length;
  const place = (line: number): number => frame.top + step * (line + 0.5);
  const drawn = layers.map((of, line) => {
    const at = place(line);
    const [from, to] = [x.place(0), Math.max(...of.map(({ drop }) => x.place(100 * drop)))];
    const marks = of.map((row, kind) => {
      const title = `${nameOf(row)}: ${row.kept} of ${row.channels} channels, ${lost(row)}`;
      return `<g class="mark s${kind % 6}"><title>${escape(title)}</title>${marker(kind, x.place(100 * row.drop), at, 5)}</g>`;
    });
    return `<line class="grid" x1="${px(from)}" x2="${px(to)}" y1="${px(at)}" y2="${px(at)}"/>${marks.join('')}`;
  });
  const worst = rows.reduce((most, row) => (row.drop > most.drop ? row : most));
  const most = Math.floor((left - 16) / 6.4);
  const shortened = (name: string): string => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
  return chart(
    frame,
    `Validation accuracy lost by layer. The most sensitive is ${nameOf(worst)}: ${lost(worst)} with ${worst.kept} of ${worst.channels} channels.`,
    { scale: x, label: 'validation accuracy lost, points', text: (value) => String(value) },
    {
      scale: { ticks: layers.map((_, line) => line), place },
      label: '',
      text: (line) => shortened(nameOf(layers[line]![0]!)),
    },
    drawn.join(''),
    className,
  );
}

function nameOf({ layers }: Row): string {
  return layers.length === 1 ? layers[0]! : `${layers[0]!} +${layers.length - 1}`;
}

function lost({ drop }: Row): string {
  return drop < 0 ? `${(-100 * drop).toFixed(2)} points gained` : `${(100 * drop).toFixed(2)} points lost`;
}

function rowsTable(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ layers, channels, kept, accuracy, drop }) =>
      `<tr><th scope="row">${escape(layers.join(', '))}</th><td>${channels}</td><td>${kept}</td><td>${percent(accuracy)}</td><td>${(100 * drop).toFixed(2)}</td></tr>`,
  );
  return table('Sensitivity to pruning', ['layers', 'channels', 'left', 'validation', 'points lost'], lines);
}
