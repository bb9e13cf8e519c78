import * as tf from '@tensorflow/tfjs-core';
import { SMALL_NET_NAMES, buildNet, inputShapeOf } from '../../bench/nets.ts';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss } from '../support/losses.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import type { Engine, State } from '../../src/runtime/engine.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { setEvaluator } from '../../src/trace/evaluate.ts';
import { install } from '../../src/trace/install.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { trainingProgram } from '../../src/train/step/step.ts';

const BATCH = 8;
const STEPS = 3;
/** Small, so that three steps measure the kernels and not how a net with batch norms amplifies rounding. */
const LEARNING_RATE = 1e-3;

beforeAll(async () => {
  install();
  setEvaluator(evaluator);
  await tf.setBackend('limbeck');
});

/** Weights that depend on the seed alone, so that every run of this test computes the same thing. */
function seeded(net: string): ReturnType<typeof buildNet> {
  const model = buildNet(net);
  const random = new RandomStream('webgpu weights', net);
  for (const variable of Object.values(layersNetwork(model).trainable)) {
    const { shape } = variable;
    if (shape.length < 2) continue;
    const fanIn = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: fanIn * shape.at(-1)! }, () => random.normal() * Math.sqrt(2 / fanIn));
    variable.assign(tf.tensor(values, shape));
  }
  return model;
}

interface Training {
  readonly losses: readonly number[];
  /** The momentum buffers after the first step: its gradients. */
  readonly gradients: State;
  /** What all steps changed. */
  readonly state: State;
}

/** Both devices start from the content of the same variables. */
async function train(engine: Engine, net: string, model: ReturnType<typeof buildNet>): Promise<Training> {
  const loss = createLoss('ce');
  const optimizer = createOptimizer({ type: 'momentum' }, layersNetwork(model).trainable);
  const step = await engine.compile(
    trainingProgram({ task: classification(10), network: layersNetwork(model), loss, optimizer, batchSize: BATCH }),
  );
  const random = new RandomStream('webgpu', net);
  const size = BATCH * inputShapeOf(net).reduce((a, b) => a * b, 1);
  const losses: number[] = [];
  let gradients: State = new Map();
  for (let i = 0; i < STEPS; i++) {
    const results = await step.run({
      x: Float32Array.from({ length: size }, () => random.normal()),
      labels: Int32Array.from({ length: BATCH }, () => random.below(10)),
      weights: new Float32Array(BATCH).fill(1),
      'hyper/labelSmoothing': Float32Array.of(0),
      ...optimizer.feedValues(i, LEARNING_RATE),
    });
    losses.push((results.loss as Float32Array)[0]!);
    if (i === 0) gradients = new Map([...(await step.state())].filter(([name]) => name.startsWith('sgd.momentum/')));
  }
  const state = await step.state();
  await step.dispose();
  return { losses, gradients, state };
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function normOf(state: State): number {
  return Math.hypot(...[...state.values()].map(({ data }) => norm(data as Float32Array)));
}

/** By tensor, the norm of the difference. */
function differences(a: State, b: State): Map<string, number> {
  return new Map(
    [...a].map(([name, { data }]) => {
      const other = b.get(name)!.data as Float32Array;
      return [name, norm((data as Float32Array).map((value, i) => value - other[i]!))];
    }),
  );
}

/**
 * Norms, not largest differences: another order of summation can put a pre-activation on the other side of a relu's zero,
 * which is one large difference and no error: a hundredth of a small tensor's norm, seen with resnet8. So a single tensor is
 * given more room than all together, far less than a wrong kernel would need. A gradient that is zero but for rounding (a scale before the next batch norm) is
 * measured against the others.
 */
function expectClose(own: State, other: State): void {
  const found = differences(own, other);
  const whole = normOf(own);
  for (const [name, difference] of found) {
    const relative = difference / Math.max(norm(own.get(name)!.data as Float32Array), 1e-3 * whole);
    if (!(relative < 5e-2)) throw new Error(`${name} differs by ${relative} of its norm`);
  }
  expect(Math.hypot(...found.values()) / whole).toBeLessThan(5e-3);
}

it.each(SMALL_NET_NAMES)(
  '%s: gradients of a step and the state after three on webgpu equal those on cpu',
  async (net) => {
    const model = seeded(net);
    const cpu = await train(createOnnxRuntimeEngine({ device: 'cpu' }), net, model);
    const gpu = await train(createOnnxRuntimeEngine({ device: 'webgpu' }), net, model);
    cpu.losses.forEach((loss, i) => expect(Math.abs(gpu.losses[i]! - loss) / loss).toBeLessThan(1e-3));
    expect(normOf(cpu.gradients)).toBeGreaterThan(0.1);
    expectClose(cpu.gradients, gpu.gradients);
    expectClose(cpu.state, gpu.state);
  },
  300_000,
);
