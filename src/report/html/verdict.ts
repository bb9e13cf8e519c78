import { points } from '../verdict.ts';
import type { Verdict } from '../types.ts';
import { chart, frameOf, marker, px } from './chart.ts';
import { escape } from './escape.ts';
import { scaleOf } from './scale.ts';

const MEANING = {
  BEATS: ['good', 'The whole interval lies above zero.'],
  'NO GAIN': ['bad', 'The whole interval lies below a tenth of a point.'],
  INCONCLUSIVE: ['warn', 'More repeats would narrow the interval.'],
} as const;

/** The comparison with the twin that had no teacher, run by run. */
export function verdictSection(verdict: Verdict): string {
  const [tone, meaning] = MEANING[verdict.result];
  return (
    `<section id="verdict"><h2>Verdict: <span class="${tone}">${escape(verdict.result)}</span></h2>` +
    `<p>The same student was trained without the teacher, from the same weights, on the same budget. ` +
    `Distilled against scratch: ${escape(verdict.sentence)}. ${verdict.interval === null ? '' : meaning}</p>` +
    `${verdict.interval === null ? '' : forest(verdict.gains, verdict.gain, verdict.interval)}</section>`
  );
}

function forest(gains: readonly number[], gain: number, interval: readonly [number, number]): string {
  const frame = { ...frameOf(460, 110), left: 20 };
  const x = scaleOf([0, ...gains, ...interval], [frame.left + 6, frame.right - 6]);
  const [low, high] = interval.map((value) => px(x.place(value)));
  const middle = 38;
  const content = [
    `<line class="axis" x1="${px(x.place(0))}" x2="${px(x.place(0))}" y1="${frame.top}" y2="${frame.bottom}"/>`,
    `<path class="line s2" d="M${low} ${middle - 7}V${middle + 7}M${low} ${middle}H${high}M${high} ${middle - 7}V${middle + 7}"/>`,
    `<g class="mark s2">${marker(2, x.place(gain), middle, 6)}</g>`,
    ...gains.map((value) => `<g class="mark s0">${marker(3, x.place(value), frame.bottom - 8, 4)}</g>`),
  ].join('');
  const title = `Gains of ${gains.map(points).join(', ')}; mean ${points(gain)}, 95 % interval ${points(interval[0])} to ${points(interval[1])}`;
  const y = { scale: { ticks: [], place: () => 0 }, label: '', text: String };
  const text = (value: number): string => String(Number((100 * value).toFixed(2)));
  const drawn = chart(frame, title, { scale: x, label: 'gain in points', text }, y, content, 'small');
  return `<figure>${drawn}<figcaption><small>Disc: mean with its 95 % interval. Diamonds: single runs.</small></figcaption></figure>`;
}
