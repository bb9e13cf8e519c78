import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss } from '../../src/distill/losses/registry.ts';
import type { TensorData } from '../../src/graph/types.ts';
import { layerOutput } from '../../src/models/info.ts';
import { buildModel } from '../../src/models/registry.ts';
import type { Engine, State } from '../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime.ts';
import type { FeaturePair } from '../../src/train/loss.ts';
import { createOptimizer, type OptimizerConfig } from '../../src/train/optimizers.ts';
import { modelState, trainingProgram } from '../../src/train/step.ts';
import { useCpu } from '../support/cpu.ts';
import { eagerEngine } from '../support/eager-engine.ts';

beforeAll(useCpu);

const [BATCH, CLASSES] = [4, 3];
/** tfjs' cpu convolutions are slow: nets that have them take fewer steps. */
const [STEPS, CONVOLUTION_STEPS] = [20, 4];

interface Setup {
  readonly model: string;
  readonly inputShape: number[];
  readonly options?: Record<string, unknown>;
  readonly loss?: string;
  /** A layer of the student, compared with a made-up feature of the teacher of this shape. */
  readonly feature?: { readonly layer: string; readonly teacherShape: number[] };
  readonly optimizer?: OptimizerConfig;
  readonly rate?: number;
}

const picture = { inputShape: [6, 6, 1] };
const setups: Record<string, Setup> = {
  'mlp, adamw': { model: 'mlp', inputShape: [6], optimizer: { type: 'adamw', weightDecay: 0.05, clipNorm: 1 } },
  'mlp, rmsprop': { model: 'mlp', inputShape: [6], optimizer: { type: 'rmsprop', beta2: 0.9, epsilon: 1e-3 } },
  lenet: { model: 'lenet', ...picture },
  'ds-cnn, kd': { model: 'ds-cnn', ...picture, options: { width: 0.5 }, loss: 'kd' },
  'resnet8, dkd': { model: 'resnet', ...picture, options: { depth: 8, width: 0.5 }, loss: 'dkd' },
  gru: { model: 'gru', inputShape: [5, 3], options: { units: 7 } },
  'transformer of two layers': {
    model: 'text-transformer',
    inputShape: [6],
    options: { vocabulary: 12, size: 8, heads: 2 },
  },
  'ds-cnn, hint': {
    model: 'ds-cnn',
    ...picture,
    options: { width: 0.5 },
    loss: 'hint',
    feature: { layer: 'stem1_relu', teacherShape: [3, 3, 5] },
    rate: 1e-4,
  },
  'ds-cnn, attention': {
    model: 'ds-cnn',
    ...picture,
    options: { width: 0.5 },
    loss: 'attention',
    feature: { layer: 'stem2_relu', teacherShape: [3, 3, 5] },
    rate: 1e-4,
  },
};

/** Losses of some steps and the state after them. */
async function trained(setup: Setup, engine: Engine): Promise<{ losses: number[]; state: State }> {
  const { inputShape, feature, loss: lossName = 'ce' } = setup;
  const model = buildModel(setup.model, { inputShape, classes: CLASSES, seed: 5, options: setup.options ?? {} });
  const features: FeaturePair[] =
    feature === undefined
      ? []
      : [
          {
            student: feature.layer,
            studentShape: layerOutput(model, feature.layer).shape.slice(1).map(Number),
            teacher: 'inner',
            teacherShape: feature.teacherShape,
          },
        ];
  const loss = createLoss(lossName, { features, seed: 2 });
  const trainable = { ...modelState(model).trainable, ...loss.variables };
  const optimizer = createOptimizer(setup.optimizer ?? { type: 'momentum', weightDecay: 1e-3 }, trainable);
  const step = await engine.compile(trainingProgram({ model, loss, optimizer, batchSize: BATCH }));
  const losses: number[] = [];
  const steps = inputShape.length === 3 ? CONVOLUTION_STEPS : STEPS;
  for (let i = 0; i < steps; i++) {
    const results = await step.run({
      ...feedsOf(step.inputs, i),
      ...optimizer.feedValues(i, setup.rate ?? 0.01),
      ...hyper(loss.hyper),
    });
    losses.push(Number(results['loss']![0]));
  }
  const state = await step.state();
  await step.dispose();
  return { losses, state };
}

const hyper = (values: Readonly<Record<string, number>>): Record<string, TensorData> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`hyper/${name}`, Float32Array.of(value)]));

/** Data for every feed that is not a number of the optimizer or the loss. */
function feedsOf(
  inputs: ReadonlyMap<string, { dtype: string; shape: readonly unknown[] }>,
  step: number,
): Record<string, TensorData> {
  const feeds: Record<string, TensorData> = {};
  for (const [name, { dtype, shape }] of inputs) {
    if (shape.length === 0) continue;
    const random = new RandomStream('engine test', name, step);
    const length = shape.map(Number).reduce((a, b) => a * b, 1);
    if (name === 'weights') feeds[name] = Float32Array.from({ length }, (_, i) => 1 + (i % 2));
    else if (name === 'labels') feeds[name] = Int32Array.from({ length }, () => random.below(CLASSES));
    else if (dtype === 'int32') feeds[name] = Int32Array.from({ length }, () => random.below(12));
    else feeds[name] = Float32Array.from({ length }, () => random.normal());
  }
  return feeds;
}

describe('steps in ONNX Runtime agree with tfjs to 1e-4', () => {
  it.each(Object.keys(setups))('%s', async (name) => {
    const setup = setups[name]!;
    const expected = await trained(setup, eagerEngine);
    const actual = await trained(setup, createOnnxRuntimeEngine({ device: 'cpu', threads: 1 }));
    await tf.setBackend('cpu');
    expected.losses.forEach((loss, i) =>
      expect(Math.abs(actual.losses[i]! - loss)).toBeLessThan(1e-4 * Math.max(1, loss)),
    );
    expect([...actual.state.keys()].sort()).toEqual([...expected.state.keys()].sort());
    for (const [variable, { data }] of expected.state) {
      const ours = Array.from(actual.state.get(variable)!.data, Number);
      const theirs = Array.from(data, Number);
      const size = Math.max(...theirs.map(Math.abs));
      const worst = Math.max(...theirs.map((value, i) => Math.abs(value - ours[i]!)));
      expect({ variable, agrees: worst < 1e-4 * Math.max(size, 1), worst }).toMatchObject({ agrees: true });
    }
  });
});

it('gives the same bytes twice', async () => {
  const run = async (): Promise<TensorData[]> => {
    const { state } = await trained(setups['ds-cnn, kd']!, createOnnxRuntimeEngine({ device: 'cpu' }));
    return [...state.values()].map(({ data }) => data.slice());
  };
  expect(await run()).toEqual(await run());
});
