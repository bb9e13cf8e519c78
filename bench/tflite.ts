/**
 * Our TFLite files beside those of tf.lite.TFLiteConverter from the same weights: size, operators, time in the same
 * interpreter, fidelity to the float model. `npm run bench:tflite -- [--rounds 15] [--models mlp,lenet]` prints a table, and
 * ends with code 1 where ours is behind. The weights are drawn, not trained: what they compute does not matter here.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../src/base/random.ts';
import { quantize } from '../src/compress/quantize/ptq.ts';
import { forInference } from '../src/graph/passes/for-inference.ts';
import { freezeState } from '../src/graph/passes/freeze-state.ts';
import type { Constant } from '../src/graph/types.ts';
import { buildModel } from '../src/models/registry.ts';
import { evaluator } from '../src/runtime/evaluator.ts';
import { sessionOptions } from '../src/runtime/onnxruntime.ts';
import { traceWithBatch } from '../src/trace/batch.ts';
import { useLazyBackend } from '../src/trace/use.ts';
import { modelState, predictionProgram } from '../src/train/step.ts';
import { findPython, jsonOf, table } from './processes.ts';
import type { Comparison, ConversionCase, Pair } from './tflite-cases.ts';
import { writeConversion } from './tflite-cases.ts';

const MODELS = {
  mlp: { model: 'mlp', inputShape: [28, 28, 1], options: {} },
  lenet: { model: 'lenet', inputShape: [28, 28, 1], options: {} },
  'ds-cnn': { model: 'ds-cnn', inputShape: [28, 28, 1], options: {} },
  resnet8: { model: 'resnet', inputShape: [32, 32, 3], options: { depth: 8 } },
  'mobilenet-v2': { model: 'mobilenet-v2', inputShape: [96, 96, 3], options: {} },
} as const;
type Name = keyof typeof MODELS;

/** Samples to calibrate with and to compare classes on. */
const SAMPLES = 128;

async function caseOf(name: Name, rounds: number): Promise<ConversionCase> {
  const { model: registered, inputShape, options } = MODELS[name];
  const model = buildModel(registered, { inputShape, classes: 10, seed: 7, options });
  const random = new RandomStream('bench', name);
  const content = new Map<string, Constant>();
  for (const [label, variable] of Object.entries(modelState(model).all)) {
    // Biases and statistics leave their first values, zeros and ones, as training would have it.
    const data = Float32Array.from(await variable.data<'float32'>(), (value) =>
      variable.rank === 1 ? value + 0.3 * random.uniform() : value,
    );
    content.set(label, { type: { dtype: 'float32', shape: variable.shape }, data });
  }
  const bare = freezeState(
    traceWithBatch((batchSize) => predictionProgram({ model, batchSize })),
    content,
  );
  const prepared = forInference(bare, (graph) => evaluator.runSync(graph, new Map()));
  const size = inputShape.reduce<number>((a, b) => a * b, 1);
  const samples = Array.from({ length: SAMPLES }, () => Float32Array.from({ length: size }, () => random.normal()));
  const feeds = samples.map((data) => ({ x: { data, shape: [1, ...inputShape] } }));
  const ptq = { calibrator: 'minmax', session: sessionOptions('cpu', {}), perChannelDense: true } as const;
  const { result: quantization } = await quantize(prepared, feeds, ptq);
  return { name, bare, prepared, samples, quantization, rounds };
}

const HEADER = ['model', 'bytes', 'of theirs', 'operators', 'theirs', 'ms', 'of theirs', 'same class', 'theirs'];

function row(name: string, { ours, theirs, latencyRatio }: Pair): string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return [
    name,
    ours.bytes.toLocaleString('en'),
    `${(ours.bytes / theirs.bytes).toFixed(3)}×`,
    String(ours.operators),
    String(theirs.operators),
    ours.ms === undefined ? '-' : ours.ms.toFixed(3),
    latencyRatio === undefined ? '-' : `${latencyRatio.toFixed(3)}×`,
    percent(ours.agreement),
    percent(theirs.agreement),
  ];
}

const PRECISIONS = ['float32', 'float16', 'dynamic', 'integer'] as const;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    models: { type: 'string', default: Object.keys(MODELS).join(',') },
    python: { type: 'string' },
  },
});
tf.env().set('IS_TEST', true);
useLazyBackend(evaluator);
const python = findPython(values.python, ['.venv/tflite/bin/python']);
if (python === undefined) throw new Error('no Python with TensorFlow: npm run test:conformance:tflite -- --setup');
const behind: string[] = [];
const rows: string[][] = [];
for (const name of values.models.split(',') as Name[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-tflite-'));
  try {
    const manifest = [writeConversion(folder, await caseOf(name, Number(values.rounds)))];
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    const [result] = (await jsonOf(python, ['test/conformance/tflite_convert.py', folder])) as unknown as [Comparison];
    for (const precision of PRECISIONS) {
      const pair = result[precision]!;
      const label = `${name} ${precision}`;
      rows.push(row(label, pair));
      if (pair.ours.bytes > pair.theirs.bytes) behind.push(`${label}: larger`);
      if (pair.ours.operators > pair.theirs.operators) behind.push(`${label}: more operators`);
      if ((pair.latencyRatio ?? 0) > 1.02) behind.push(`${label}: slower`);
      if (pair.ours.agreement < pair.theirs.agreement) behind.push(`${label}: less faithful`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
console.log(table(HEADER, rows));
console.log(behind.length === 0 ? '\nNowhere behind.' : `\nBehind:\n${behind.map((line) => `  ${line}`).join('\n')}`);
if (behind.length > 0) process.exitCode = 1;
