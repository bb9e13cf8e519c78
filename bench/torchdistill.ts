/**
 * One pair of teacher and student, distilled by Limbeck and by torchdistill (Matsubara 2021) on one schedule, with three losses:
 *
 *     npm run bench:torchdistill -- --python PYTHON [--losses kd,attention,sp] [--repeats 3] [--epochs 10] [--samples 10000] [--threads 1]
 *         [--out checkpoints/torchdistill]
 *
 * PYTHON has bench/torchdistill/requirements.txt. The teacher is trained in PyTorch, and Limbeck reads it as ONNX with its inner tensors.
 * The same samples, optimizer, learning rates, epochs, numbers of the losses and choice of the epoch by validation; initial weights are
 * drawn by each side in the same way. Times are those of training and validation, with what asking the teacher beforehand takes. Every
 * finished training is kept in results.json of a folder of its samples, epochs and threads in OUT, beside the teacher that it has learnt
 * from. `sp` is not quite the same loss: torchdistill divides the rows of the similarity matrices by the sum of their values, the paper and
 * its authors' code by their length.
 */
import '../src/features.ts';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bytesOf } from '../src/base/bytes.ts';
import { deviation, mean, median, tQuantile } from '../src/base/math/statistics.ts';
import type { LedgerRow } from '../src/folder/states/ledger.ts';
import { lossNumbers } from '../src/recipe/schema/loss.ts';
import type { LossName } from '../src/recipe/schema/loss.ts';
import { runRecipe } from '../src/run/run.ts';
import { loadData } from '../src/setup/data.ts';
import { makeRecipe } from '../src/setup/make-recipe.ts';
import { findPython, jsonOf, table } from './processes.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    losses: { type: 'string', default: 'kd,attention,sp' },
    repeats: { type: 'string', default: '3' },
    epochs: { type: 'string', default: '10' },
    samples: { type: 'string', default: '10000' },
    threads: { type: 'string', default: '1' },
    out: { type: 'string', default: 'checkpoints/torchdistill' },
  },
});

/** Stages of the nets that a loss compares. */
const STAGES: Readonly<Record<string, readonly number[]>> = { kd: [], attention: [1, 2, 3], sp: [3] };
const [EPOCHS, THREADS, SAMPLES, REPEATS] = [values.epochs, values.threads, values.samples, values.repeats].map(Number) as [number, number, number, number]; // prettier-ignore
const TEACHER = { depth: 20, width: 1, strides: [2, 1, 2, 2] };
const STUDENT = { depth: 8, width: 0.5, strides: [2, 1, 2, 2] };
const SGD = { lr: 0.05, momentum: 0.9, weight_decay: 0.0005 };
const BATCH = 128;

const losses = values.losses.split(',');
const wrong = losses.find((loss) => STAGES[loss] === undefined);
if (wrong !== undefined)
  throw new Error(`--losses: expected some of ${Object.keys(STAGES).join(', ')}, received ${wrong}`);
const python = findPython(values.python, []);
if (python === undefined) throw new Error('--python: name one with bench/torchdistill/requirements.txt');

interface Side {
  readonly test: number;
  readonly seconds: number;
  readonly parameters: number;
}
type Round = Readonly<Record<'ours' | 'theirs', Side>>;

/** A teacher is of so many samples and epochs, and a time of so many threads. */
const out = path.join(values.out, `${SAMPLES}-samples-${EPOCHS}-epochs-${THREADS}-threads`);
mkdirSync(out, { recursive: true });
const file = path.join(out, 'results.json');
const results = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Round>) : {};
const keyOf = (loss: string, seed: number): string => `${loss}, seed ${seed}`;

const split = (name: string) => ({
  images: `datasets/fashion-mnist/${name}-images-idx3-ubyte.gz`,
  labels: `datasets/fashion-mnist/${name}-labels-idx1-ubyte.gz`,
});

function recipeOf(loss: string, seed: number) {
  const features = STAGES[loss]!.map((stage) => ({ student: `stage${stage}_block1_out`, teacher: `stage${stage}` }));
  return makeRecipe({
    name: `${loss}-${seed}`,
    seed,
    dataset: { type: 'idx', train: split('train'), test: split('t10k'), limit: SAMPLES },
    teacher: {
      onnx: path.join(out, 'teacher.onnx'),
      output: 'logits',
      ...(features.length > 0 && { intermediate: features.map(({ teacher }) => teacher) }),
    },
    student: { model: 'resnet', ...STUDENT },
    baseline: false,
    distill: {
      loss,
      ...(features.length > 0 && { features, softTargets: { store: 'live' } }),
      epochs: EPOCHS,
      batchSize: BATCH,
      optimizer: {
        type: 'momentum',
        learningRate: SGD.lr,
        momentum: SGD.momentum,
        weightDecay: SGD.weight_decay,
        decay: 'all',
      },
    },
    threads: THREADS,
    report: { latency: { seconds: 0 } },
  });
}

async function writeSpec(): Promise<string> {
  const data = await loadData(recipeOf('kd', 1).recipe);
  const rows = Object.fromEntries(
    (['train', 'validation', 'test'] as const).map((name) => {
      const to = path.join(out, `${name}.i32`);
      writeFileSync(to, bytesOf(data[name]!.ids));
      return [name, to];
    }),
  );
  const numbers = losses.map((loss) => [
    loss,
    { ...lossNumbers(loss as LossName), stages: STAGES[loss]!.map((stage) => `stage${stage}`) },
  ]);
  const spec = {
    folder: out,
    files: { train: split('train'), validation: split('train'), test: split('t10k') },
    rows,
    normalization: data.train.normalization,
    classes: data.classNames.length,
    teacher: TEACHER,
    student: STUDENT,
    losses: Object.fromEntries(numbers) as object,
    sgd: SGD,
    batchSize: BATCH,
    epochs: EPOCHS,
    teacherEpochs: EPOCHS,
    threads: THREADS,
  };
  const to = path.join(out, 'spec.json');
  writeFileSync(to, JSON.stringify(spec));
  return to;
}

async function ours(loss: string, seed: number): Promise<Side> {
  const { folder, report } = await runRecipe(recipeOf(loss, seed), { out, existing: 'fresh' });
  const { rows } = JSON.parse(readFileSync(path.join(folder, 'ledger.json'), 'utf8')) as { rows: LedgerRow[] };
  const seconds = rows
    .filter(({ stage }) => stage === 'distill' || stage === 'answers')
    .reduce((sum, row) => sum + (row.seconds ?? 0), 0);
  const student = report.models.find(({ id }) => id === 'distilled')!;
  return { test: student.score.test!, seconds, parameters: student.params };
}

const spec = await writeSpec();
const script = 'bench/torchdistill/pair.py';
const teacherFile = path.join(out, 'teacher.json');
if (!existsSync(teacherFile))
  writeFileSync(teacherFile, JSON.stringify(await jsonOf(python, [script, spec, 'teacher'])));
const teacher = JSON.parse(readFileSync(teacherFile, 'utf8')) as { test: number };
for (const loss of losses)
  for (let seed = 1; seed <= REPEATS; seed++) {
    if (results[keyOf(loss, seed)] !== undefined) continue;
    const round: Round = {
      ours: await ours(loss, seed),
      theirs: (await jsonOf(python, [script, spec, loss, String(seed)])) as unknown as Side,
    };
    if (round.ours.parameters !== round.theirs.parameters)
      throw new Error(
        `the students differ: ${round.ours.parameters} parameters here, ${round.theirs.parameters} in PyTorch`,
      );
    results[keyOf(loss, seed)] = round;
    writeFileSync(`${file}.half`, `${JSON.stringify(results, null, 2)}\n`);
    renameSync(`${file}.half`, file);
  }

/** Difference of the means with half of its 95 % interval, by Student's t with the pooled deviation. */
function difference(a: readonly number[], b: readonly number[]): string {
  const degrees = a.length + b.length - 2;
  const pooled = Math.sqrt((deviation(a) ** 2 * a.length + deviation(b) ** 2 * b.length) / degrees);
  const half = tQuantile(degrees) * pooled * Math.sqrt(1 / a.length + 1 / b.length);
  return `${(100 * (mean(a) - mean(b))).toFixed(2)} ± ${(100 * half).toFixed(2)}`;
}

const percent = (shares: readonly number[]): string => (100 * mean(shares)).toFixed(2);
console.log(
  `Fashion-MNIST, ${SAMPLES} training pictures, ${EPOCHS} epochs, ${REPEATS} seeds, ${THREADS} threads, ${cpus()[0]?.model ?? 'unknown CPU'}; ` +
    `test accuracy in %, teacher ${(100 * teacher.test).toFixed(2)}\n`,
);
const rows = losses.map((loss) => {
  const rounds = Array.from({ length: REPEATS }, (_, i) => results[keyOf(loss, i + 1)]!);
  const of = (side: 'ours' | 'theirs', key: 'test' | 'seconds'): number[] => rounds.map((round) => round[side][key]);
  const [a, b] = [of('ours', 'test'), of('theirs', 'test')];
  const ratio = median(rounds.map((round) => round.ours.seconds / round.theirs.seconds));
  return [loss, percent(a), percent(b), REPEATS > 1 ? difference(a, b) : '', ratio.toFixed(3)];
});
console.log(table(['loss', 'Limbeck', 'torchdistill', 'difference', 'time, ours / theirs'], rows));
