/**
 * Whole runs at large sizes: `npm run bench:whole -- [--only answers,classes,parameters] [--shrink 100]`. Each recipe is run by the command line on
 * data that this script makes, killed with SIGKILL and started again, twice, and compared byte for byte with a run that was left alone: exports, stored
 * answers, and the report but for its seconds. Memory is the most of the main process, its processor time and the bytes of its `write` calls are sums
 * over all starts (Linux). `--shrink`: divisor of the training samples and of the seconds until a kill.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { npyBytes } from '../src/data/readers/numpy/npy.ts';
import { lowerToOnnx } from '../src/formats/onnx/lower.ts';
import { encodeModel } from '../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../src/graph/builder.ts';
import { table } from './processes.ts';

/** Pixels of a picture, 8 × 8. */
const PIXELS = 64;

type Kill = readonly [event: string, stage: string, seconds: number];

interface Size {
  readonly what: string;
  readonly classes: number;
  readonly train: number;
  readonly test: number;
  readonly recipe: Readonly<Record<string, unknown>>;
  /** Event and beginning of the stage's name, and the seconds after it at which the process is killed. */
  readonly kills: readonly Kill[];
}

const student = (...hidden: number[]): Readonly<Record<string, unknown>> => ({ student: { model: 'mlp', hidden } });
const answers = (softTargets: object): Pick<Size, 'classes' | 'train' | 'test' | 'recipe' | 'kills'> => ({
  ...{ classes: 1000, train: 1_300_000, test: 5000 },
  recipe: { ...student(64), distill: { epochs: 1, batchSize: 512, softTargets }, export: ['onnx'] },
  kills: [
    ['saved', 'answers', 20],
    ['saved', 'distill', 10],
  ],
});

const SIZES: Readonly<Record<string, Size>> = {
  answers: { what: '1.3 million × 1,000 answers, fp16', ...answers({ store: 'fp16' }) },
  top: { what: '1.3 million × 1,000 answers, the 32 largest', ...answers({ store: 'fp16', top: 32 }) },
  classes: {
    ...{ what: '20,000 classes', classes: 20_000, train: 60_000, test: 20_000 },
    recipe: { ...student(64), distill: { epochs: 2, batchSize: 256 }, export: ['onnx', 'tflite'] },
    kills: [
      ['saved', 'answers', 1],
      ['saved', 'distill', 1],
    ],
  },
  parameters: {
    ...{ what: '150 million parameters, two steps', classes: 10, train: 640, test: 100 },
    recipe: { ...student(12_210, 12_210), distill: { epochs: 1, batchSize: 288 }, export: ['onnx', 'tflite'] },
    kills: [
      ['saved', 'distill', 0.2],
      ['stage', 'export', 0.5],
    ],
  },
};

const { values } = parseArgs({
  options: { only: { type: 'string', default: Object.keys(SIZES).join() }, shrink: { type: 'string', default: '1' } },
});

/** Pictures around random ones, a random picture for each class; the teacher's logits are minus the squared distance to each of these. */
function make(folder: string, { classes, train, test, recipe }: Size): string {
  let state = 1;
  const byte = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 24;
  };
  const centres = Uint8Array.from({ length: classes * PIXELS }, byte);
  const split = (name: string, count: number): object => {
    const samples = new Uint8Array(count * PIXELS);
    for (let at = 0; at < samples.length; at++) {
      const centre = centres[(Math.floor(at / PIXELS) % classes) * PIXELS + (at % PIXELS)]!;
      samples[at] = Math.min(255, Math.max(0, centre + (byte() >> 2) - 32));
    }
    writeFileSync(path.join(folder, `${name}-x.npy`), npyBytes([count, 8, 8, 1], samples));
    const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
    writeFileSync(path.join(folder, `${name}-y.npy`), npyBytes([count], labels));
    return { samples: `${name}-x.npy`, labels: `${name}-y.npy` };
  };
  const b = new GraphBuilder();
  const x = b.input('pixels', { dtype: 'float32', shape: ['batch', 8, 8, 1] });
  const kernel = new Float32Array(PIXELS * classes);
  const bias = new Float32Array(classes);
  centres.forEach((value, i) => {
    kernel[(i % PIXELS) * classes + Math.floor(i / PIXELS)] = (2 * value) / 255;
    bias[Math.floor(i / PIXELS)]! -= (value / 255) ** 2;
  });
  const w = b.constant({ dtype: 'float32', shape: [PIXELS, classes] }, kernel);
  const flat = b.op('Reshape', [x], { shape: ['batch', PIXELS] });
  const product = b.op('BatchMatMul', [flat, w], { transposeA: false, transposeB: false });
  b.output('logits', b.op('Add', [product, b.constant({ dtype: 'float32', shape: [classes] }, bias)]));
  writeFileSync(path.join(folder, 'teacher.onnx'), encodeModel(lowerToOnnx(b.build())));
  const dataset = { type: 'npz', layout: 'nhwc', train: split('train', train), test: split('test', test) };
  const file = path.join(folder, 'whole.yaml');
  const content = {
    dataset,
    teacher: { onnx: 'teacher.onnx' },
    ...recipe,
    seed: 1,
    baseline: false,
    report: { latency: { seconds: 0 } },
  };
  writeFileSync(file, JSON.stringify(content));
  return file;
}

interface Start {
  readonly processor: number;
  readonly memory: number;
  readonly written: number;
}

/** Starts a run, and kills it where the named event is in its log. */
async function start(file: string, out: string, kill?: Kill): Promise<Start> {
  const log = path.join(out, 'whole', 'log.jsonl');
  const from = existsSync(log) ? statSync(log).size : 0;
  const args = ['dist/cli.js', 'run', file, '--out', out, '--save-every', '1'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  let memory = 0;
  let processor = 0;
  let written = 0;
  let at: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    try {
      memory =
        1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? memory / 1024);
      // After the name, which may hold spaces: user and system time are the fields 14 and 15, in hundredths of a second.
      const times = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ').slice(11, 13);
      processor = times.reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
      written = Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))?.[1] ?? written);
    } catch {
      // The process has just ended.
    }
    if (kill === undefined || at !== undefined || !existsSync(log)) return;
    const [event, stage, seconds] = kill;
    const lines = readFileSync(log).subarray(from).toString().split('\n').slice(0, -1);
    const isThere = lines.some((line) => {
      const said = JSON.parse(line) as { event: string; stage?: string };
      return said.event === event && said.stage?.startsWith(stage) === true;
    });
    if (isThere) at = setTimeout(() => child.kill('SIGKILL'), (seconds * 1000) / Number(values.shrink));
  }, 20);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on('close', (...end) => resolve(end)),
  );
  clearInterval(timer);
  clearTimeout(at);
  if (kill === undefined ? code !== 0 : signal !== 'SIGKILL')
    throw new Error(`${file} ended with ${String(code ?? signal)}, ${String(kill ?? 'not killed')}`);
  return { processor, memory, written };
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => path.join(file.parentPath, file.name));
}

/** Length of the head of a safetensors file, which its first eight bytes say. */
function headBytes(file: string): number {
  const length = new BigUint64Array(1);
  const handle = openSync(file, 'r');
  readSync(handle, length);
  closeSync(handle);
  return Number(length[0]);
}

/** Hashes of exports and stored answers, and the report without what depends on the clock. */
async function results(run: string): Promise<string> {
  const hashes: string[] = [];
  for (const file of filesOf(run)
    .filter((name) => /[/](?:exports|soft-targets)[/]/.test(name))
    .sort()) {
    const hash = createHash('sha256');
    // The head of stored answers says how long they took.
    const start = file.endsWith('.safetensors') ? 8 + headBytes(file) : 0;
    for await (const chunk of createReadStream(file, { start })) hash.update(chunk as Buffer);
    hashes.push(`${path.relative(run, file)} ${hash.digest('hex')}`);
  }
  const report = JSON.parse(readFileSync(path.join(run, 'report.json'), 'utf8'), (key, value: unknown) =>
    /seconds$/i.test(key) ? undefined : value,
  ) as unknown;
  return [...hashes, `report ${createHash('sha256').update(JSON.stringify(report)).digest('hex')}`].join('\n');
}

const rows: string[][] = [];
for (const [name, size] of Object.entries(SIZES)) {
  if (!values.only.split(',').includes(name)) continue;
  const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-whole-'));
  try {
    const shrink = Number(values.shrink);
    const file = make(folder, { ...size, train: size.train / shrink });
    const load = loadavg()[0]!;
    const found: string[] = [];
    for (const [way, kills] of [
      ['killed', size.kills],
      ['alone', []],
    ] as const) {
      const out = path.join(folder, way);
      const starts: Start[] = [];
      for (const kill of [...kills, undefined]) starts.push(await start(file, out, kill));
      const run = path.join(out, 'whole');
      const files = filesOf(run);
      const disk = files.reduce((sum, at) => sum + statSync(at).size, 0);
      const sum = (key: 'processor' | 'written'): number => starts.reduce((all, at) => all + at[key], 0);
      const gb = (bytes: number): string => (bytes / 1e9).toFixed(2);
      rows.push([
        `${size.what}, ${kills.length === 0 ? 'left alone' : `killed ${kills.length} times`}`,
        sum('processor').toFixed(0),
        gb(Math.max(...starts.map(({ memory }) => memory))),
        ...[
          gb(sum('written')),
          gb(disk),
          (statSync(path.join(run, 'report.html')).size / 1e6).toFixed(2),
          load.toFixed(1),
        ],
      ]);
      console.error(rows.at(-1)!.join('  '));
      found.push(await results(run));
      if (process.env['KEEP'] === undefined) rmSync(out, { recursive: true });
    }
    console.error(found[0]);
    if (found[0] !== found[1]) throw new Error(`${name}: the runs differ:\n${found.join('\n\n')}`);
  } finally {
    if (process.env['KEEP'] === undefined) rmSync(folder, { recursive: true, force: true });
    else console.error(folder);
  }
}
console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, node ${process.version}; killed and left alone ended with the same bytes\n`,
);
console.log(table(['run', 'CPU seconds', 'memory, GB', 'written, GB', 'disk, GB', 'report, MB', 'load before'], rows));
