import path from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { RunEvent } from '../../src/base/events.ts';
import { parseReport } from '../../src/report/read.ts';
import { runRecipe } from '../../src/run/run.ts';
import { sourcesOf } from '../../src/serve/sources.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { SHORT_RUN } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';

const folder = temporaryFolder();

it('a teacher that is no better than the twin is named with what to try, and files of a worse student name the better one', async () => {
  const recipe = {
    ...SHORT_RUN,
    teacher: { train: { model: 'mlp', hidden: [2], epochs: 2, batchSize: 64 } },
    distill: { epochs: 4, batchSize: 32, alpha: 1, temperature: 1 },
  };
  const events: RunEvent[] = [];
  const out = path.join(folder(), 'checkpoints');
  const { report } = await runRecipe(makeRecipe(recipe, folder()), { out, onEvent: (event) => events.push(event) });
  const [teacher, twin] = ['teacher', 'scratch'].map((id) => report.models.find((row) => row.id === id)!);
  const percent = (row = teacher!): string => `${(100 * row.score.validation!).toFixed(2)} %`;
  const said =
    `the teacher is no better on the validation split (accuracy ${percent()}) than the student trained without it (${percent(twin)}), which has little ` +
    'to learn from it: try a teacher that is better on these data, or a smaller distill.alpha, with which the labels weigh more';
  expect(report.notes).toContain(said);
  expect(events).toContainEqual({ type: 'warning', message: said });

  const better = /^warning: The student trained without the teacher is \d+\.\d points more accurate than the distilled one, .*: exports\/scratch\.onnx is the better file; take it with --model scratch\n/; // prettier-ignore
  const plain = (...args: readonly string[]) => inProcess(folder(), ...args);
  await writeFile(path.join(folder(), 'recipe.yaml'), stringify(recipe));
  expect((await plain('export', 'r', '--to', 'a.onnx')).stdout).toMatch(better);
  expect((await plain('export', 'r', '--to', 'b.onnx', '--model', 'scratch')).stdout).not.toContain('warning');

  const heard: string[] = [];
  const serve = (name: string) => sourcesOf([name], out, (message) => heard.push(message));
  expect((await serve('r')).named).toHaveLength(1);
  expect(heard).toEqual([expect.stringMatching(/exports\/scratch\.onnx is the better file; serve it with r:scratch$/)]);
  await serve('r:scratch');
  expect(heard).toHaveLength(1);
  const file = path.join(out, 'r/report.json');
  expect(parseReport(await readFile(file, 'utf8'))).toEqual(report);
});
