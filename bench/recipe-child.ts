/** Our side of bench/recipe.ts and bench/pictures.ts, one process: `node recipe-child.js RECIPE OUT [key=value …]` prints where the time went. */
import '../src/features.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { LedgerRow } from '../src/folder/states/ledger.ts';
import { runRecipe } from '../src/run/run.ts';
import { loadRunnable } from '../src/setup/runnable.ts';

const [file, out, ...set] = process.argv.slice(2) as [string, string, ...string[]];
let validateSeconds = 0;
const { folder, report } = await runRecipe(await loadRunnable(file, set), {
  out,
  onEvent: (event) => {
    if (event.type === 'epoch' && event.stage === 'distill') validateSeconds += event.validationSeconds ?? 0;
  },
});
const { rows } = JSON.parse(readFileSync(path.join(folder, 'ledger.json'), 'utf8')) as { rows: LedgerRow[] };
const secondsOf = (name: string): number => rows.find(({ stage }) => stage === name)?.seconds ?? 0;
const student = report.models.find(({ id }) => id === 'distilled');
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    dataSeconds: secondsOf('data'),
    answersSeconds: secondsOf('answers'),
    trainSeconds: secondsOf('distill'),
    validateSeconds,
    measuredSeconds: secondsOf('measure teacher'),
    stages: Object.fromEntries(rows.map(({ stage, seconds }) => [stage, seconds])),
    cpuSeconds: (user + system) / 1e6,
    validation: student?.score.validation,
    parameters: student?.params,
  }),
);
