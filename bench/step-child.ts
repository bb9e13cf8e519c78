/**
 * One process, one measurement: `node step-child.js ours|gemm|wasm NET BATCH STEPS THREADS [DEVICE]` prints a JSON line. The
 * device is one of ONNX Runtime's, by default cpu, or `tensorflow` for that engine.
 */
import * as tf from '@tensorflow/tfjs-core';
import { GraphBuilder } from '../src/graph/builder.ts';
import { layersNetwork } from '../src/networks/layers.ts';
import type { DeviceName } from '../src/runtime/devices.ts';
import type { Engine } from '../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../src/runtime/onnxruntime.ts';
import { createTensorFlowEngine } from '../src/runtime/tensorflow.ts';
import { createLoss } from '../src/distill/losses/registry.ts';
import { createOptimizer } from '../src/train/optimizers.ts';
import { trainingProgram } from '../src/train/step.ts';
import { RandomStream } from '../src/base/random.ts';
import { evaluator } from '../src/runtime/evaluator.ts';
import { setEvaluator } from '../src/trace/evaluate.ts';
import { install } from '../src/trace/install.ts';
import type { NetName } from './nets.ts';
import { buildNet, inputShapeOf } from './nets.ts';
import { classification } from '../src/tasks/classification.ts';
import { timed, timedSteps } from './timing.ts';

const [kind, net, ...numbers] = process.argv.slice(2, 7);
const [batchSize, steps, threads] = numbers.map(Number) as [number, number, number];
const device = process.argv[7] ?? 'cpu';

function data(name: NetName): { x: Float32Array; labels: Int32Array } {
  const random = new RandomStream('bench', name);
  const size = batchSize * inputShapeOf(name).reduce((a, b) => a * b, 1);
  return {
    x: Float32Array.from({ length: size }, () => random.normal()),
    labels: Int32Array.from({ length: batchSize }, () => random.below(10)),
  };
}

async function ours(name: NetName): Promise<object> {
  const engine: Engine =
    device === 'tensorflow'
      ? createTensorFlowEngine('auto', threads)
      : createOnnxRuntimeEngine({ device: device as DeviceName, threads });
  install();
  setEvaluator(evaluator);
  await tf.setBackend('limbeck');
  const model = buildNet(name);
  const loss = createLoss('ce');
  const optimizer = createOptimizer({ type: 'adam' }, layersNetwork(model).trainable);
  const program = trainingProgram({
    task: classification(10),
    network: layersNetwork(model),
    loss,
    optimizer,
    batchSize,
  });
  const start = performance.now();
  const step = await engine.compile(program);
  const compileMs = performance.now() - start;
  const hyper = Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, Float32Array.of(value)]);
  const feeds = {
    ...data(name),
    ...(Object.fromEntries(hyper) as Record<string, Float32Array>),
    weights: new Float32Array(batchSize).fill(1),
  };
  const feedsAt = (i: number) => ({ ...feeds, ...optimizer.feedValues(i, 1e-3) });
  const ms = await timedSteps(step, feedsAt, { steps, perCall: engine.stepsPerCall });
  return { ms_per_step: ms, compile_ms: compileMs, peak_rss_mb: peakMegabytes() };
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
  const step = engine.compileGraph(builder.build(), new Map());
  const feeds = { a: new Float32Array(n * n).fill(0.5), b: new Float32Array(n * n).fill(0.5) };
  return { gflops: (2 * n ** 3) / 1e6 / (await timed(async () => step.run(feeds), steps)) };
}

/** tfjs' own wasm backend on the same net: it has no gradient kernels for convolutions, so only some nets run. */
async function wasm(name: NetName): Promise<object> {
  await import('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  const model = buildNet(name);
  const optimizer = tf.train.adam(1e-3);
  const { x, labels } = data(name);
  const input = tf.tensor(x, [batchSize, ...inputShapeOf(name)]);
  const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), 10);
  try {
    const ms = await timed(async () => {
      const loss = optimizer.minimize(
        () => tf.losses.softmaxCrossEntropy(targets, model.apply(input, { training: true }) as tf.Tensor),
        true,
      )!;
      await loss.data();
      loss.dispose();
    }, steps);
    return { ms_per_step: ms, peak_rss_mb: peakMegabytes() };
  } catch (error) {
    return { error: (error as Error).message.split('\n')[0] };
  }
}

function peakMegabytes(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

const result =
  kind === 'gemm' ? await gemm() : kind === 'wasm' ? await wasm(net as NetName) : await ours(net as NetName);
console.log(JSON.stringify(result));
