import { decimals } from '../../../base/numbers.ts';
import type { Score } from '../../../tasks/score.ts';
import { scoreOf } from '../../score.ts';
import type { Report } from '../../types.ts';
import type { PruningSensitivity } from '../../types.ts';
import { GRID_LINES, gridOf, rowsAxis, valueAxis } from '../charts/axes.ts';
import { chart, forScreens } from '../charts/chart.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { key, markSeries } from '../charts/kinds.ts';
import { wholeTable } from '../tables.ts';
import { tooltip } from '../charts/targets.ts';

type Row = PruningSensitivity['rows'][number];

/** Cost of each layer when it alone is pruned: a picture, and a table of the same figures. */
export function pruningSection(report: Report): Content {
  const { pruningSensitivity } = report;
  const score = scoreOf(report);
  if (pruningSensitivity === undefined || pruningSensitivity.rows.length === 0) return '';
  const { model, score: whole, rows } = pruningSensitivity;
  const places = Math.max(...byLayer(rows).map((of) => of.length));
  const legend = Array.from({ length: places }, (_, i) => markup`<li>${key(i)}${ORDER[i] ?? `amount ${i + 1}`}</li>`);
  return markup`<section id="pruning"><h2>Sensitivity to pruning</h2><p>Validation ${score.name} of the ${model} model (${score.text(whole)}) after one layer
      alone lost channels, without training afterwards. Layers that make the same channels can only lose them together.</p>
      <ul class="legend">${legend}</ul>${picture(rows, score)}
      <details><summary>All ${rows.length} measurements</summary>${rowsTable(rows, score)}</details></section>`;
}

const ORDER = ['fewest channels removed', 'more', 'most'];

/** The rows of each layer, in the order of the model. */
function byLayer(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.layers.join(), [...(groups.get(row.layers.join()) ?? []), row]);
  return [...groups.values()];
}

function picture(rows: readonly Row[], score: Score): Content {
  const [unit, factor] = score.better === 'higher' ? ['points', 100] : [score.name, 1];
  const layers = byLayer(rows);
  const worst = rows.reduce((most, row) => (row.drop > most.drop ? row : most));
  const marks = layers.flatMap((of, line) =>
    of.map((row, kind) => ({ row, at: [factor * row.drop, line] as const, kind, size: 8 })),
  );
  return forScreens(({ width, className }) => {
    const left = className === 'wide' ? 200 : 110;
    return chart({
      width,
      height: 70 + 30 * layers.length,
      className,
      title: `Validation ${score.name} lost by layer. The most sensitive is ${nameOf(worst)}: ${lost(worst, score)} with ${worst.kept} of ${worst.channels} channels.`,
      option: () => ({
        grid: gridOf({ left }),
        xAxis: valueAxis({
          name:
            score.better === 'higher' ? `validation ${score.name} lost, ${unit}` : `validation ${score.name} on top`,
          text: String,
          hasZero: true,
        }),
        yAxis: {
          ...rowsAxis(layers.map((of) => nameOf(of[0]!))),
          splitLine: GRID_LINES,
          // A sixth less than there is: letters may be wider than ECharts guesses.
          axisLabel: { color: 'var(--soft)', width: (left - 16) / 1.2, overflow: 'truncate', interval: 0 },
        },
        series: markSeries(marks),
      }),
      overlay: (place) =>
        markup`${marks.map(({ row, at }) =>
          tooltip(place(...at), `${nameOf(row)}: ${row.kept} of ${row.channels} channels, ${lost(row, score)}`),
        )}`,
    });
  });
}

function nameOf({ layers }: Row): string {
  return layers.length === 1 ? layers[0]! : `${layers[0]!} +${layers.length - 1}`;
}

function lost({ drop }: Row, score: Score): string {
  if (score.better === 'lower') return `${score.name} ${score.change(drop)}`;
  const points = decimals(100 * drop, 2);
  return `${points.replace('-', '')} points ${points.startsWith('-') ? 'gained' : 'lost'}`;
}

function rowsTable(rows: readonly Row[], score: Score): Content {
  const lines = rows.map(
    ({ layers, channels, kept, score: own, drop }) =>
      markup`<tr><th scope="row">${layers.join(', ')}</th><td>${channels}</td><td>${kept}</td><td>${score.text(own)}</td><td>${score.better === 'higher' ? decimals(100 * drop, 2) : score.change(drop)}</td></tr>`,
  );
  return wholeTable(
    'Sensitivity to pruning',
    ['layers', 'channels', 'left', 'validation', score.better === 'higher' ? 'points lost' : `${score.name} on top`],
    lines,
  );
}
