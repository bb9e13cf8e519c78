import * as tf from '@tensorflow/tfjs-core';
import type { NetName } from '../../bench/nets.ts';
import { buildNet, inputShapeOf, NETS } from '../../bench/nets.ts';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss } from '../../src/distill/losses/registry.ts';
import type { Engine, State } from '../../src/runtime/engine.ts';
import { evaluator } from '../../src/runtime/evaluator.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime.ts';
import { setEvaluator } from '../../src/trace/evaluate.ts';
import { install } from '../../src/trace/install.ts';
import { createOptimizer } from '../../src/train/optimizers.ts';
import { modelState, trainingProgram } from '../../src/train/step.ts';

const BATCH = 4;
const STEPS = 3;

beforeAll(async () => {
  install();
  setEvaluator(evaluator);
  await tf.setBackend('limbeck');
});

/** Weights that depend on the seed alone, so that every run of this test computes the same thing. */
function seeded(net: NetName): ReturnType<typeof buildNet> {
  const model = buildNet(net);
  const random = new RandomStream('webgpu weights', net);
  for (const variable of Object.values(modelState(model).trainable)) {
    const { shape } = variable;
    if (shape.length < 2) continue;
    const fanIn = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: fanIn * shape.at(-1)! }, () => random.normal() * Math.sqrt(2 / fanIn));
    variable.assign(tf.tensor(values, shape));
  }
  return model;
}

/** Both devices start from the content of the same variables. */
async function train(
  engine: Engine,
  net: NetName,
  model: ReturnType<typeof buildNet>,
): Promise<{ losses: number[]; state: State }> {
  const loss = createLoss('ce');
  const optimizer = createOptimizer({ type: 'momentum' }, modelState(model).trainable);
  const step = await engine.compile(trainingProgram({ model, loss, optimizer, batchSize: BATCH }));
  const random = new RandomStream('webgpu', net);
  const size = BATCH * inputShapeOf(net).reduce((a, b) => a * b, 1);
  const losses: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const results = await step.run({
      x: Float32Array.from({ length: size }, () => random.normal()),
      labels: Int32Array.from({ length: BATCH }, () => random.below(10)),
      weights: new Float32Array(BATCH).fill(1),
      'hyper/labelSmoothing': Float32Array.of(0),
      ...optimizer.feedValues(i, 0.01),
    });
    losses.push((results.loss as Float32Array)[0]!);
  }
  const state = await step.state();
  await step.dispose();
  return { losses, state };
}

/**
 * Norm of the difference relative to the norm of the tensor. Not the largest difference: another order of summation can
 * put a pre-activation on the other side of a relu's zero, which is one large difference and no error.
 */
function difference(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.max(Math.hypot(...a), 1e-3);
}

it.each(NETS)(
  '%s: three training steps on webgpu equal those on cpu within 1e-3',
  async (net) => {
    const model = seeded(net);
    const cpu = await train(createOnnxRuntimeEngine({ device: 'cpu' }), net, model);
    const gpu = await train(createOnnxRuntimeEngine({ device: 'webgpu' }), net, model);
    cpu.losses.forEach((loss, i) => expect(Math.abs(gpu.losses[i]! - loss) / loss).toBeLessThan(1e-3));
    for (const [name, { data }] of cpu.state) {
      const other = gpu.state.get(name)!.data;
      const worst = difference(data as Float32Array, other as Float32Array);
      if (!(worst < 1e-3)) throw new Error(`${name} differs by ${worst}`);
    }
    expect(cpu.losses.every(Number.isFinite)).toBe(true);
  },
  300_000,
);
