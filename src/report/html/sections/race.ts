import { scoreOf } from '../../score.ts';
import { raceRows } from '../../tables/race.ts';
import type { Report } from '../../types.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { table } from '../tables.ts';

/** Section on the losses that raced for the student's training, the one that was chosen first. */
export function raceSection(report: Report): Content {
  const { race } = report;
  if (race === undefined) return '';
  const { head, rows } = raceRows(race, scoreOf(report));
  const lines = rows.map(({ cells, isPick }) => {
    const [first, ...rest] = cells;
    const name = isPick ? markup`<b>${first!}</b>` : first!;
    return markup`<tr><th scope="row">${name}</th>${rest.map((cell) => markup`<td>${cell}</td>`)}</tr>`;
  });
  return markup`<section id="race"><h2>Which loss</h2><p>Each candidate trained the student, the better half of them for twice as many epochs again:
      ${String(Number(race.epochs.toFixed(2)))} epochs in all. They were judged on the validation split; scores after few epochs are near each other by chance too.</p>
      ${table('Which loss', head, lines)}</section>`;
}
