/**
 * One process, one measurement: `node step-child.js ours|gemm|wasm NET BATCH STEPS THREADS [DEVICE] [OPTIMIZER] [FILE]` prints a JSON
 * line. The device is one of ONNX Runtime's, by default cpu, or the name of another engine.
 */
import '../src/features.ts';
import * as tf from '@tensorflow/tfjs-core';
import { GraphBuilder } from '../src/graph/builder.ts';
import type { DeviceName, EngineName } from '../src/recipe/engines.ts';
import type { Engine } from '../src/runtime/engine.ts';
import { engines } from '../src/runtime/engine-registry.ts';
import { engineRow } from '../src/runtime/engines.ts';
import { createOnnxRuntimeEngine } from '../src/runtime/onnxruntime/engine.ts';
import type { OptimizerConfig } from '../src/train/optimizers/optimizers.ts';
import { RandomStream } from '../src/base/random.ts';
import { traceProgram } from '../src/trace/trace.ts';
import { savedByWinograd, stepFlops } from './flops.ts';
import { buildNet, netOf } from './nets.ts';
import { benchStep } from './program.ts';
import { timed, timedSteps } from './timing.ts';

const [kind, name, ...numbers] = process.argv.slice(2, 7);
const [batchSize, steps, threads] = numbers.map(Number) as [number, number, number];
const [device = 'cpu', optimizer = 'adam', file] = process.argv.slice(7);

async function ours(): Promise<object> {
  const engine: Engine = engines.names().includes(device)
    ? (await engineRow(device as EngineName)).create({ device: 'auto', threads })
    : createOnnxRuntimeEngine({ device: device as DeviceName, threads });
  const type = optimizer as OptimizerConfig['type'];
  const { program, feedsAt } = await benchStep(name!, netOf(name!), batchSize, { type }, file);
  const start = performance.now();
  const step = await engine.compile(program);
  const compileMs = performance.now() - start;
  const times = await timedSteps(step, feedsAt, { steps, perCall: engine.stepsPerCall });
  const graph = traceProgram(program);
  const counted = { flops: stepFlops(graph), winograd: savedByWinograd(graph) };
  return { ...times, compile_ms: compileMs, peak_rss_mb: peakMegabytes(), ...counted };
}

/** The machine's matrix product rate through the same runtime, in GFLOP/s. */
async function gemm(): Promise<object> {
  const n = 1024;
  const builder = new GraphBuilder();
  const square = { dtype: 'float32', shape: [n, n] } as const;
  const a = builder.input('a', square);
  const b = builder.input('b', square);
  builder.output('c', builder.op('BatchMatMul', [a, b], { transposeA: false, transposeB: false }));
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads });
  const step = await engine.compileGraph(builder.build(), new Map());
  const feeds = { a: new Float32Array(n * n).fill(0.5), b: new Float32Array(n * n).fill(0.5) };
  const { ms_per_step: ms } = await timed(async () => step.run(feeds), steps);
  return { gflops: (2 * n ** 3) / 1e6 / ms };
}

/** tfjs' own wasm backend on the same net: it has no gradient kernels for convolutions, so only some nets run. */
async function wasm(): Promise<object> {
  await import('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  const net = netOf(name!);
  const model = buildNet(name!);
  const adam = tf.train.adam(1e-3);
  const random = new RandomStream('bench', name!);
  const input = tf.randomNormal([batchSize, ...net.inputShape]);
  const labels = Int32Array.from({ length: batchSize }, () => random.below(net.classes));
  const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), net.classes);
  try {
    const times = await timed(async () => {
      const loss = adam.minimize(
        () => tf.losses.softmaxCrossEntropy(targets, model.apply(input, { training: true }) as tf.Tensor),
        true,
      )!;
      await loss.data();
      loss.dispose();
    }, steps);
    return { ...times, peak_rss_mb: peakMegabytes() };
  } catch (error) {
    return { error: (error as Error).message.split('\n')[0] };
  }
}

function peakMegabytes(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

const result = kind === 'gemm' ? await gemm() : kind === 'wasm' ? await wasm() : await ours();
console.log(JSON.stringify(result));
