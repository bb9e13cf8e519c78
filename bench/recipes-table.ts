/**
 * Writes the results table of recipes/README.md from the reports in checkpoints/, between its two markers.
 * `npm run recipes:table`; a recipe that has not been run keeps the row that it has.
 */
import '../src/features.ts';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseReport } from '../src/report/read.ts';
import { table } from './processes.ts';

const PAGE = 'recipes/README.md';
const [BEGIN, END] = ['<!-- results -->', '<!-- /results -->'];
const HEADER = ['recipe', 'model', 'parameters', 'size kB', 'validation %', 'test %', 'verdict', 'minutes'];

function rowsOf(name: string): string[][] | undefined {
  const file = path.join('checkpoints', name, 'report.json');
  if (!existsSync(file)) return undefined;
  const report = parseReport(readFileSync(file, 'utf8'), file);
  const percent = (score: number | null | undefined): string => {
    if (typeof score !== 'number') return '-';
    // Of numbers that are predicted, the headline score is in the unit of the label.
    return report.dataset.task === 'regression' ? `RMSE ${score.toFixed(2)}` : (100 * score).toFixed(2);
  };
  return report.models.map((model, i) => [
    i === 0 ? name : '',
    `${model.id}, ${model.format} ${model.precision}`,
    model.params === null || model.params === undefined ? '-' : model.params.toLocaleString('en'),
    (model.sizeBytes / 1000).toFixed(1),
    percent(model.score.validation),
    percent(model.score.test),
    i === 0 ? (report.verdict?.result ?? '-') : '',
    i === 0 ? (report.wallSeconds / 60).toFixed(1) : '',
  ]);
}

/** The rows that the page has, by recipe: a name in the first cell begins a group. */
function presentRows(text: string): Map<string, string[][]> {
  const groups = new Map<string, string[][]>();
  let current: string[][] = [];
  for (const line of text.split('\n').slice(2)) {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (cells.length !== HEADER.length) continue;
    if (cells[0] !== '') groups.set(cells[0]!, (current = []));
    current.push(cells);
  }
  return groups;
}

const page = readFileSync(PAGE, 'utf8');
const [before, rest] = page.split(BEGIN) as [string, string];
const [present, after] = rest.split(END) as [string, string];
const known = presentRows(present.trim());
const names = readdirSync('recipes')
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => path.basename(file, '.yaml'));
const rows = names.flatMap((name) => rowsOf(name) ?? known.get(name) ?? []);
writeFileSync(PAGE, `${before}${BEGIN}\n\n${table(HEADER, rows)}\n\n${END}${after}`);
