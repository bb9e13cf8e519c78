/**
 * Our TFLite files beside those of tf.lite.TFLiteConverter from the same weights: size, operators, accuracy, time in the same
 * interpreter. `npm run bench:tflite -- [--rounds 15] [--models mlp,lenet]` prints one table, and ends with code 1 where ours
 * is behind. With 0 rounds nothing is timed.
 */
import '../src/features.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { evaluator } from '../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../src/trace/use.ts';
import { findPython, jsonOf, table } from './processes.ts';
import type { Comparison, Pair } from './tflite-cases.ts';
import { isLessAccurate, PRECISIONS, writeConversion } from './tflite-cases.ts';
import type { NetName } from './tflite-nets.ts';
import { loadPictures, makeNet, NETS } from './tflite-nets.ts';

/** What our time may be of theirs. */
const SLOWER = 1.02;

const COUNTS = ['bytes', 'of theirs', 'operators', 'theirs', 'accuracy', 'theirs', 'as float', 'theirs'];
const HEADER = ['model', ...COUNTS, 'ms', 'of theirs'];

function row(name: string, { ours, theirs, latencyRatio }: Pair): string[] {
  const percent = (share?: number): string => (share === undefined ? '-' : `${(100 * share).toFixed(2)} %`);
  return [
    name,
    ours.bytes.toLocaleString('en'),
    `${(ours.bytes / theirs.bytes).toFixed(3)}×`,
    String(ours.operators),
    String(theirs.operators),
    percent(ours.accuracy),
    percent(theirs.accuracy),
    percent(ours.agreement),
    percent(theirs.agreement),
    ours.ms === undefined ? '-' : ours.ms.toFixed(3),
    latencyRatio === undefined ? '-' : `${latencyRatio.toFixed(3)}×`,
  ];
}

function faults(pair: Pair): string[] {
  const { ours, theirs, latencyRatio = 0 } = pair;
  return [
    ...(ours.bytes > theirs.bytes ? ['larger'] : []),
    ...(ours.operators > theirs.operators ? ['more operators'] : []),
    ...(latencyRatio > SLOWER ? ['slower'] : []),
    ...(isLessAccurate(pair) ? ['less accurate'] : []),
  ];
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    models: { type: 'string', default: Object.keys(NETS).join(',') },
    python: { type: 'string' },
  },
});
tf.env().set('IS_TEST', true);
useLazyBackend(evaluator);
const python = findPython(values.python, ['.venv/tflite/bin/python']);
if (python === undefined) throw new Error('no Python with TensorFlow: npm run test:conformance:tflite -- --setup');
const behind: string[] = [];
const rows: string[][] = [];
const data = await loadPictures();
for (const name of values.models.split(',') as NetName[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-tflite-'));
  try {
    const manifest = [writeConversion(folder, await makeNet(name, data), Number(values.rounds))];
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    const [result] = (await jsonOf(python, ['test/conformance/tflite_convert.py', folder])) as unknown as [Comparison];
    for (const precision of PRECISIONS) {
      const pair = result[precision];
      rows.push(row(`${name} ${precision}`, pair));
      behind.push(...faults(pair).map((fault) => `${name} ${precision}: ${fault}`));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
console.log(table(HEADER, rows));
console.log(behind.length === 0 ? '\nNowhere behind.' : `\nBehind:\n${behind.map((line) => `  ${line}`).join('\n')}`);
if (behind.length > 0) process.exitCode = 1;
