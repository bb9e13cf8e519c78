import type { TensorData } from '../../src/graph/types.ts';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss } from './losses.ts';
import type { AnyLoss } from '../../src/distill/losses/registry.ts';
import { layerOutput } from '../../src/networks/models/info.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import type { Engine, State } from '../../src/runtime/engine.ts';
import type { FeaturePair } from '../../src/train/step/loss.ts';
import { LossScale } from '../../src/train/step/loss-scale.ts';
import { createOptimizer, type OptimizerConfig } from '../../src/train/optimizers/optimizers.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { trainingProgram } from '../../src/train/step/step.ts';

const [BATCH, CLASSES] = [4, 3];
export interface Setup {
  readonly model: string;
  readonly inputShape: number[];
  readonly options?: Record<string, unknown>;
  readonly loss?: AnyLoss;
  /** A layer of the student, compared with a made-up feature of the teacher of this shape. */
  readonly feature?: { readonly layer: string; readonly teacherShape: number[] };
  readonly optimizer?: OptimizerConfig;
  readonly rate?: number;
  /** Products in float16, with a scaled loss. */
  readonly mixed?: boolean;
  /** Factor on the inputs. */
  readonly loud?: number;
}

const picture = { inputShape: [6, 6, 1] };
export const setups: Record<string, Setup> = {
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

export interface Trained {
  readonly losses: readonly number[];
  /** Before the first of these steps. */
  readonly initial: State;
  readonly state: State;
}

/**
 * Losses of steps `from` to `to` and the state after them; `start` is the state before them, by default the model's.
 * `perCall` steps are handed over at once.
 */
export async function trained(
  setup: Setup,
  engine: Engine,
  to: number,
  from = 0,
  start: State = new Map(),
  perCall = 1,
): Promise<Trained> {
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
  const trainable = { ...layersNetwork(model).trainable, ...loss.variables };
  const optimizer = createOptimizer(setup.optimizer ?? { type: 'momentum', weightDecay: 1e-3 }, trainable);
  const lossScale = setup.mixed === true ? new LossScale() : undefined;
  const step = await engine.compile(
    trainingProgram({
      task: classification(CLASSES),
      network: layersNetwork(model),
      loss,
      optimizer,
      batchSize: BATCH,
      lossScale,
    }),
    {
      randomKey: ['engine test'],
      precision: setup.mixed === true ? 'mixed' : 'full',
    },
  );
  const losses: number[] = [];
  await step.load(start);
  const initial = await step.state();
  const feedsAt = (i: number): Record<string, TensorData> => ({
    ...louder(feedsOf(step.inputs, i, setup.options?.['vocabulary'] as number | undefined), setup.loud),
    ...optimizer.feedValues(i, setup.rate ?? 0.01),
    ...hyper(loss.hyper),
  });
  for (let i = from; i < to; i += perCall) {
    const count = Math.min(perCall, to - i);
    const feeds = Array.from({ length: count }, (_, k) => feedsAt(i + k));
    const all = perCall === 1 ? [await step.run(feeds[0]!, i)] : await step.runs!(feeds, i);
    for (const results of all) losses.push(Number(results['loss']![0]));
  }
  const state = await step.state();
  await step.dispose();
  return { losses, initial, state };
}

/** The steps of both as one training. */
export function followed(first: Trained, rest: Trained): Trained {
  return { losses: [...first.losses, ...rest.losses], initial: first.initial, state: rest.state };
}

const hyper = (values: Readonly<Record<string, number>>): Record<string, TensorData> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`hyper/${name}`, Float32Array.of(value)]));

function louder({ x, ...feeds }: Record<string, TensorData>, factor = 1): Record<string, TensorData> {
  return { ...feeds, x: (x as Float32Array).map((value) => value * factor) };
}

/** Data for every feed that is not a number of the optimizer or the loss. */
function feedsOf(
  inputs: ReadonlyMap<string, { dtype: string; shape: readonly unknown[] }>,
  step: number,
  vocabulary?: number,
): Record<string, TensorData> {
  const feeds: Record<string, TensorData> = {};
  for (const [name, { dtype, shape }] of inputs) {
    if (shape.length === 0) continue;
    const random = new RandomStream('engine test', name, step);
    const length = shape.map(Number).reduce((a, b) => a * b, 1);
    if (name === 'weights') feeds[name] = Float32Array.from({ length }, (_, i) => 1 + (i % 2));
    else if (name === 'labels') feeds[name] = Int32Array.from({ length }, () => random.below(CLASSES));
    else if (dtype === 'int32') feeds[name] = Int32Array.from({ length }, () => random.below(12));
    else if (name === 'x' && vocabulary !== undefined)
      feeds[name] = Float32Array.from({ length }, () => random.below(vocabulary));
    else feeds[name] = Float32Array.from({ length }, () => random.normal());
  }
  return feeds;
}

/**
 * Throws unless losses and all variables agree within `tolerance`: every value relative to the largest of its variable, and
 * what training moved a variable by (the norm of the error relative to that of the movement). The floors are that share
 * of the largest variable, resp. movement: what is far below those is float32 rounding, e.g. the gradient of a bias
 * before a normalization, which is zero but for that.
 */
export function expectSame(actual: Trained, expected: Trained, tolerance = 1e-4): void {
  expected.losses.forEach((loss, i) =>
    expect(Math.abs(actual.losses[i]! - loss)).toBeLessThan(tolerance * Math.max(FLOOR, Math.abs(loss))),
  );
  expect([...actual.state.keys()].sort()).toEqual([...expected.state.keys()].sort());
  const compared = [...expected.state].map(([variable, { data }]) => {
    const theirs = Array.from(data, Number);
    const ours = Array.from(actual.state.get(variable)!.data, Number);
    const before = expected.initial.get(variable)!.data;
    const error = theirs.map((value, i) => ours[i]! - value);
    const movement = theirs.map((value, i) => value - Number(before[i]));
    const size = largest(theirs);
    // What rounding to float32 after each step may add up to: no less can be held of a variable that hardly moves.
    const rounding = 2 ** -24 * size * Math.sqrt(theirs.length * expected.losses.length);
    return { variable, size, worst: largest(error), moved: norm(movement), error: norm(error), rounding };
  });
  const [size, moved] = [largest(compared.map((c) => c.size)), largest(compared.map((c) => c.moved))];
  const apart = compared.flatMap((c) => {
    const ofSize = c.worst / Math.max(c.size, FLOOR * size);
    const ofMovement = c.error < c.rounding ? 0 : c.error / Math.max(c.moved, FLOOR * moved);
    return Math.max(ofSize, ofMovement) < tolerance ? [] : [{ ...c, ofSize, ofMovement }];
  });
  expect(apart).toEqual([]);
}

const FLOOR = 1e-3;
const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
