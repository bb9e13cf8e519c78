/**
 * Table of what starting weights gain: runs of four sets, each from nothing, from our weights and from EfficientNet-Lite0's, with equal steps:
 *
 *     npm run -s build && node bench/starting-weights/table.mjs FOLDER --emoji PACKAGES [--only boxes,masks] [--starts nothing,own] [--repeats 3] [--try]
 *
 * FOLDER has starting-weights.onnx (cut.mjs) and lite0.onnx (teacher.py --backbone), and gets the runs, a line of results.jsonl for each, and its log. PACKAGES
 * holds the npm package emoji-datasource-twitter 16.0.0, unpacked as a folder of that name. The runs follow one after another; those in results.jsonl are
 * left out, and one that was stopped goes on (SIGTERM stops table and run). `--rate`: factor of the learning rate of a backbone. `--try`: an epoch of each, apart from the others. Ends with the table.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { picturesOf, subsetOf } from './sets.mjs';

const list = (text) => text.split(',');
const string = (value) => ({ type: 'string', default: value });
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    emoji: { type: 'string' },
    only: string('boxes,masks,classes,font'),
    starts: string('nothing,own,lite0'),
    repeats: string('3'),
    rate: string('1'),
    try: { type: 'boolean', default: false },
  },
});
const folder = path.resolve(positionals[0] ?? '.');
const at = (...names) => path.join(folder, ...names);
const root = path.resolve(import.meta.dirname, '../..');
const scenes = path.join(root, 'datasets/emoji-scenes');
const onecycle = { type: 'adamw', learningRate: 0.004, schedule: 'onecycle', weightDecay: 0.0001 };
const cut = { resizedCrop: { area: [0.5, 1], ratio: [0.8, 1.25] } };
const boxesOf = (from, labels) => ({
  type: 'coco',
  task: 'detection',
  train: { images: `${from}/train/images`, labels },
  test: { images: `${from}/test/images`, labels: `${from}/annotations/test.json` },
  resize: [160, 160],
  maxBoxes: 12,
  augment: [{ flip: 'horizontal' }, cut],
});
const int8 = { scheme: 'int8', samples: 128, maxDrop: 100 };

/** Recipe of each set without its student's backbone, the student that begins from nothing, and the names of the feature maps of our file. */
const sets = {
  // recipes/emoji-detection.yaml with fewer epochs.
  boxes: {
    student: { model: 'det-nano' },
    layers: ['stride8', 'stride16', 'stride32'],
    recipe: {
      dataset: { ...boxesOf(scenes, `${scenes}/annotations/train.json`), labelled: 100 },
      teacher: { onnx: path.join(root, 'checkpoints/emoji-detection-teacher/teacher.onnx') },
      distill: {
        alpha: 0.9,
        epochs: 6,
        softTargets: { views: 4 },
        batchSize: 8,
        optimizer: { ...onecycle, clipNorm: 10 },
      },
    },
  },
  // recipes/segments.yaml with the model that a backbone can stand under.
  masks: {
    student: { model: 'seg-lraspp', alpha: 0.35 },
    layers: ['stride8', 'stride16'],
    recipe: {
      dataset: {
        ...{ type: 'mask-folder', task: 'segmentation', train: `${scenes}/train`, test: `${scenes}/test` },
        ...{ resize: [96, 96], stride: 4, augment: [{ flip: 'horizontal' }], labelled: 100 },
      },
      teacher: { onnx: path.join(root, 'checkpoints/segments-teacher/teacher.onnx') },
      distill: { temperature: 2, alpha: 0.9, epochs: 6, softTargets: { views: 2 }, batchSize: 8, optimizer: onecycle },
    },
  },
  // Nine categories of Twitter's emoji, 40 of each to learn from, and no teacher.
  classes: {
    student: { model: 'mobilenet-v2', alpha: 0.35 },
    layers: ['features'],
    recipe: {
      dataset: {
        ...{
          type: 'image-folder',
          train: at('classes/train'),
          validation: at('classes/validation'),
          test: at('classes/test'),
        },
        ...{ resize: [128, 128], augment: [{ flip: 'horizontal' }, cut] },
      },
      distill: { epochs: 40, batchSize: 16, optimizer: onecycle },
    },
  },
  // 400 scenes of Twitter's emoji with boxes, and no teacher.
  font: {
    student: { model: 'det-nano' },
    layers: ['stride8', 'stride16', 'stride32'],
    recipe: {
      dataset: boxesOf(at('scenes'), at('scenes/annotations/400.json')),
      distill: { epochs: 25, batchSize: 8, optimizer: { ...onecycle, clipNorm: 10 } },
    },
  },
};

const chosen = list(values.only);
if (chosen.includes('classes') || chosen.includes('font')) {
  if (values.emoji === undefined) throw new Error('--emoji: the folder with emoji-datasource-twitter 16.0.0');
  const from = path.resolve(values.emoji, 'emoji-datasource-twitter');
  await made(at('classes'), (to) => picturesOf(from, to));
  await made(at('scenes'), (to) => {
    const script = path.join(root, 'scripts/emoji-scenes.mjs');
    execFileSync(process.execPath, [script, '--from', from, '--to', to, '--font', 'twitter']);
    subsetOf(path.join(to, 'annotations/train.json'), path.join(to, 'annotations/400.json'), 400);
  });
}

/** Makes a folder whole or not at all. */
async function made(to, make) {
  if (existsSync(to)) return;
  rmSync(`${to}.part`, { recursive: true, force: true });
  await make(`${to}.part`);
  renameSync(`${to}.part`, to);
}

function studentOf({ student, layers }, start) {
  if (start === 'nothing') return { ...student, weights: 'none' };
  const learningRate = Number(values.rate);
  const backbone = start === 'own' ? { onnx: at('starting-weights.onnx'), layers } : { onnx: at('lite0.onnx') };
  return { model: student.model, backbone: { ...backbone, learningRate } };
}

const runs = values.try ? at('try') : folder;
mkdirSync(runs, { recursive: true });
const results = path.join(runs, 'results.jsonl');
const done = () =>
  existsSync(results)
    ? readFileSync(results, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];

let running;
for (const signal of ['SIGTERM', 'SIGINT'])
  process.once(signal, () => {
    if (running?.exitCode === null) process.kill(-running.pid, signal);
    process.exit(130);
  });

/** Result of a recipe; undefined if its run fails. */
async function resultOf(recipe) {
  const { name } = recipe;
  writeFileSync(path.join(runs, `${name}.json`), JSON.stringify(recipe, undefined, 1));
  const log = openSync(path.join(runs, `${name}.log`), 'a');
  // The shell writes its own times and those of its children, in minutes and seconds.
  const script = 'trap : TERM INT; "$@" >&2; code=$?; times; exit $code';
  const command = [process.execPath, path.join(root, 'dist/cli.js'), 'run', `${name}.json`, '--out', 'checkpoints'];
  running = spawn('/bin/sh', ['-c', script, 'sh', ...command], {
    cwd: runs,
    detached: true,
    stdio: ['ignore', 'pipe', log],
  });
  let text = '';
  running.stdout.on('data', (chunk) => (text += chunk));
  const code = await new Promise((resolve) => running.on('close', resolve));
  if (code !== 0) {
    console.log(`${name}: ended with ${code}, see ${name}.log`);
    return undefined;
  }
  const report = JSON.parse(readFileSync(path.join(runs, 'checkpoints', name, 'report.json'), 'utf8'));
  const one = (role) => report.models.find(({ model, precision }) => model.role === role && precision === 'fp32');
  const [student, twin] = one('distilled') ? [one('distilled'), one('scratch')] : [one('scratch')];
  const small = report.models.find(({ precision }) => precision === 'int8');
  return {
    minutes: report.wallSeconds / 60,
    cpuMinutes: secondsIn(text.trim().split('\n').at(-1)) / 60,
    student: student.score.test,
    twin: twin?.score.test,
    int8: small?.score.test,
    int8Bytes: small?.sizeBytes,
    epochs: recipe.distill.epochs,
  };
}

function secondsIn(times) {
  return [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60 * minutes + Number(seconds),
    0,
  );
}

let failures = 0;
const repeats = Array.from({ length: Number(values.repeats) }, (_, i) => i + 1);
const starts = list(values.starts);
// Our weights beside nothing come first, on all sets.
const order = [starts.filter((start) => start !== 'lite0'), starts.filter((start) => start === 'lite0')];
for (const group of order)
  for (const set of chosen)
    for (const seed of repeats)
      for (const start of group) {
        const name = `${set}-${start}-${seed}`;
        if (done().some((result) => result.name === name)) continue;
        const { recipe } = sets[set];
        const epochs = values.try ? 1 : recipe.distill.epochs;
        const run = {
          ...{ name, seed, jobs: 2, ...recipe, student: studentOf(sets[set], start) },
          ...{ distill: { ...recipe.distill, epochs }, export: ['tflite'], report: { latency: { seconds: 0 } } },
        };
        console.log(`${new Date().toISOString()} ${name}`);
        // Int8 files that answer otherwise than their network are refused: the figures in float count then.
        const result =
          (await resultOf({ ...run, quantize: int8 })) ?? (await resultOf({ ...run, name: `${name}-float` }));
        if (result !== undefined) appendFileSync(results, `${JSON.stringify({ name, set, start, seed, ...result })}\n`);
        else failures++;
      }

/** Mean and half of the 95 % interval, of Student's distribution, of a few numbers. */
function interval(numbers) {
  const QUANTILES = [12.706, 4.303, 3.182, 2.776];
  const n = numbers.length;
  const mean = numbers.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  return { mean, half: n < 2 ? undefined : ((QUANTILES[n - 2] ?? 1.96) * deviation) / Math.sqrt(n) };
}

const percent = ({ mean, half }, sign = '') =>
  `${mean >= 0 ? sign : ''}${(100 * mean).toFixed(2)}${half === undefined ? '' : ` ± ${(100 * half).toFixed(2)}`}`;
const all = done();
console.log(
  '| set | start | runs | CPU min | student | against nothing | twin | int8 | int8 kB |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
);
for (const set of chosen)
  for (const start of starts) {
    const own = all.filter((result) => result.set === set && result.start === start);
    if (own.length === 0) continue;
    const of = (key) => interval(own.map((result) => result[key]));
    const gains = own.flatMap(({ seed, student }) => {
      const base = all.find((result) => result.set === set && result.start === 'nothing' && result.seed === seed);
      return base === undefined || start === 'nothing' ? [] : [student - base.student];
    });
    const small = own.filter((result) => result.int8Bytes !== undefined);
    const kilobytes = Math.round(small[0]?.int8Bytes / 1000);
    const cells = [
      set,
      start,
      own.length,
      of('cpuMinutes').mean.toFixed(1),
      percent(of('student')),
      gains.length > 0 ? percent(interval(gains), '+') : '',
      own[0].twin === undefined ? '–' : percent(of('twin')),
      ...(small.length === 0 ? ['–', '–'] : [percent(interval(small.map(({ int8: score }) => score))), kilobytes]),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
process.exitCode = failures > 0 ? 1 : 0;
