/**
 * Where the time of a training step goes, by ONNX Runtime's own profiler: `npm run bench:profile -- [--model cnn] [--batch 128]
 * [--steps 20] [--threads 2] [--json FILE]`. A net of bench/nets.ts or of the registry (28×28×1, 10 classes), with Adam on the CPU.
 * The operators by their part of the time, then the nodes, which have the names of `--dump-graph`. FILE is the trace of one call after
 * the other, for Perfetto or chrome://tracing.
 */
import * as tf from '@tensorflow/tfjs-core';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createLoss } from '../src/distill/losses/registry.ts';
import { layersNetwork } from '../src/networks/layers.ts';
import { buildModel } from '../src/networks/models/registry.ts';
import { blockSize } from '../src/runtime/blocks.ts';
import { evaluator, sessionOptions } from '../src/runtime/onnxruntime.ts';
import { OnnxRuntimeStep } from '../src/runtime/step.ts';
import { setEvaluator } from '../src/trace/evaluate.ts';
import { install } from '../src/trace/install.ts';
import { traceProgram } from '../src/trace/trace.ts';
import { createOptimizer } from '../src/train/optimizers.ts';
import { trainingProgram } from '../src/train/step.ts';
import type { NetName } from './nets.ts';
import { buildNet, inputShapeOf, NETS } from './nets.ts';
import { classification } from '../src/tasks/classification.ts';
import { table } from './processes.ts';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'cnn' },
    batch: { type: 'string', default: '128' },
    steps: { type: 'string', default: '20' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const [batchSize, steps] = [Number(options.batch), Number(options.steps)];
const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-profile-'));

interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

try {
  await run();
  const [file] = readdirSync(folder);
  const trace = path.join(folder, file!);
  if (options.json !== undefined) copyFileSync(trace, options.json);
  print(JSON.parse(readFileSync(trace, 'utf8')) as Event[]);
} finally {
  rmSync(folder, { recursive: true });
}

/** The steps of one session; its trace is written when it ends. */
async function run(): Promise<void> {
  install();
  setEvaluator(evaluator);
  await tf.setBackend('limbeck');
  const isNet = NETS.includes(options.model as NetName);
  const inputShape = isNet ? inputShapeOf(options.model as NetName) : [28, 28, 1];
  const built = isNet
    ? buildNet(options.model as NetName)
    : buildModel(options.model, { inputShape, classes: 10, seed: 1 });
  const network = layersNetwork(built);
  const loss = createLoss('ce');
  const optimizer = createOptimizer({ type: 'adam' }, network.trainable);
  const program = trainingProgram({ task: classification(10), network, loss, optimizer, batchSize });
  const graph = traceProgram(program);
  const initial = new Map(
    await Promise.all(
      Array.from(
        graph.state,
        async ([name, type]) => [name, { type, data: await program.state[name]!.data() }] as const,
      ),
    ),
  );
  const size = blockSize();
  const session = {
    ...sessionOptions('cpu', { threads: Number(options.threads) }),
    ...{ enableProfiling: true, profileFilePrefix: path.join(folder, 'step') },
  };
  const step = new OnnxRuntimeStep(graph, initial, session, {}, size === undefined ? {} : { blocked: { size } });
  const hyper = Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, Float32Array.of(value)]);
  const feeds = {
    ...(Object.fromEntries(hyper) as Record<string, Float32Array>),
    x: Float32Array.from({ length: batchSize * inputShape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
    labels: Int32Array.from({ length: batchSize }, (_, i) => i % 10),
    weights: new Float32Array(batchSize).fill(1),
  };
  for (let i = 1; i <= steps; i++) await step.run({ ...feeds, ...optimizer.feedValues(i, 1e-3) }, i);
  await step.dispose();
}

function print(events: readonly Event[]): void {
  const nodes = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const total = nodes.reduce((sum, { dur }) => sum + dur, 0);
  const by = (key: (event: Event) => string): string[][] => {
    const sums = new Map<string, number>();
    for (const event of nodes) sums.set(key(event), (sums.get(key(event)) ?? 0) + event.dur);
    return [...sums]
      .sort(([, a], [, b]) => b - a)
      .map(([name, us]) => [name, (us / 1000 / steps).toFixed(3), ((100 * us) / total).toFixed(1)]);
  };
  console.log(`${options.model}, batch ${batchSize}: ${(total / 1000 / steps).toFixed(2)} ms a step in kernels\n`);
  console.log(
    table(
      ['operator', 'ms', '%'],
      by(({ args }) => args?.op_name ?? '?'),
    ),
  );
  const first = by(({ name, args }) => `${name.replace(/_kernel_time$/, '')} (${args?.op_name ?? '?'})`).slice(0, 20);
  console.log(`\n${table(['node', 'ms', '%'], first)}`);
}
