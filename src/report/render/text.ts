import { fileSize, number, seconds } from '../format.ts';
import { scoreOf } from '../score.ts';
import { summarySentences } from '../summary.ts';
import type { Report } from '../types.ts';

/** The end of a run in a terminal: the models side by side, the verdict, and where the rest is. */
export function reportText(report: Report, folder: string): string {
  const score = scoreOf(report);
  const head = ['model', 'parameters', 'size', `validation${score.heading}`, `test${score.heading}`];
  const rows = report.models.map(({ id, params, sizeBytes, score: own }) => [
    id,
    number(params),
    fileSize(sizeBytes),
    own.validation === null ? '-' : score.text(own.validation),
    own.test === null ? '-' : score.text(own.test),
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return [
    '',
    ...[head, ...rows].map(line),
    '',
    ...(report.verdict === undefined
      ? []
      : [`${report.verdict.result}: distilled against scratch ${report.verdict.sentence}`]),
    ...(report.verdict?.pair === undefined ? [] : [`these two models: ${report.verdict.pair.sentence}`]),
    summarySentences(report).join(' '),
    `report: ${folder}/report.html, after ${seconds(report.wallSeconds)}`,
    '',
  ].join('\n');
}
