/**
 * One process, one measurement: `node memory-child.js MODEL SIZE CHANNELS BATCH` prints a JSON line: what three training steps of a
 * model of the registry, with Adam, add to the process at the highest, and what was foretold. In MB.
 */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../src/distill/losses/registry.ts';
import { layersNetwork } from '../src/networks/layers.ts';
import { buildModel } from '../src/networks/models/registry.ts';
import { createOnnxRuntimeEngine, evaluator } from '../src/runtime/onnxruntime.ts';
import { setEvaluator } from '../src/trace/evaluate.ts';
import { install } from '../src/trace/install.ts';
import { createOptimizer } from '../src/train/optimizers.ts';
import { classification } from '../src/tasks/classification.ts';
import { trainingProgram } from '../src/train/step.ts';

const [name, ...numbers] = process.argv.slice(2);
const [size, channels, batchSize] = numbers.map(Number) as [number, number, number];
const inputShape = [size, size, channels];
const engine = createOnnxRuntimeEngine({ device: 'cpu' });
install();
setEvaluator(evaluator);
await tf.setBackend('limbeck');
const network = layersNetwork(buildModel(name!, { inputShape, classes: 10, seed: 1 }));
const loss = createLoss('ce', { hyper: { labelSmoothing: 0 }, features: [], seed: 1 });
const optimizer = createOptimizer({ type: 'adam' }, network.trainable);
const feeds = {
  x: new Float32Array(batchSize * size * size * channels).map((_, i) => Math.sin(i)),
  labels: Int32Array.from({ length: batchSize }, (_, i) => i % 10),
  weights: new Float32Array(batchSize).fill(1),
  'hyper/labelSmoothing': Float32Array.of(0),
};
const before = resident('VmRSS');
const step = await engine.compile(trainingProgram({ task: classification(10), network, loss, optimizer, batchSize }));
for (let i = 0; i < 3; i++) await step.run({ ...feeds, ...optimizer.feedValues(i, 1e-3) });
const peak = resident('VmHWM') - before;
console.log(JSON.stringify({ peak: Math.round(peak / 1e6), estimate: Math.round(step.memoryBytes! / 1e6) }));

/** Bytes, as Linux tells them. */
function resident(key: string): number {
  const [, kibibytes] = new RegExp(`^${key}:\\s*(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))!;
  return 1024 * Number(kibibytes);
}
