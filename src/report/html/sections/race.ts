import { scoreOf } from '../../score.ts';
import { raceRows } from '../../tables/race.ts';
import type { Report } from '../../types.ts';
import { escape } from '../escape.ts';
import { table } from '../tables.ts';

/** Section on the losses that raced for the student's training, the one that was chosen first. */
export function raceSection(report: Report): string {
  const { race } = report;
  if (race === undefined) return '';
  const { head, rows } = raceRows(race, scoreOf(report));
  const lines = rows.map(({ cells, isPick }) => {
    const [first, ...rest] = cells.map(escape);
    const name = isPick ? `<b>${first!}</b>` : first!;
    return `<tr><th scope="row">${name}</th>${rest.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return (
    `<section id="race"><h2>Which loss</h2><p>Each candidate trained the student, the better half of them for twice as many epochs again: ` +
    `${escape(String(Number(race.epochs.toFixed(2))))} epochs in all. They were judged on the validation split; scores after few epochs are near each other by chance too.</p>` +
    `${table('Which loss', head, lines)}</section>`
  );
}
