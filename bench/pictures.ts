/**
 * From JPEG files to a validated student, beside PyTorch: `npm run bench:pictures -- [--pictures 8000] [--epochs 4] [--rounds 1]
 * [--precision fp32,int8] [--teacher resnet18] [--teacher-steps 150] [--only limbeck] [--folder FOLDER] [--set KEY=VALUE]`, after
 * `npm run test:conformance:zoo -- --setup`. With two precisions ours runs once with a teacher in each.
 *
 * The pictures are made here: ten kinds of texture, each of a dark and a bright colour, with random places, sizes, angles and noise, of 240 to 360
 * pixels, such that some hundred steps tell them apart; a fifth is for validation. The student is mobilenet-v2 0.35 at 160 pixels; the teacher is one
 * of torchvision's nets, read from ONNX, which PyTorch trains a little first: there are no published weights here, and its answers cost the same time
 * with any. Both sides crop at random, mirror, take the same loss, optimizer and learning rates, and score the student on the validation split after
 * each epoch. Each side is one process from its start to its end. Limbeck asks the teacher about `--views` views of each picture beforehand (at most
 * 4, as recipes do), PyTorch at every step. With --folder the pictures and the teacher are kept there for the next call. Memory is the largest sum
 * over the processes of a side, each page counted once.
 */
import '../src/features.ts';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { RandomStream } from '../src/base/random.ts';
import { makeRecipe } from '../src/setup/make-recipe.ts';
import { createSchedule } from '../src/train/optimizers/schedules.ts';
import { findPython, jsonOf, median, table } from './processes.ts';

const { values } = parseArgs({
  options: {
    pictures: { type: 'string', default: '8000' },
    epochs: { type: 'string', default: '4' },
    views: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    teacher: { type: 'string', default: 'resnet18' },
    'teacher-steps': { type: 'string', default: '150' },
    precision: { type: 'string', default: 'fp32' },
    only: { type: 'string' },
    folder: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    python: { type: 'string' },
  },
});
const [SIZE, ALPHA, BATCH, SHARE, TEMPERATURE] = [160, 0.35, 32, 0.9, 4];
const AREA = [0.25, 1] as const;

type Texture = (u: number, v: number) => number;
const { sin, cos, floor, hypot, sign, abs, max } = Math;
/** Kinds of texture, about -1 to 1, of period 2π. */
const TEXTURES: Readonly<Record<string, Texture>> = {
  stripes: (u) => sin(u),
  checks: (u, v) => sign(sin(u) * sin(v)),
  rings: (u, v) => sin(hypot(u, v)),
  dots: (u, v) => (sin(u) * sin(v) > 0.55 ? 1 : -1),
  waves: (u, v) => sin(u + 2 * sin(v)),
  bricks: (u, v) => (abs(sin(v)) < 0.25 || abs(sin(u / 2 + (floor(v / Math.PI) % 2) * 1.57)) < 0.15 ? -1 : 1),
  cells: (u, v) => (sin(u) + sin(u / 2 + 0.87 * v) + sin(u / 2 - 0.87 * v)) / 2,
  rays: (u, v) => sin(9 * Math.atan2(v, u)),
  grid: (u, v) => (max(abs(sin(u)), abs(sin(v))) > 0.95 ? 1 : -1),
  spots: (u, v) => sin(u) * cos(1.3 * v + sin(u / 3)) + 0.5 * sin(2.1 * v),
};

async function write(folder: string, pictures: number): Promise<void> {
  const names = Object.keys(TEXTURES);
  for (const split of ['train', 'validation'])
    for (const name of names) mkdirSync(path.join(folder, split, name), { recursive: true });
  const random = new RandomStream('pictures');
  const between = (a: number, b: number): number => a + (b - a) * random.uniform();
  for (let i = 0; i < pictures; i++) {
    const name = names[i % names.length]!;
    const [width, height] = [Math.round(between(120, 180)), Math.round(between(120, 180))];
    const [angle, scale] = [between(0, 0.5), between(0.2, 0.3)];
    const [x0, y0] = [between(0.3, 0.7) * width, between(0.3, 0.7) * height];
    const [low, high] = [0, 165].map((least) => [0, 1, 2].map(() => between(least, least + 90))) as [
      number[],
      number[],
    ];
    const noise = between(10, 60);
    const pixels = new Uint8ClampedArray(width * height * 3);
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [dx, dy] = [scale * (x - x0), scale * (y - y0)];
        const value = TEXTURES[name]!(cos(angle) * dx - sin(angle) * dy, sin(angle) * dx + cos(angle) * dy);
        const grain = noise * (random.uniform() - 0.5);
        for (let c = 0; c < 3; c++, to++) pixels[to] = low[c]! + ((value + 1) / 2) * (high[c]! - low[c]!) + grain;
      }
    const file = path.join(folder, i % (5 * names.length) < names.length ? 'validation' : 'train', name, `${i}.jpg`);
    const large = sharp(pixels, { raw: { width, height, channels: 3 } }).resize(2 * width, 2 * height, {
      kernel: 'cubic',
    });
    await large.jpeg({ quality: 90 }).toFile(file);
  }
}

/** Largest sum of the memory of a process and of its children, in bytes, each shared page divided among those that have it; 0 without /proc. */
function watched(): { readonly stop: () => number } {
  let most = 0;
  const childrenOf = (id: string): string[] => {
    try {
      return readdirSync(`/proc/${id}/task`).flatMap((task) =>
        readFileSync(`/proc/${id}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
      );
    } catch {
      return [];
    }
  };
  const all = (id: string): string[] => [id, ...childrenOf(id).flatMap(all)];
  const taken = (id: string): number => {
    try {
      return 1024 * Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  };
  const look = (): void => {
    const sum = childrenOf(String(process.pid))
      .flatMap(all)
      .reduce((bytes, id) => bytes + taken(id), 0);
    most = max(most, sum);
  };
  const timer = setInterval(look, 500);
  return { stop: () => (clearInterval(timer), most) };
}

interface Side {
  readonly wall: number;
  readonly cpuSeconds: number;
  readonly peak: number;
  readonly validation: number;
  readonly parameters: number;
  /** Pictures a second. */
  readonly decode: number;
  readonly label: number;
  readonly train: number;
  readonly validate: number;
}

async function timed<T>(work: () => Promise<unknown>): Promise<T & { wall: number; peak: number }> {
  const memory = watched();
  const start = performance.now();
  const found = (await work()) as T;
  return { ...found, wall: (performance.now() - start) / 1000, peak: memory.stop() };
}

const python = findPython(values.python, ['.venv/zoo/bin/python']);
if (python === undefined) throw new Error('no Python with torchvision: run `npm run test:conformance:zoo -- --setup`');
const temporary = mkdtempSync(path.join(tmpdir(), 'limbeck-bench-'));
const folder = path.resolve(values.folder ?? temporary);
try {
  const [pictures, epochs] = [Number(values.pictures), Number(values.epochs)];
  const views = Number(values.views ?? Math.min(4, epochs));
  const made = path.join(folder, `pictures-${pictures}`);
  if (!existsSync(made)) await write(made, pictures);
  const countOf = (split: string): number =>
    readdirSync(path.join(made, split)).reduce(
      (sum, name) => sum + readdirSync(path.join(made, split, name)).length,
      0,
    );
  const [trained, validated] = [countOf('train'), countOf('validation')];
  const [onnx, weights] = ['onnx', 'pt'].map((kind) => path.join(folder, `${values.teacher}-${pictures}.${kind}`));
  const recipeOf = (precision: string) => ({
    name: 'pictures',
    seed: 1,
    baseline: false,
    threads: Number(values.threads),
    dataset: {
      type: 'image-folder',
      train: path.join(made, 'train'),
      validation: path.join(made, 'validation'),
      resize: [SIZE, SIZE],
      channels: 3,
      normalize: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
      augment: [{ resizedCrop: { area: AREA } }, { flip: 'horizontal' }],
    },
    teacher: { onnx: onnx!, classes: Object.keys(TEXTURES).sort(), precision },
    student: { model: 'mobilenet-v2', alpha: ALPHA },
    distill: {
      loss: 'kd',
      alpha: SHARE,
      temperature: TEMPERATURE,
      epochs,
      batchSize: BATCH,
      optimizer: { type: 'adamw', learningRate: 0.002, schedule: 'cosine', weightDecay: 0.01, decay: 'all' },
      softTargets: { views },
    },
    export: ['onnx'],
    report: { latency: { seconds: 0 } },
  });
  const stepsPerEpoch = Math.ceil(trained / BATCH);
  const steps = epochs * stepsPerEpoch;
  const { optimizer } = makeRecipe(recipeOf('fp32')).recipe.distill;
  const schedule = createSchedule(optimizer, { stepsPerEpoch, steps });
  const spec = path.join(temporary, 'spec.json');
  writeFileSync(
    spec,
    JSON.stringify({
      ...{
        pictures: made,
        size: SIZE,
        alpha: ALPHA,
        batchSize: BATCH,
        share: SHARE,
        temperature: TEMPERATURE,
        area: AREA,
      },
      ...{
        classes: Object.keys(TEXTURES).length,
        threads: Number(values.threads),
        weightDecay: 0.01,
        weights,
        teacher: onnx,
      },
      ...{
        teacherNet: values.teacher,
        teacherSteps: Number(values['teacher-steps']),
        learningRates: Array.from({ length: steps }, (_, i) => schedule(i)),
      },
    }),
  );
  const torch = (...args: string[]): Promise<Record<string, unknown>> =>
    jsonOf(python, ['bench/torch_pictures.py', spec, ...args]);
  if (!existsSync(onnx!)) await torch('--teacher');

  let run = 0;
  const ours = async (precision: string): Promise<Side> => {
    const file = path.join(temporary, `${precision}.yaml`);
    writeFileSync(file, JSON.stringify(recipeOf(precision)));
    type Found = Side & Record<'dataSeconds' | 'answersSeconds' | 'trainSeconds' | 'validateSeconds', number>;
    const args = [path.join(import.meta.dirname, 'recipe-child.js'), file, path.join(temporary, `run${run++}`)];
    // A second run would find the pictures decoded.
    const env = ['LIMBECK_CACHE=off', process.execPath, ...args, ...values.set];
    const found = await timed<Found>(() => jsonOf('env', env));
    return {
      ...found,
      decode: (trained + validated) / found.dataSeconds,
      label: (views * trained) / found.answersSeconds,
      train: (epochs * trained) / (found.trainSeconds - found.validateSeconds),
      validate: (epochs * validated) / found.validateSeconds,
    };
  };
  const theirs = async (): Promise<Side> => {
    type Found = Side & { seconds: Record<'wait' | 'label' | 'train' | 'validate', number> };
    const found = await timed<Found>(() => torch());
    const { seconds } = found;
    return {
      ...found,
      decode: Number((await torch('--reading'))['rate']),
      label: (epochs * trained) / seconds.label,
      train: (epochs * trained) / seconds.train,
      validate: (epochs * validated) / seconds.validate,
    };
  };
  const sides: Record<string, Side[]> = {};
  const precisions = values.precision.split(',');
  const all = { ...Object.fromEntries(precisions.map((one) => [`limbeck, ${one}`, () => ours(one)])), pytorch: theirs };
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [name, side] of Object.entries(all))
      if (name.startsWith(values.only ?? '')) (sides[name] ??= []).push(await side());
  const counts = new Set(Object.values(sides).flatMap((all) => all.map(({ parameters }) => parameters)));
  if (counts.size !== 1) throw new Error(`the students differ: ${[...counts].join(' and ')} parameters`);
  console.log(
    `${pictures} JPEG files, ${epochs} epochs, ${values.teacher} as teacher; ${values.threads} threads, ` +
      `${cpus()[0]?.model ?? 'unknown CPU'}; medians of ${values.rounds} rounds\n`,
  );
  const of = (all: readonly Side[], key: keyof Side, digits = 0, unit = 1): string =>
    (median(all.map((side) => side[key])) * unit).toFixed(digits);
  const rows = Object.entries(sides).map(([name, all]) => [
    ...[name, of(all, 'wall'), of(all, 'cpuSeconds'), of(all, 'decode'), of(all, 'label'), of(all, 'train')],
    ...[of(all, 'validate'), of(all, 'peak', 0, 1e-6), of(all, 'validation', 2, 100)],
  ]);
  const head = [
    'side',
    'seconds',
    'CPU seconds',
    'decode/s',
    'label/s',
    'train/s',
    'validate/s',
    'MB',
    'validation, %',
  ];
  console.log(table(head, rows));
  const { pytorch, ...limbeck } = sides;
  for (const [name, runs] of Object.entries(pytorch === undefined ? {} : limbeck))
    for (const key of ['wall', 'cpuSeconds'] as const)
      console.log(
        `\n${name} / PyTorch, ${key}: ${median(runs.map((one, i) => one[key] / pytorch![i]![key])).toFixed(2)}`,
      );
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
