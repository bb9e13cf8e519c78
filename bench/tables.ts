/**
 * Students for tables beside what else one would ship: `npm run bench:tables -- [--seeds 3] [--only cancer,digits,made]`, after
 * `npm run test:conformance:tables -- --setup`. A forest of scikit-learn teaches the student that a recipe without settings of its own has; logistic
 * regression, a boosted ensemble of 40 small trees and the student trained alone stand beside it. Accuracy and ROC AUC are those of the test split, of
 * students the mean over the seeds; a row is timed on one thread of ONNX Runtime, in turns with the others.
 */
import '../src/features.ts';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runRecipe } from '../src/run/run.ts';
import { makeRecipe } from '../src/setup/make-recipe.ts';
import { benchFiles } from '../src/tools/bench.ts';
import { evaluateFile } from '../src/tools/evaluate.ts';
import { table } from './processes.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '3' }, only: { type: 'string' } } });
const folder = mkdtempSync(path.join(tmpdir(), 'tables-'));
const written = spawnSync('.venv/tables/bin/python', ['bench/tables/write.py', folder], { encoding: 'utf8' });
if (written.status !== 0) throw new Error(`write.py ended with code ${String(written.status)}:\n${written.stderr}`);
const all = JSON.parse(written.stdout.trimEnd().split('\n').at(-1)!) as string[];

/** Epochs of 2,000 steps, as `limbeck init` writes them. */
const EPOCHS: Readonly<Record<string, number>> = { cancer: 161, digits: 51, made: 16 };

interface Model {
  readonly name: string;
  /** The file of each seed. */
  readonly files: readonly string[];
}

async function modelsOf(
  name: string,
): Promise<readonly [models: readonly Model[], recipe: ReturnType<typeof recipeOf>]> {
  const students: Record<string, string[]> = { distilled: [], scratch: [] };
  for (let seed = 0; seed < Number(values.seeds); seed++) {
    const { folder: run } = await runRecipe(recipeOf(name, seed), { out: path.join(folder, 'runs') });
    for (const [role, files] of Object.entries(students)) files.push(path.join(run, `exports/${role}.onnx`));
  }
  const file = (kind: string): string[] => [path.join(folder, `${name}-${kind}.onnx`)];
  const models = [
    { name: 'logistic regression', files: file('logistic') },
    { name: 'boosted, 40 small trees', files: file('boosted') },
    { name: 'student, distilled', files: students['distilled']! },
    { name: 'student, alone', files: students['scratch']! },
    { name: 'teacher, 300 trees', files: file('teacher') },
  ];
  return [models, recipeOf(name, 0)];
}

function recipeOf(name: string, seed: number) {
  const data = { type: 'csv', train: `${name}-train.csv`, test: `${name}-test.csv`, label: 'label', validation: 0.1 };
  const own = { student: { model: 'mlp' }, teacher: { onnx: `${name}-teacher.onnx` }, seed };
  const distill = { epochs: EPOCHS[name]!, batchSize: 32 };
  return makeRecipe(
    { name: `${name}-${seed}`, dataset: data, ...own, distill, report: { latency: { seconds: 0 } } },
    folder,
  );
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

try {
  const rows: string[][] = [];
  for (const name of values.only?.split(',') ?? all) {
    const [models, recipe] = await modelsOf(name);
    const options = { batchSizes: [1], threads: [1], seconds: 1 };
    const { rows: timed } = await benchFiles(
      models.map(({ files }) => files[0]!),
      options,
    );
    for (const [i, { name: model, files }] of models.entries()) {
      const found = [];
      for (const file of files) found.push(await evaluateFile(file, recipe, 'test'));
      const accuracy = mean(found.map((one) => one.accuracy!));
      const auc = mean(found.map((one) => one.classFigures!.auc!));
      const bytes = statSync(files[0]!).size;
      const micros = 1000 * timed[i]!.p50Ms;
      rows.push([
        name,
        model,
        `${(100 * accuracy).toFixed(2)} %`,
        `${(100 * auc).toFixed(2)} %`,
        String(bytes),
        micros.toFixed(1),
      ]);
    }
  }
  console.log(table(['table', 'model', 'accuracy', 'ROC AUC', 'bytes', 'µs'], rows));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
