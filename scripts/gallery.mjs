/**
 * Writes recipes/README.md and the charts in recipes/gallery/ from recipes/results.json: `npm run docs:gallery`.
 * `--report checkpoints/NAME/report.json` takes the figures of a finished run into its row first; `--page DIR` writes DIR/index.html, the same as one page;
 * `--check` writes nothing and fails where the files are not what would be written. Rows whose recipe has changed since are named.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import prettier from 'prettier';
import { parse } from 'yaml';

const RESULTS = 'recipes/results.json';
const BARS = ['teacher', 'twin', 'student'];
const { values: options } = parseArgs({
  options: { report: { type: 'string' }, page: { type: 'string' }, check: { type: 'boolean' } },
});

/** The hash of what a recipe says: comments and order of lines in a file that says the same may change. */
function hashOf(file) {
  return createHash('sha256')
    .update(JSON.stringify(parse(readFileSync(file, 'utf8'))))
    .digest('hex')
    .slice(0, 12);
}

function head() {
  try {
    return execFileSync('git', ['rev-parse', '--short=8', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined; // a copy of the files without its history
  }
}

/** A score as the page has it: fractions as percent, others as they are. */
function shown(report, score) {
  if (typeof score !== 'number') return undefined;
  return Number((report.score.unit === 'fraction' ? 100 * score : score).toFixed(2));
}

/** The figures of a row, from the report of a finished run. */
function figuresOf(file) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  if (report.version !== 3 || report.score === undefined || report.status !== 'complete') {
    throw new Error(
      `${file} has version ${report.version} and status ${report.status}: expected a finished run of version 3. Run the recipe again.`,
    );
  }
  const first = (role) => report.models.find(({ id }) => id === role)?.score.test;
  const files = report.models.filter(({ id }) => id !== 'teacher' && id !== 'scratch');
  const smallest = files.sort((a, b) => a.sizeBytes - b.sizeBytes)[0];
  const points = report.score.unit === 'fraction' ? 100 : 1;
  const { result, gain, interval } = report.verdict ?? {};
  return {
    score: report.score.unit === 'fraction' ? `${report.score.name}, %` : report.score.name,
    teacher: shown(report, first('teacher')),
    twin: shown(report, first('scratch')),
    student: shown(report, first('distilled')),
    ...(smallest && {
      file: smallest.id,
      kB: Number((smallest.sizeBytes / 1000).toFixed(1)),
      fileScore: shown(report, smallest.score.test),
    }),
    ...(result && { verdict: result }),
    ...(interval && { gain: [gain, ...interval].map((value) => Number((points * value).toFixed(2))) }),
    minutes: Number((report.wallSeconds / 60).toFixed(1)),
    of: {
      commit: head(),
      machine: `${report.machine.cores} cores, ${report.machine.cpu}`,
      date: statSync(file).mtime.toISOString().slice(0, 10),
    },
  };
}

/** A score with two decimals; errors are counted. */
function decimals(row, value) {
  return row.score.startsWith('errors') ? value : value.toFixed(2);
}

/** Bars of the scores on the test split, from 0 to the largest, and the interval of the gain beside a line at 0. */
function chart(row) {
  const bars = BARS.filter((name) => row[name] !== undefined);
  if (bars.length === 0) return undefined;
  const scale = 200 / Math.max(...bars.map((name) => row[name]));
  const lines = bars.map((name, i) => {
    const [y, width] = [8 + 20 * i, (row[name] * scale).toFixed(1)];
    const fill = name === 'student' ? '#1668a8' : '#9aa7b4';
    return `<text x="4" y="${y + 11}">${name}</text><rect x="60" y="${y}" width="${width}" height="14" fill="${fill}"/><text x="266" y="${y + 11}">${decimals(row, row[name])}</text>`;
  });
  let bottom = 14 + 20 * bars.length;
  if (row.gain) {
    const [mean, low, high] = row.gain;
    const reach = 100 / Math.max(Math.abs(low), Math.abs(high));
    const x = (value) => (160 + value * reach).toFixed(1);
    lines.push(
      `<text x="4" y="${bottom + 11}">gain</text><path d="M160 ${bottom}v14M${x(low)} ${bottom + 7}H${x(high)}" stroke="#333"/>`,
      `<circle cx="${x(mean)}" cy="${bottom + 7}" r="3.5" fill="#1668a8"/><text x="266" y="${bottom + 11}">${low} to ${high}</text>`,
    );
    bottom += 20;
  }
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 340 ${bottom + 4}" width="340" font-family="sans-serif" font-size="11">`;
  const title = `<title>${row.recipe}: ${row.score} on test</title><rect width="340" height="${bottom + 4}" fill="#fff"/>`;
  return `${open}${title}\n${lines.join('\n')}\n</svg>\n`;
}

const HEADER = [
  'recipe',
  'what it shows',
  'score',
  'teacher',
  'twin',
  'student',
  'smallest file',
  'verdict',
  'minutes',
  'needs',
  'of',
];

function cellsOf(row, changed) {
  const of = [row.of.commit, row.of.machine, row.of.date].filter(Boolean).join(', ');
  const gain = row.gain ? `, ${row.gain[0]} (${row.gain[1]} to ${row.gain[2]})` : '';
  return [
    row.shows,
    row.score ?? '-',
    ...BARS.map((name) => (row[name] === undefined ? '-' : decimals(row, row[name]))),
    row.kB === undefined ? '-' : `${row.kB} kB: ${decimals(row, row.fileScore)}`,
    `${row.verdict ?? '-'}${gain}`,
    row.minutes ?? '-',
    row.needs,
    `${of || 'older'}${changed ? '; the recipe has changed since' : ''}`,
  ];
}

const INTRODUCTION = `# Recipes

<!-- Written by \`npm run docs:gallery\` from results.json: change that file, or run the command with \`--report\`. -->

\`\`\`sh
npm run build
node dist/cli.js run recipes/digits-csv.yaml
npm run docs:gallery -- --report checkpoints/digits-csv/report.json    # takes its figures into this page
\`\`\`

Scores are those of the exported files on the test split, of the first of several repeats. Verdict: the student against its twin without a teacher, with the mean gain in points and
its 95 % interval where known. BEATS: the interval lies above 0; NO GAIN: below 0.1 points; INCONCLUSIVE: everything else, and always with one run of each; \`-\`: no twin.
Minutes are those of one or two cores, some with other work. Results of the teachers are committed in \`checkpoints/\`: a run of such a recipe
needs \`--set name=my-teacher\`. "Of" has the commit and the day on which the figures were written down, and the machine where known.
`;

function markdown(rows, changed) {
  const body = rows.map((row) => {
    const name = chart(row)
      ? `[${row.recipe}](${row.recipe}.yaml) ([chart](gallery/${row.recipe}.svg))`
      : `[${row.recipe}](${row.recipe}.yaml)`;
    return `| ${[name, ...cellsOf(row, changed.has(row.recipe))].join(' | ')} |`;
  });
  return `${INTRODUCTION}\n| ${HEADER.join(' | ')} |\n|${' --- |'.repeat(HEADER.length)}\n${body.join('\n')}\n`;
}

function html(rows, changed) {
  const escaped = (text) =>
    String(text)
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/`([^`]*)`/g, '<code>$1</code>');
  const cards = rows.map((row) => {
    const [shows, ...rest] = cellsOf(row, changed.has(row.recipe));
    const list = rest.map((cell, i) => `<dt>${HEADER[i + 2]}</dt><dd>${escaped(cell)}</dd>`).join('');
    return `<article><h2>${row.recipe}</h2><p>${escaped(shows)}</p>${chart(row) ?? ''}<dl>${list}</dl></article>`;
  });
  const style = `body{font:15px sans-serif;margin:1em}main{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(22em,100%),1fr));gap:1em}
article{border:1px solid #ccc;border-radius:6px;padding:1em}h2{margin:0;font-size:1.1em}svg{max-width:100%}dl{display:grid;grid-template-columns:7em 1fr;gap:.2em}dd{margin:0}`;
  const start = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Limbeck: recipes</title>`;
  return `${start}<style>${style}</style><h1>Recipes</h1><main>${cards.join('\n')}</main></html>\n`;
}

const rows = JSON.parse(readFileSync(RESULTS, 'utf8'));
const recipes = readdirSync('recipes')
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => path.basename(file, '.yaml'));
const without = recipes.filter((name) => !rows.some(({ recipe }) => recipe === name));
const gone = rows.filter(({ recipe }) => !recipes.includes(recipe)).map(({ recipe }) => recipe);
if (without.length > 0 || gone.length > 0) {
  throw new Error(
    `${RESULTS}: recipes without a row: [${without}], rows without a recipe: [${gone}]. Add a row with "recipe", "shows", "needs" and "of": {}, or take it out.`,
  );
}
const files = new Map();
if (options.report !== undefined) {
  const { name } = JSON.parse(readFileSync(options.report, 'utf8'));
  const i = rows.findIndex(({ recipe }) => recipe === name);
  if (i < 0) throw new Error(`${options.report} is of a run named ${name}: no recipe in recipes/ has this name.`);
  const { recipe, shows, needs } = rows[i];
  rows[i] = { recipe, shows, needs, hash: hashOf(`recipes/${name}.yaml`), ...figuresOf(options.report) };
  files.set(RESULTS, JSON.stringify(rows, undefined, 1));
}
const changed = new Set(
  rows.filter((row) => row.hash && row.hash !== hashOf(`recipes/${row.recipe}.yaml`)).map(({ recipe }) => recipe),
);
files.set('recipes/README.md', markdown(rows, changed));
for (const [file, text] of files) files.set(file, await prettier.format(text, { filepath: file, printWidth: 120 }));
for (const row of rows) {
  const svg = chart(row);
  if (svg) files.set(`recipes/gallery/${row.recipe}.svg`, svg);
}
if (changed.size > 0) console.log(`recipes that have changed since their figures: ${[...changed].join(', ')}`);
if (options.check) {
  const differing = [...files].filter(
    ([file, text]) => !statSync(file, { throwIfNoEntry: false }) || readFileSync(file, 'utf8') !== text,
  );
  if (differing.length > 0)
    throw new Error(`not as npm run docs:gallery writes them: ${differing.map(([file]) => file).join(', ')}`);
} else {
  mkdirSync('recipes/gallery', { recursive: true });
  for (const [file, text] of files) writeFileSync(file, text);
}
if (options.page !== undefined) {
  mkdirSync(options.page, { recursive: true });
  writeFileSync(path.join(options.page, 'index.html'), html(rows, changed));
}
