import type { Score } from '../../../tasks/score.ts';
import { gainText } from '../../verdict.ts';
import type { TaughtBy } from '../../taught-by.ts';
import type { Verdict } from '../../types.ts';
import { gridOf, rowsAxis, valueAxis } from '../charts/axes.ts';
import { chart } from '../charts/chart.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { colourOf, markSeries } from '../charts/kinds.ts';

const MEANING = {
  BEATS: ['good', 'The whole interval lies above zero.'],
  'NO GAIN': ['bad', 'The whole interval lies below a gain that matters.'],
  INCONCLUSIVE: ['warn', 'More repeats would narrow the interval.'],
} as const;

/** The comparison with the twin that had no teacher, or no peer, run by run. */
export function verdictSection(verdict: Verdict, score: Score, by: TaughtBy): Content {
  const [tone, meaning] = MEANING[verdict.result];
  return markup`<section id="verdict"><h2>Verdict: <span class="${tone}">${verdict.result}</span></h2>
      <p>The same student was trained without the ${by}, from the same weights, on the same budget.
      Distilled against scratch: ${verdict.sentence}. ${verdict.interval === null ? '' : meaning}</p>
      ${pairText(verdict)}
      ${verdict.interval === null ? '' : forest(verdict.gains, verdict.gain, verdict.interval, score)}</section>`;
}

function pairText({ pair }: Verdict): Content {
  return pair === undefined ? '' : markup`<p>These two models: ${pair.sentence}.</p>`;
}

function forest(gains: readonly number[], gain: number, interval: readonly [number, number], score: Score): Content {
  const said = (value: number): string => gainText(score, value);
  // Of a fraction in points, else in the label's units.
  const [unit, factor] = score.better === 'higher' ? ['points', 100] : [score.name, 1];
  const marks = [
    { at: [factor * gain, 0] as const, kind: 2, size: 11 },
    ...gains.map((value) => ({ at: [factor * value, 1] as const, kind: 3, size: 6 })),
  ];
  const drawn = chart({
    width: 460,
    height: 110,
    title: `Gains of ${gains.map(said).join(', ')}; mean ${said(gain)}, 95 % interval ${said(interval[0])} to ${said(interval[1])}`,
    option: () => ({
      grid: gridOf({ left: 20 }),
      xAxis: valueAxis({ name: `gain in ${unit}`, text: String, hasZero: true }),
      // Its line is that of no gain.
      yAxis: { ...rowsAxis(['mean', 'runs']), axisLabel: { show: false } },
      series: [
        {
          type: 'line',
          data: interval.map((value) => [factor * value, 0]),
          silent: true,
          clip: false,
          // The ends of the interval.
          symbol: 'rect',
          symbolSize: [2.2, 14],
          itemStyle: { color: colourOf(2) },
          lineStyle: { color: colourOf(2), width: 2.2 },
        },
        markSeries(marks),
      ],
    }),
  });
  return markup`<figure>${drawn}<figcaption><small>Disc: mean with its 95 % interval. Diamonds: single runs.</small></figcaption></figure>`;
}
