/**
 * Test accuracy of students by each loss, for pairs of teacher and student, in the manner of the tables of RepDistiller (Tian et al. 2020,
 * "Contrastive representation distillation"):
 *
 *     npm run bench:pairs -- [--data fashion-mnist | cifar100] [--pairs NAME,NAME] [--losses alone,kd,…] [--repeats 3] [--epochs 15]
 *         [--samples 10000] [--threads 0] [--out checkpoints/pairs] [--results bench/pairs/results.json] [--only-table]
 *
 * Each figure is the mean over the repeats with half of its 95 % interval by Student's t; a student and its twin of one repeat begin from the
 * same weights. A teacher is trained once for all students of its pair. Every finished figure is kept in the results, and a training that was
 * stopped goes on where it was, so the program can be ended and started again at any time. Of the test split each figure takes one
 * look; nothing is chosen by it. The settings are the same for all losses, and each loss has its default numbers: no loss was tuned.
 */
import '../src/features.ts';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../src/base/errors.ts';
import { deviation, mean, tQuantile } from '../src/base/math/statistics.ts';
import { LOSSES, NEEDS_PEER, NEEDS_STRONG } from '../src/recipe/schema/loss.ts';
import type { LossName } from '../src/recipe/schema/loss.ts';
import { isLossFor } from '../src/recipe/task.ts';
import type { Repeats } from '../src/report/types.ts';
import { runRecipe } from '../src/run/run.ts';
import { makeRecipe } from '../src/setup/make-recipe.ts';
import { DATA } from './pairs/data.ts';
import type { Pair } from './pairs/data.ts';
import { table } from './processes.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'fashion-mnist' },
    pairs: { type: 'string' },
    losses: { type: 'string' },
    repeats: { type: 'string', default: '3' },
    epochs: { type: 'string' },
    samples: { type: 'string', default: '10000' },
    threads: { type: 'string', default: '0' },
    out: { type: 'string', default: 'checkpoints/pairs' },
    results: { type: 'string', default: 'bench/pairs/results.json' },
    'only-table': { type: 'boolean', default: false },
  },
});

/** A student without a teacher. */
const ALONE = 'alone';
/** Most epochs whose views a teacher answers beforehand: of more, its answers would take too much room. */
const MOST_VIEWS = 30;

interface Figure {
  readonly teacher: number | null;
  readonly student: Pick<Repeats, 'scores' | 'mean' | 'interval'>;
}

const set =
  DATA[values.data] ?? fail(`--data: expected one of ${Object.keys(DATA).join(', ')}, received ${values.data}`);
const known = Object.keys(LOSSES).filter((loss) => isLossFor(loss as LossName, 'classification'));
const pairs = chosen('pairs', values.pairs, Object.keys(set.pairs));
const losses = chosen('losses', values.losses, [ALONE, ...known]);
const [repeats, epochs] = [Number(values.repeats), Number(values.epochs ?? set.epochs)];
if (!(repeats >= 2)) fail(`--repeats: expected at least 2, for an interval, received ${values.repeats}`);
for (const file of set.files) if (!existsSync(file)) fail(`${file} is not there: ${set.source}`);

/** Figures of other settings are others. */
const setting = `${values.data} ${set.samples ?? values.samples} ${epochs} ${repeats} a view for each epoch`;
const file = values.results;
const results = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Figure>) : {};
const keyOf = (pair: string, loss: string): string => `${setting} ${pair} ${loss}`;

if (!values['only-table'])
  for (const pair of pairs)
    for (const loss of losses) {
      if (results[keyOf(pair, loss)] !== undefined) continue;
      results[keyOf(pair, loss)] = await figureOf(pair, loss);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(`${file}.half`, `${JSON.stringify(results, null, 2)}\n`);
      renameSync(`${file}.half`, file);
      console.error(`${pair}, ${loss}: ${said(results[keyOf(pair, loss)])}`);
    }
print();

async function figureOf(pair: string, loss: string): Promise<Figure> {
  const recipe = recipeOf(pair, set.pairs[pair]!, loss);
  const loaded = makeRecipe(recipe, '.');
  const options = { out: values.out } as const;
  // The folder of a pair keeps the teacher; in it a run of this loss goes on, and one of another loss is replaced.
  const isBegun = existsSync(path.join(values.out, recipe.name, 'recipe.json'));
  const begun = await runRecipe(loaded, options).catch((error: unknown) => {
    if (!(error instanceof UserError) || !isBegun) throw error;
    return runRecipe(loaded, { ...options, existing: 'fresh' });
  });
  const row = (id: string) => begun.report.models.find((model) => model.id === id);
  const student = row(loss === ALONE ? 'scratch' : 'distilled')?.repeats;
  if (student === undefined) throw new Error(`${pair}, ${loss}: the report has no repeats of the student`);
  const { scores, mean: score, interval } = student;
  return { teacher: row('teacher')?.score.test ?? null, student: { scores, mean: score, interval } };
}

function recipeOf(name: string, { teacher, student, features }: Pair, loss: string) {
  const row = loss === ALONE ? undefined : LOSSES[loss as LossName];
  const takes = (key: string): boolean => row !== undefined && key in row.options;
  const hasTeacher = row !== undefined && !NEEDS_PEER.has(loss);
  // The teacher answers to each epoch's view, as the twin sees one: labels with more views would win. Answers to so few are stored.
  const isLive = takes('features') || NEEDS_STRONG.has(loss) || epochs > MOST_VIEWS;
  const training = { ...set.training, epochs };
  // A loss of one layer compares the last pair of pictures; those that compare several take all.
  const compared = ['attention', 'reviewkd'].includes(loss) ? features : features.slice(-1);
  return {
    name: `${values.data}-${name}`,
    dataset: { ...set.dataset, ...(set.samples === undefined && { limit: Number(values.samples) }) },
    ...(hasTeacher && { teacher: { train: { ...teacher, ...training } } }),
    student,
    baseline: loss === ALONE,
    distill: {
      ...training,
      ...(row !== undefined && { loss }),
      ...(takes('features') && { features: compared.map(([own, other]) => ({ student: own, teacher: other })) }),
      ...(hasTeacher && { softTargets: isLive ? { store: 'live' } : { views: epochs } }),
      ...(NEEDS_STRONG.has(loss) && { strong: set.strong }),
    },
    repeats,
    threads: Number(values.threads),
    report: { latency: { seconds: 0 } },
  };
}

function said(figure: Figure | undefined): string {
  if (figure === undefined) return '';
  const { mean: score, interval } = figure.student;
  return `${(100 * score).toFixed(2)} ± ${(50 * (interval[1] - interval[0])).toFixed(2)}`;
}

function print(): void {
  const teacher = pairs.map((pair) => {
    const scores = losses.flatMap((loss) => results[keyOf(pair, loss)]?.teacher ?? []);
    return scores.length === 0 ? '' : (100 * scores[0]!).toFixed(2);
  });
  console.log(
    `${set.title}, ${set.samples ?? `${Number(values.samples).toLocaleString('en')} training pictures`}, ${epochs} epochs; test accuracy in %, ` +
      `mean of ${repeats} and half of its 95 % interval\n`,
  );
  const rows = losses.map((loss) => [loss, ...pairs.map((pair) => said(results[keyOf(pair, loss)]))]);
  console.log(table(['loss', ...pairs], [['teacher', ...teacher], ...rows]));
  printGains();
}

/** Gains over the twin that began from the same weights: of each pair over the repeats, and of all pairs that have the loss over the pairs. */
function printGains(): void {
  const rows = losses.flatMap((loss) => {
    if (loss === ALONE) return [];
    const gains = pairs.map((pair) => gainsOf(pair, loss));
    const means = gains.flatMap((of) => (of === undefined ? [] : [mean(of)]));
    return [[loss, ...gains.map(withInterval), means.length < 2 ? '' : withInterval(means)]];
  });
  console.log('\nPoints over the twin that began from the same weights, mean and half of its 95 % interval\n');
  console.log(table(['loss', ...pairs, 'over the pairs'], rows));
}

function gainsOf(pair: string, loss: string): number[] | undefined {
  const [own, alone] = [loss, ALONE].map((one) => results[keyOf(pair, one)]?.student.scores);
  return own && alone && own.map((score, i) => 100 * (score - alone[i]!));
}

function withInterval(values: readonly number[] | undefined): string {
  if (values === undefined) return '';
  const half = (tQuantile(values.length - 1) * deviation(values, values.length - 1)) / Math.sqrt(values.length);
  return `${signed(mean(values))} ± ${half.toFixed(2)}`;
}

function signed(points: number): string {
  return `${points < 0 ? '' : '+'}${points.toFixed(2)}`;
}

function chosen(option: string, given: string | undefined, all: readonly string[]): readonly string[] {
  const names = given?.split(',') ?? all;
  for (const name of names)
    if (!all.includes(name)) fail(`--${option}: expected some of ${all.join(', ')}, received ${name}`);
  return names;
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
