/** Our side of bench/recipe.ts, one process: `node recipe-child.js RECIPE OUT [key=value …]` prints where the time went. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { LedgerRow } from '../src/folder/states/ledger.ts';
import { runRecipe } from '../src/run/run.ts';
import { loadRunnable } from '../src/setup/runnable.ts';

const [file, out, ...set] = process.argv.slice(2) as [string, string, ...string[]];
const { folder, report } = await runRecipe(await loadRunnable(file, set), { out });
const { rows } = JSON.parse(readFileSync(path.join(folder, 'ledger.json'), 'utf8')) as { rows: LedgerRow[] };
const secondsOf = (name: string): number => rows.find(({ stage }) => stage === name)?.seconds ?? 0;
const student = report.models.find(({ id }) => id === 'distilled');
console.log(
  JSON.stringify({
    answersSeconds: secondsOf('answers'),
    trainSeconds: secondsOf('distill'),
    measuredSeconds: secondsOf('measure teacher'),
    validation: student?.score.validation,
    parameters: student?.params,
  }),
);
