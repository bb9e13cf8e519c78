/**
 * One process, one measurement: `node memory-child.js MODEL SIZE CHANNELS BATCH MICROBATCH REST` prints a JSON line: what three training
 * steps of a model of the registry, with Adam, add to the process at the highest, and what was foretold. In MB. With REST a fourth has fewer samples.
 */
import '../src/features.ts';
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../src/distill/losses/registry.ts';
import { layersNetwork } from '../src/networks/layers/layers.ts';
import { buildModel } from '../src/networks/models/registry.ts';
import { createOnnxRuntimeEngine, evaluator } from '../src/runtime/onnxruntime/engine.ts';
import { setEvaluator } from '../src/trace/evaluate.ts';
import { install } from '../src/trace/install.ts';
import { gradientProgram, updateProgram } from '../src/train/step/gradient.ts';
import { Trainer } from '../src/train/loop.ts';
import { createOptimizer } from '../src/train/optimizers/optimizers.ts';
import { classification } from '../src/answers/classes/task.ts';
import { trainingProgram } from '../src/train/step/step.ts';

const [name, ...numbers] = process.argv.slice(2);
const [size, channels, batchSize, samples, rest] = numbers.map(Number) as [number, number, number, number, number];
const inputShape = [size, size, channels];
const engine = createOnnxRuntimeEngine({ device: 'cpu' });
install();
setEvaluator(evaluator);
await tf.setBackend('limbeck');
const network = layersNetwork(buildModel(name!, { inputShape, classes: 10, seed: 1 }));
const loss = await createLoss('ce', { hyper: { labelSmoothing: 0 }, features: [], seed: 1 });
const optimizer = createOptimizer({ type: 'adam' }, network.trainable);
const batch = {
  x: new Float32Array(batchSize * size * size * channels).map((_, i) => Math.sin(i)),
  targets: Int32Array.from({ length: batchSize }, (_, i) => i % 10),
};
const batches = [batch, batch, batch];
if (rest > 0)
  batches.push({ x: batch.x.slice(0, (batch.x.length / batchSize) * rest), targets: batch.targets.slice(0, rest) });
const before = resident('VmRSS');
const task = classification(10);
const common = { network, task, loss, optimizer };
const trainer = await Trainer.create({
  ...{ engine, batchSize, optimizer, task, stepsPerEpoch: batches.length, steps: batches.length },
  program: (n) => trainingProgram({ ...common, batchSize: n }),
  parts:
    samples === batchSize
      ? undefined
      : {
          samples,
          gradient: (n) => gradientProgram({ ...common, batchSize: n }),
          update: (parts) => updateProgram({ ...common, batchSize }, parts),
        },
  batches: () => batches,
  schedule: () => 1e-3,
  hyper: () => ({ labelSmoothing: 0 }),
});
const estimate = trainer.steps.memoryBytes(rest)!;
const start = performance.now();
for await (const step of trainer.run()) if (!Number.isFinite(step.loss)) throw new Error('it diverged');
const seconds = (performance.now() - start) / 1000 / batches.length;
const peak = resident('VmHWM') - before;
console.log(JSON.stringify({ peak: Math.round(peak / 1e6), estimate: Math.round(estimate / 1e6), seconds }));

/** Bytes, as Linux tells them. */
function resident(key: string): number {
  const [, kibibytes] = new RegExp(`^${key}:\\s*(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))!;
  return 1024 * Number(kibibytes);
}
