import * as tf from '@tensorflow/tfjs-core';
import { unitsOf } from '../../../src/train/optimizers/max-norm.ts';
import { createOptimizer, type OptimizerConfig } from '../../../src/train/optimizers/optimizers.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

/** The gradients of ten steps for a [2, 2] matrix and a [2] vector: anything that changes sign and size. */
const gradient = (step: number, i: number): number => Math.sin(3 * step + i) * (1 + (i % 3)) + 0.1 * i;
const STEPS = 10;
const RATES = Array.from({ length: STEPS }, (_, step) => 0.1 / (1 + step));
const MATRIX = [0.5, -1, 2, 0.25];
const VECTOR = [1, -0.5];

/** What ten steps make of the two variables. */
function trained(
  config: OptimizerConfig,
  factor = 1,
  rateOf?: (name: string) => number,
): { matrix: number[]; vector: number[] } {
  const variables = { matrix: tf.variable(tf.tensor2d(MATRIX, [2, 2])), vector: tf.variable(tf.tensor1d(VECTOR)) };
  const optimizer = createOptimizer(config, variables, rateOf);
  for (let step = 0; step < STEPS; step++) {
    const values = optimizer.feedValues(step, factor * RATES[step]!);
    expect(Object.keys(values)).toEqual(Object.keys(optimizer.feeds));
    const feeds = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tf.scalar(value[0]!)]));
    const matrix = tf.tensor2d(
      MATRIX.map((_, i) => gradient(step, i)),
      [2, 2],
    );
    const vector = tf.tensor1d(VECTOR.map((_, i) => gradient(step, 4 + i)));
    optimizer.apply({ matrix, vector }, feeds);
  }
  return { matrix: [...variables.matrix.dataSync()], vector: [...variables.vector.dataSync()] };
}

/** One weight through ten steps of the textbook formula, in double precision. `i` says which gradient it sees. */
type Textbook = (p: number, i: number, decays: boolean) => number;

function expectLike(config: OptimizerConfig, textbook: Textbook): void {
  const { matrix, vector } = trained(config);
  matrix.forEach((value, i) => {
    expect(value).toBeCloseTo(textbook(MATRIX[i]!, i, true), 5);
  });
  vector.forEach((value, i) => {
    expect(value).toBeCloseTo(textbook(VECTOR[i]!, 4 + i, config.decay === 'all'), 5);
  });
}

const momentum =
  (mu: number, decay: number, nesterov: boolean): Textbook =>
  (p, i, decays) => {
    let buffer = 0;
    for (let step = 0; step < STEPS; step++) {
      const g = gradient(step, i) + (decays ? decay * p : 0);
      buffer = mu * buffer + g;
      p -= RATES[step]! * (nesterov ? g + mu * buffer : buffer);
    }
    return p;
  };

/** Kingma & Ba 2015, Algorithm 1; `decoupled` as in Loshchilov & Hutter 2019, Algorithm 2. */
const adam =
  (decay: number, decoupled: boolean, b1 = 0.9, b2 = 0.999, epsilon = 1e-8): Textbook =>
  (p, i, decays) => {
    let [m, v] = [0, 0];
    for (let step = 0; step < STEPS; step++) {
      const g = gradient(step, i) + (decays && !decoupled ? decay * p : 0);
      if (decays && decoupled) p -= RATES[step]! * decay * p;
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      p -= (RATES[step]! * (m / (1 - b1 ** (step + 1)))) / (Math.sqrt(v / (1 - b2 ** (step + 1))) + epsilon);
    }
    return p;
  };

describe('ten steps agree with the textbook', () => {
  it('sgd', () => expectLike({ type: 'sgd' }, momentum(0, 0, false)));
  it('momentum', () => expectLike({ type: 'momentum' }, momentum(0.9, 0, false)));
  it('nesterov with L2', () =>
    expectLike({ type: 'nesterov', momentum: 0.8, weightDecay: 0.1 }, momentum(0.8, 0.1, true)));
  it('adam', () => expectLike({ type: 'adam' }, adam(0, false)));
  it('adam with L2', () => expectLike({ type: 'adam', weightDecay: 0.1 }, adam(0.1, false)));
  it('adamw', () => expectLike({ type: 'adamw', weightDecay: 0.3 }, adam(0.3, true)));
  it('adamw with a large epsilon', () =>
    expectLike({ type: 'adamw', epsilon: 0.1, beta1: 0.5, beta2: 0.9 }, adam(0, true, 0.5, 0.9, 0.1)));
  it('adamw that decays vectors too', () =>
    expectLike({ type: 'adamw', weightDecay: 0.3, decay: 'all' }, adam(0.3, true)));
  it('rmsprop', () =>
    expectLike({ type: 'rmsprop', beta2: 0.9, epsilon: 1e-3 }, (p, i) => {
      let v = 0;
      for (let step = 0; step < STEPS; step++) {
        const g = gradient(step, i);
        v = 0.9 * v + 0.1 * g * g;
        p -= (RATES[step]! * g) / (Math.sqrt(v) + 1e-3);
      }
      return p;
    }));
});

it('adam stays exact after a million steps', () => {
  const optimizer = createOptimizer({ type: 'adam' }, {});
  const { stepSize, epsilon } = optimizer.feedValues(1_000_000, 0.01);
  expect(stepSize![0]).toBeCloseTo((0.01 * 0.1) / Math.sqrt(0.001), 7);
  expect(epsilon![0]).toBeCloseTo(1e-8 / Math.sqrt(0.001), 12);
});

describe('clipping', () => {
  const step = (clipNorm: number): number[] => {
    const variables = { a: tf.variable(tf.tensor1d([0, 0])), b: tf.variable(tf.tensor1d([0])) };
    const optimizer = createOptimizer({ type: 'sgd', clipNorm }, variables);
    const feeds = { learningRate: tf.scalar(1), clipNorm: tf.scalar(clipNorm) };
    optimizer.apply({ a: tf.tensor1d([2, -3]), b: tf.tensor1d([6]) }, feeds);
    return [...variables.a.dataSync(), ...variables.b.dataSync()];
  };

  it('scales all gradients by one factor to the global norm', () => {
    // The global norm of (2, -3, 6) is 7.
    const values = step(3.5);
    [-1, 1.5, -3].forEach((value, i) => expect(values[i]).toBeCloseTo(value, 6));
  });

  it('leaves gradients below the norm as they are', () => {
    expect(step(8)).toEqual([-2, 3, -6]);
  });

  it('survives gradients of zero', () => {
    const variables = { a: tf.variable(tf.tensor1d([1])) };
    const optimizer = createOptimizer({ type: 'sgd', clipNorm: 1 }, variables);
    optimizer.apply({ a: tf.zeros([1]) }, { learningRate: tf.scalar(1), clipNorm: tf.scalar(1) });
    expect([...variables.a.dataSync()]).toEqual([1]);
  });
});

describe('a limit on the norm of what comes into a unit', () => {
  const limited = (shape: number[], values: number[], maxNorm: number, axis: number): number[] => {
    const weight = tf.variable(tf.tensor(values, shape));
    const optimizer = createOptimizer({ type: 'sgd', maxNorm }, { weight }, () => 1, new Map([['weight', axis]]));
    optimizer.apply({ weight: tf.zeros(shape) }, { learningRate: tf.scalar(1) });
    return [...weight.dataSync()];
  };

  it('scales the longer ones back to it, and leaves the others alone', () => {
    // Columns of lengths 5 and 1.
    const close = [1.5, 1, 2, 0].map((value) => expect.closeTo(value, 6) as number);
    expect(limited([2, 2], [3, 1, 4, 0], 2.5, 1)).toEqual(close);
    // The same units along the first axis of a transposed convolution.
    expect(limited([2, 2], [3, 4, 1, 0], 2.5, 0)).toEqual(
      [1.5, 2, 1, 0].map((value) => expect.closeTo(value, 6) as number),
    );
    expect(limited([2, 2], [0, 0, 0, 0], 2.5, 1)).toEqual([0, 0, 0, 0]);
  });

  it('knows the units of convolutions, transposed ones too, and of dense layers', () => {
    const kernel = (name: string, shape: number[], inputs: number) => ({ name, shape, inputs });
    const kernels = [kernel('dense', [5, 3], 0), kernel('conv', [3, 3, 5, 7], 2), kernel('up', [3, 3, 7, 5], 3)];
    expect([...unitsOf(kernels)]).toEqual([
      ['dense', 1],
      ['conv', 3],
      ['up', 2],
    ]);
  });
});

it('names slots after their variables and starts them at zero', () => {
  const optimizer = createOptimizer({ type: 'adamw' }, { 'stem/kernel': tf.variable(tf.ones([2, 3])) });
  expect(Object.keys(optimizer.slots)).toEqual(['adam.m/stem/kernel', 'adam.v/stem/kernel']);
  expect([...optimizer.slots['adam.v/stem/kernel']!.dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
});

it('feeds no weight decay where there is none', () => {
  expect(Object.keys(createOptimizer({ type: 'adamw' }, {}).feeds)).toEqual(['stepSize', 'epsilon']);
});

it.each<OptimizerConfig>([
  { type: 'sgd', weightDecay: 0.1 },
  { type: 'nesterov', weightDecay: 0.1 },
  { type: 'rmsprop' },
  { type: 'adam', weightDecay: 0.1 },
  { type: 'adamw', weightDecay: 0.1, decay: 'all' },
])('a variable of another learning rate is trained, and decays, as all are at that rate: %j', (config) => {
  const own = trained(config, 1, (name) => (name === 'matrix' ? 0.25 : 1));
  const close = (values: readonly number[]): number[] => values.map((value) => expect.closeTo(value, 5) as number);
  expect(own.matrix).toEqual(close(trained(config, 0.25).matrix));
  expect(own.vector).toEqual(close(trained(config).vector));
});
