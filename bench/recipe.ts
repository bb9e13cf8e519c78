/**
 * Time to a recipe's student, against the same recipe in PyTorch eager with the teacher asked at every step. One fresh process
 * a measurement, in turn; medians over the rounds.
 *
 *     npm run bench:recipe -- [--recipe recipes/fashion-mnist-small.yaml] [--share 0.1 | --full] [--rounds 3] [--json FILE]
 *
 * Times are of whole processes, from start to end: reading the data, opening the teacher, compiling, its answers, training,
 * validating after each epoch; ours with the export, its parity check and the test split on top, and with the score of the teacher on
 * validation and test, which has a column of its own, as PyTorch's side asks it about train alone. With --share, both sides
 * train one epoch on that share of train and validation; what grows with the data or the epochs is multiplied up, the rest
 * counts as it is. --full runs both to the end.
 */
import '../src/features.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bytesOf } from '../src/base/bytes.ts';
import { lossNumbers } from '../src/recipe/schema/loss.ts';
import { loadData } from '../src/setup/data.ts';
import { loadRunnable } from '../src/setup/runnable.ts';
import { viewsOf } from '../src/run/stages/teacher/answer.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { createSchedule } from '../src/train/optimizers/schedules.ts';
import { findPython, jsonOf, median, table } from './processes.ts';

const { values: options } = parseArgs({
  options: {
    recipe: { type: 'string', default: 'recipes/fashion-mnist-small.yaml' },
    share: { type: 'string', default: '0.1' },
    full: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    set: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    python: { type: 'string' },
  },
});

/** What is no part of the way to the student. */
const STUDENT_ALONE = ['baseline=false', 'repeats=1', 'prune=[]', 'export=[onnx]', 'report.latency.seconds=0'];
const common = [...options.set, ...STUDENT_ALONE, `threads=${options.threads}`];

const python = findPython(options.python);
if (python === undefined) {
  console.error('No Python with PyTorch: run `npm run test:conformance -- --setup` once, or name one with --python.');
  process.exit(1);
}

interface Job {
  readonly set: readonly string[];
  readonly recipe: Recipe;
  readonly data: Awaited<ReturnType<typeof loadData>>;
  readonly steps: number;
}

async function jobOf(set: readonly string[]): Promise<Job> {
  const { recipe } = await loadRunnable(options.recipe, set);
  const data = await loadData(recipe);
  const perEpoch = Math.ceil(data.train.count / recipe.distill.batchSize);
  return { set, recipe, data, steps: Math.max(1, Math.round(recipe.distill.epochs * perEpoch)) };
}

/** A tenth, say, of train and validation, in whole batches: a last, smaller one would be compiled once and counted often. */
function sampleOf({ recipe, data }: Job, share: number): Promise<Job> {
  const { batchSize } = recipe.distill;
  const limit = Math.max(1, Math.round((share * data.train.count) / batchSize)) * batchSize;
  const validation = Math.max(1, Math.round((data.validation.count * limit) / data.train.count));
  return jobOf([
    ...common,
    `dataset.limit=${limit}`,
    `dataset.validation=${validation}`,
    'distill.epochs=1',
    'distill.softTargets.views=1',
  ]);
}

/** What torch_recipe.py is told; throws for what it cannot do. */
function writeSpec({ recipe, data, steps }: Job, folder: string): string {
  const { dataset, teacher, student, distill } = recipe;
  const refuse = (what: string): never => {
    throw new Error(`this benchmark cannot give PyTorch ${what}`);
  };
  if (dataset.type !== 'idx') return refuse('data that is not IDX');
  if (teacher?.onnx === undefined || teacher.normalize !== undefined)
    return refuse('a teacher that is no plain ONNX file');
  if (student?.model !== 'ds-cnn') return refuse('a student that is no ds-cnn');
  if (distill.loss !== 'kd' && distill.loss !== 'kd-standardized') return refuse(`the loss ${distill.loss}`);
  const rows = (name: string, ids: Int32Array): string => {
    const file = path.join(folder, name);
    writeFileSync(file, bytesOf(ids));
    return file;
  };
  const perEpoch = Math.ceil(data.train.count / distill.batchSize);
  const schedule = createSchedule(distill.optimizer, { stepsPerEpoch: perEpoch, steps });
  const sizes = Object.fromEntries(Object.entries(student).filter(([key]) => key !== 'model'));
  const spec = {
    ...dataset.train,
    trainRows: rows('train.i32', data.train.ids),
    validationRows: rows('validation.i32', data.validation.ids),
    normalization: data.train.normalization,
    augment: dataset.augment,
    classes: data.classNames.length,
    teacher: teacher.onnx,
    student: { width: 1, depth: 2, strides: [2, 1, 2], ...sizes },
    loss: distill.loss,
    labelSmoothing: distill.labelSmoothing,
    ...lossNumbers(distill.loss, distill),
    optimizer: distill.optimizer,
    learningRates: Array.from({ length: steps }, (_, step) => schedule(step)),
    ema: distill.ema,
    batchSize: distill.batchSize,
    steps,
    seed: recipe.seed,
    threads: Number(options.threads),
  };
  const file = path.join(folder, 'spec.json');
  writeFileSync(file, JSON.stringify(spec));
  return file;
}

interface Times {
  /** Start and end: what does not grow with the data or the epochs. */
  readonly fixed: number;
  /** Scoring the teacher on validation and test. */
  readonly scored: number;
  readonly answers: number;
  readonly training: number;
  readonly validation: number;
}

async function timed<T>(work: Promise<unknown>): Promise<T & { wall: number }> {
  const start = performance.now();
  const found = (await work) as T;
  return { ...found, wall: (performance.now() - start) / 1000 };
}

const temporary = mkdtempSync(path.join(tmpdir(), 'limbeck-bench-'));
try {
  const whole = await jobOf(common);
  const job = options.full ? whole : await sampleOf(whole, Number(options.share));
  const spec = writeSpec(job, temporary);
  const more = job.steps === whole.steps ? 1 : whole.steps / job.steps;
  const asked = ({ recipe, data }: Job): number => viewsOf(recipe) * data.train.count;
  const moreAnswers = asked(whole) / asked(job);
  const scoredOn = ({ data }: Job): number => data.validation.count + (data.test?.count ?? 0);
  const moreScored = scoredOn(whole) / scoredOn(job);

  interface Check {
    teacherError: number;
    teacherAccuracy: number;
    parameters: number;
    layout: string;
  }
  const check = (await jsonOf(python, ['bench/torch_recipe.py', spec, '--check'])) as unknown as Check;
  if (!(check.teacherError < 1e-2)) throw new Error(`the teacher in PyTorch is off by ${check.teacherError}`);

  const ours = async (round: number): Promise<Times> => {
    type Found = {
      answersSeconds: number;
      trainSeconds: number;
      measuredSeconds: number;
      validation: number;
      parameters: number;
    };
    const child = path.join(import.meta.dirname, 'recipe-child.js');
    const args = [child, options.recipe, path.join(temporary, `run${round}`), ...job.set];
    const found = await timed<Found>(jsonOf(process.execPath, args));
    if (found.parameters !== check.parameters)
      throw new Error(`the students differ: ${found.parameters} parameters here, ${check.parameters} in PyTorch`);
    const { wall, answersSeconds: answers, trainSeconds: training, measuredSeconds: scored, validation } = found;
    const fixed = wall - answers - training - scored;
    return {
      fixed,
      scored: scored * moreScored,
      answers: answers * moreAnswers,
      training: training * more,
      validation,
    };
  };
  const peer = async (): Promise<Times> => {
    const args = ['bench/torch_recipe.py', spec, '--layout', check.layout];
    const found = await timed<{ trainSeconds: number; validation: number }>(jsonOf(python, args));
    const { wall, trainSeconds, validation } = found;
    return { fixed: wall - trainSeconds, scored: 0, answers: 0, training: trainSeconds * more, validation };
  };
  const total = ({ fixed, scored, answers, training }: Times): number => fixed + scored + answers + training;

  const [mine, theirs]: [Times[], Times[]] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    mine.push(await ours(round));
    theirs.push(await peer());
  }
  const kind = options.full ? 'both run to the end' : `${job.steps} of ${whole.steps} steps run, the rest extrapolated`;
  console.log(
    `${options.recipe}: ${kind}; ${options.threads} threads, ${cpus()[0]?.model ?? 'unknown CPU'}; seconds\n`,
  );
  const row = (name: string, times: readonly Times[]): string[] => [
    name,
    ...(['fixed', 'scored', 'answers', 'training'] as const).map((key) =>
      median(times.map((one) => one[key])).toFixed(1),
    ),
    median(times.map(total)).toFixed(1),
    `${(100 * median(times.map(({ validation }) => validation))).toFixed(2)} %`,
  ];
  const head = ['side', 'start and end', 'teacher scored', 'teacher beforehand', 'training', 'in all', 'validation'];
  console.log(table(head, [row('Limbeck', mine), row(`PyTorch (${check.layout})`, theirs)]));
  // Round by round, so that a slow minute of the machine hits both sides.
  const ratio = median(mine.map((one, i) => total(one) / total(theirs[i]!)));
  console.log(`\nours / PyTorch: ${ratio.toFixed(3)}`);
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ ratio, ours: mine, pytorch: theirs, check }, null, 2)}\n`);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
