import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { argMax } from '../../src/base/numbers.ts';
import { openTeacher } from '../../src/distill/teachers/open.ts';
import { plainLogits } from '../../src/distill/preflight/preflight.ts';
import { runRecipe } from '../../src/run/run.ts';
import { sessionOptionsOf } from '../../src/runtime/recipe-options.ts';
import { loadFedData } from '../../src/setup/data.ts';
import { engineOf } from '../../src/setup/engine.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { taskOf } from '../../src/tasks/registry.ts';
import { runPython } from './python.ts';

interface Row {
  readonly id: string;
  readonly table: string;
  /** Classes in the order of the library; none of a regression. */
  readonly classes: readonly string[];
  /** Probabilities of the classes, or one number, for each row of the test table. */
  readonly answers: readonly (readonly number[])[];
  /** Largest difference of the file in Python's ONNX Runtime from its library: its converter rounds thresholds to 32 bits. */
  readonly converterApart: number;
}

const folder = mkdtempSync(path.join(tmpdir(), 'tables-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function softmax(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const exps = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = exps.reduce((all, value) => all + value, 0);
  return exps.map((value) => value / sum);
}

it('files by scikit-learn, LightGBM, XGBoost and CatBoost answer as predict_proba and predict do, and teach to a report', async () => {
  const rows = runPython('tables_write.py', folder) as Row[];
  expect(rows.length).toBeGreaterThanOrEqual(25);
  const lines: string[] = [];
  for (const { id, table, classes, answers: expected, converterApart } of rows) {
    const isOfClasses = classes.length > 0;
    const written = {
      name: id,
      dataset: {
        ...{ type: 'csv', train: `${table}-train.csv`, test: `${table}-test.csv`, label: 'label', validation: 0.2 },
        ...(!isOfClasses && { task: 'regression' }),
        ...(['people', 'gaps'].includes(table) && { categorical: ['home city', 'plan'] }),
        ...(table === 'gaps' && { missing: 'mean' }),
      },
      teacher: { onnx: `${id}.onnx` },
      ...{ student: { model: 'mlp', hidden: [8] }, baseline: false, export: ['onnx'] },
      ...{ distill: { epochs: 1 }, report: { latency: { seconds: 0 } } },
    };
    const loaded = makeRecipe(written, folder);
    const { recipe } = loaded;
    const { validation, test } = await loadFedData(recipe, recipe.teacher, false);
    const { teacher } = await openTeacher(recipe.teacher!, {
      ...{ engine: await engineOf(recipe), session: sessionOptionsOf(recipe), dataset: validation },
      name: (file) => path.basename(file),
    });
    const all = Int32Array.from({ length: test!.count }, (_, i) => i);
    const given = await plainLogits(teacher, test!, all).finally(() => teacher.dispose());
    const width = given.length / test!.count;
    const ordered = new Float32Array(given.length);
    let [worst, same, spread] = [0, 0, 0];
    for (const row of all) {
      const own = given.subarray(row * width, (row + 1) * width);
      const its = expected[test!.ids[row]!]!;
      if (!isOfClasses) {
        const value = its[0]!;
        ordered[row] = value;
        worst = Math.max(worst, Math.abs(own[0]! - value));
        spread = Math.max(spread, Math.abs(value));
        continue;
      }
      const shares = softmax(own);
      its.forEach((value, c) => {
        const place = test!.classNames.indexOf(classes[c]!);
        ordered[row * width + place] = value;
        worst = Math.max(worst, Math.abs(value - shares[place]!));
      });
      if (test!.classNames[argMax(own, 0, width)] === classes[argMax(its, 0, its.length)]) same++;
    }
    const isNear = worst < converterApart + 1e-5 * (isOfClasses ? 1 : spread);
    const { report } = await runRecipe(loaded, { out: path.join(folder, 'runs') });
    const reported = report.models.find((model) => model.id === 'teacher')!.score.test!;
    const score = taskOf(test!).scoreOf(ordered, test!.targets);
    const isReported = Math.abs(reported - score) <= converterApart + 1e-4 * Math.abs(score);
    expect(report.models.map((model) => model.id)).toContain('distilled');
    lines.push(
      `${isNear && isReported ? 'ok   ' : 'WRONG'} ${id}: largest difference ${worst.toExponential(1)}${isOfClasses ? `, same class on ${same} of ${test!.count}` : ''}${converterApart > 1e-3 ? ` (the file itself: ${converterApart.toExponential(1)})` : ''}; report: ${reported.toPrecision(4)}, library: ${score.toPrecision(4)}`,
    );
  }
  console.log(`${lines.join('\n')}\n${rows.length} runs to their report`);
  expect(lines.filter((line) => line.startsWith('WRONG'))).toEqual([]);
}, 1_800_000);
