/**
 * What `limbeck compress` makes of a net that was trained on Fashion-MNIST at 32x32, without labels: `npm run bench:compress
 * -- [--net resnet18] [--samples 8000] [--folder .venv/resnet18] [-- COMPRESS OPTIONS]`. Trains the net with PyTorch first, where the
 * folder does not hold it (a quarter of an hour for resnet18; resnet-small, vgg and mobilenet-v2 are the others). Accuracy is that on the 10,000 test
 * pictures and their labels, which compress does not see; one sample on one thread of ONNX Runtime is timed in turns with the original.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { parseNpy } from '../src/base/numpy.ts';
import { npyBytes, npySamples } from '../src/data/readers/numpy/npy.ts';
import { unzip } from '../src/data/readers/numpy/zip.ts';
import { decodeModel } from '../src/formats/onnx/protobuf.ts';
import { table } from './processes.ts';

const { values, positionals } = parseArgs({
  options: {
    net: { type: 'string', default: 'resnet18' },
    samples: { type: 'string', default: '8000' },
    folder: { type: 'string' },
    epochs: { type: 'string', default: '6' },
    /** `-preserved`: batch norms as nodes of their own; empty: folded, as the exporter does it by default. */
    kind: { type: 'string', default: '-preserved' },
  },
  allowPositionals: true,
});
const { net } = values;
const folder = values.folder ?? `.venv/${net}`;

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ended with code ${String(status)}`);
}

if (!existsSync(path.join(folder, 'test.npz'))) {
  run(process.execPath, ['test/conformance/run.mjs', '--zoo', '--setup']);
  const script = ['test/conformance/compress_train.py', 'datasets/fashion-mnist', folder, values.epochs, net];
  run('.venv/zoo/bin/python', script);
}

async function arrays(file: string) {
  const entries = await unzip(file, () => true);
  return Object.fromEntries(Object.entries(entries).map(([name, bytes]) => [name.slice(0, -4), parseNpy(bytes, name)]));
}

const samples = (await arrays(path.join(folder, 'samples.npz')))['x']!;
const size = 3 * 32 * 32;
const count = Math.min(Number(values.samples), samples.shape[0]!);
const data = path.join(folder, `samples-${count}.npy`);
writeFileSync(data, npyBytes([count, 3, 32, 32], npySamples(samples).slice(0, count * size)));

const name = `${net}-${count}`;
const original = path.join(folder, `${net}${values.kind}.onnx`);
const given = ['--data', data, '--format', 'onnx', '--out', folder, '--name', name, '--fresh', ...positionals];
const start = performance.now();
run(process.execPath, ['dist/cli.js', 'compress', original, ...given]);
const seconds = (performance.now() - start) / 1000;

const exports = path.join(folder, name, 'exports');
const files = [original, ...readdirSync(exports).filter((file) => file.endsWith('.onnx')).map((file) => path.join(exports, file))]; // prettier-ignore
const test = await arrays(path.join(folder, 'test.npz'));
const x = npySamples(test['x']!) as Float32Array;
const labels = new BigInt64Array(test['y']!.body.slice().buffer);

/** Whether a file takes its channels first, as PyTorch writes it, or last. */
const firsts = files.map((file) => decodeModel(readFileSync(file), file).graph.inputs[0]!.dims![1] === 3);

function fed(values: Float32Array, count: number, isFirst: boolean): ort.Tensor {
  if (isFirst) return new ort.Tensor('float32', values.slice(), [count, 3, 32, 32]);
  const turned = values.map((_, i) => {
    const [at, c] = [Math.floor(i / 3), i % 3];
    return values[Math.floor(at / 1024) * size + c * 1024 + (at % 1024)]!;
  });
  return new ort.Tensor('float32', turned, [count, 32, 32, 3]);
}

async function rightOf(session: ort.InferenceSession, isFirst: boolean): Promise<number> {
  let right = 0;
  for (let at = 0; at < labels.length; at += 100) {
    const some = fed(x.subarray(at * size, (at + 100) * size), 100, isFirst);
    const logits = (await session.run({ [session.inputNames[0]!]: some }))[session.outputNames[0]!]!
      .data as Float32Array;
    for (let i = 0; i < 100; i++) {
      const row = logits.subarray(i * 10, (i + 1) * 10);
      if (row.indexOf(Math.max(...row)) === Number(labels[at + i])) right++;
    }
  }
  return right / labels.length;
}

const sessions = await Promise.all(
  files.map((file) => ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 })),
);
const ones = firsts.map((isFirst) => fed(x.subarray(0, size), 1, isFirst));
const times = sessions.map((): number[] => []);
for (let turn = 0; turn < 300; turn++)
  for (const [i, session] of sessions.entries()) {
    const before = performance.now();
    await session.run({ [session.inputNames[0]!]: ones[i]! });
    if (turn >= 20) times[i]!.push(performance.now() - before);
  }
const median = (of: number[]): number => of.sort((a, b) => a - b)[Math.floor(of.length / 2)]!;
const p50 = times.map(median);
const rows: string[][] = [];
for (const [i, file] of files.entries()) {
  const bytes = statSync(file).size;
  const smaller = statSync(original).size / bytes;
  rows.push([
    path.basename(file),
    (bytes / 1e6).toFixed(2),
    `${smaller.toFixed(1)}×`,
    p50[i]!.toFixed(2),
    `${(p50[0]! / p50[i]!).toFixed(1)}×`,
    (100 * (await rightOf(sessions[i]!, firsts[i]!))).toFixed(2),
  ]);
}
console.log(`\n${count} samples without labels, ${seconds.toFixed(0)} s in all\n`);
console.log(table(['file', 'MB', 'smaller', 'ms', 'faster', 'right of 10,000, %'], rows));
