import { mkdtempSync, readFileSync, rmSync, existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deviation, mean } from '../../src/base/math/statistics.ts';
import { runRecipe } from '../../src/run/run.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { runPython } from './python.ts';
import { firstSteps, recipeOf, SEEN, writeTraining } from './zoo-tuning.ts';
import type { Prepared } from './zoo-tuning.ts';

/** Folder that keeps what is written and trained, so that a test that was ended goes on; without it all is made anew. */
const KEPT = process.env['ZOO_FIRST_STEPS'];
/** Heads, each with an order of the samples of its own. */
const SEEDS = Number(process.env['ZOO_SEEDS'] ?? 5);
/** Pictures that are trained on: few, so that many heads are tried. */
const TRAIN = 800;

let folder = '';
let given: Prepared = { mean: 0, std: 1 };

beforeAll(() => {
  useLazyBackend(evaluator);
  folder = KEPT ?? mkdtempSync(path.join(tmpdir(), 'conformance-'));
  const stored = path.join(folder, 'given.json');
  if (existsSync(stored)) given = JSON.parse(readFileSync(stored, 'utf8')) as Prepared;
  else given = runPython('zoo_pretrained.py', folder, 'write', `${TRAIN}`) as Prepared;
  writeFileSync(stored, JSON.stringify(given));
}, 300_000);
afterAll(() => {
  if (KEPT === undefined) rmSync(folder, { recursive: true, force: true });
});

interface Rounded {
  readonly losses: readonly number[];
  readonly gradient: number;
  readonly ways: readonly number[];
  readonly statistics: readonly number[];
}

it('the first steps of a fine-tuning are those of PyTorch, as near as its own float32 comes', async () => {
  const loaded = recipeOf(folder, given, {});
  await writeTraining(loaded, folder);
  const exact = runPython('zoo_pretrained.py', folder, 'steps') as {
    readonly losses: readonly number[];
    readonly float32: Rounded;
  };
  const ours = await firstSteps(loaded, folder);
  const { float32 } = exact;
  const offBy = (losses: readonly number[], at: number): number => Math.abs(losses[at]! / exact.losses[at]! - 1);
  const shown = (value: number): string => value.toExponential(1);
  const row = (name: string, pairs: readonly (readonly [number, number])[]): string =>
    `| ${name} | ${pairs.flat().map(shown).join(' | ')} |`;
  const rows = SEEN.map((step, i) =>
    row(`${step}, loss ${exact.losses[step - 1]!.toFixed(4)}`, [
      [offBy(ours.losses, step - 1), offBy(float32.losses, step - 1)],
      [ours.ways[i]!, float32.ways[i]!],
      [ours.statistics[i]!, float32.statistics[i]!],
    ]),
  );
  console.log(
    ['| step | loss | float32 | weights | float32 | statistics | float32 |', '| --- | --- | --- | --- | --- | --- | --- |', ...rows, `gradient of the first step ${shown(ours.gradient)}, PyTorch's float32 ${shown(float32.gradient)}; ${ours.compared} tensors`].join('\n'), // prettier-ignore
  );
  expect(ours.compared).toBeGreaterThan(200);
  expect(ours.gradient).toBeLessThan(Math.max(1e-4, 3 * float32.gradient));
  expect(offBy(ours.losses, 0)).toBeLessThan(1e-5);
  // Weights that did not move are off by 1, those that went as far in a direction of their own by the root of 2: three times float32's is more by then.
  for (const i of SEEN.keys()) expect(ours.ways[i]!).toBeLessThan(Math.min(1, Math.max(1e-3, 3 * float32.ways[i]!)));
}, 600_000);

it('fine-tuned heads are as often right as those of PyTorch, but for chance', async () => {
  const names = Array.from({ length: SEEDS }, (_, i) => `seed-${i + 1}`);
  const cache = path.join(folder, 'seeds.json');
  const known = (existsSync(cache) ? JSON.parse(readFileSync(cache, 'utf8')) : {}) as Record<string, Scored>;
  for (const [i, name] of names.entries()) {
    if (known[name] !== undefined) continue;
    const loaded = recipeOf(folder, given, {}, { seed: i + 1, name });
    await writeTraining(loaded, path.join(folder, `${name}-lessons`));
    const [theirs] = runPython('zoo_pretrained.py', folder, 'seeds', `${name}-lessons`) as [Omit<Scored, 'ours'>];
    const { report } = await runRecipe(loaded, { out: folder });
    known[name] = { ours: report.models[0]!.score.test!, ...theirs };
    writeFileSync(cache, JSON.stringify(known));
  }
  const all = names.map((name) => known[name]!);
  const percent = (value: number): string => (100 * value).toFixed(2);
  const summary = (values: readonly number[]) => ({
    mean: mean(values),
    deviation: deviation(values, values.length - 1),
  });
  const differences = summary(all.map(({ ours, right }) => ours - right));
  const again = summary(all.map(({ right, again: other }) => other - right));
  const columns = ['ours', 'right', 'again', 'biased'] as const;
  const means = columns.map((key) => summary(all.map((one) => one[key])));
  const shown = (of: { readonly mean: number; readonly deviation: number }): string =>
    `${percent(of.mean)} ± ${percent(of.deviation)}`;
  console.log(
    [
      '| head | Limbeck | PyTorch | PyTorch, batches reversed | PyTorch, biased variance |',
      '| --- | --- | --- | --- | --- |',
      ...all.map((one, i) => `| ${i + 1} | ${columns.map((key) => percent(one[key])).join(' | ')} |`),
      `| mean ± deviation | ${means.map(shown).join(' | ')} |`,
      `Limbeck less PyTorch ${shown(differences)}, reversed less PyTorch ${shown(again)}`,
    ].join('\n'),
  );
  const error = differences.deviation / Math.sqrt(all.length);
  expect(Math.abs(differences.mean)).toBeLessThan(Math.max(0.01, 3 * error));
}, 7_200_000);

interface Scored {
  readonly ours: number;
  /** PyTorch's, and with running variances as ONNX defines them. */
  readonly right: number;
  readonly biased: number;
  /** PyTorch's with the samples of each batch in reversed order: other rounding, and nothing else. */
  readonly again: number;
}
