import { reportCsv } from './csv.ts';
import { reportHtml } from '../html/page.ts';
import { reportJson } from './json.ts';
import { reportMarkdown } from './markdown.ts';
import type { Report } from '../types.ts';

/** Every form of a report by its file name. report.json is the last: where it is, the others are too. */
export function reportFiles(report: Report): readonly (readonly [name: string, content: string])[] {
  return [
    ['report.html', reportHtml(report)],
    ['report.md', reportMarkdown(report)],
    ['report.csv', reportCsv(report)],
    ['report.json', reportJson(report)],
  ];
}
