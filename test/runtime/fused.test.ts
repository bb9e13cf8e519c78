import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../src/base/random.ts';
import { bytesOf, sha256 } from '../../src/base/bytes.ts';
import { createLoss } from '../support/losses.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import type { State } from '../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine, evaluator } from '../../src/runtime/onnxruntime/engine.ts';
import { classification } from '../../src/answers/classes/task.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { maskVariables } from '../../src/train/step/masks.ts';
import { unitsOf } from '../../src/train/optimizers/max-norm.ts';
import type { OptimizerConfig } from '../../src/train/optimizers/optimizers.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { trainingProgram } from '../../src/train/step/step.ts';

beforeAll(() => useLazyBackend(evaluator));

const build = () => layersNetwork(buildModel('lenet', { inputShape: [12, 12, 1], classes: 3, seed: 1, options: {} }));

/** Three steps, the last of a smaller batch, with a moving average and a mask; `from` is a state that they go on from. */
async function trained(config: OptimizerConfig, fused: boolean, steps: readonly number[] = [0, 1, 2], from?: State) {
  const network = build();
  const ema = build();
  const loss = createLoss('ce');
  const optimizer = createOptimizer(
    config,
    network.trainable,
    (name) => (name.includes('bias') ? 2 : 1),
    unitsOf(network.kernels().result),
  );
  const [masked] = Object.keys(network.trainable);
  const masks = maskVariables([masked!], network);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1, fused });
  const program = (batchSize: number) =>
    trainingProgram({ task: classification(3), network, loss, optimizer, batchSize, ema, masks });
  const whole = await engine.compile(program(8));
  const last = await engine.compile(program(5), { shareStateWith: whole });
  if (from !== undefined) await whole.load(from);
  for (const i of steps) {
    const step = i === 2 ? last : whole;
    const n = i === 2 ? 5 : 8;
    const random = new RandomStream('fused', i);
    await step.run({
      x: Float32Array.from({ length: n * 144 }, () => random.normal()),
      labels: Int32Array.from({ length: n }, () => random.below(3)),
      weights: new Float32Array(n).fill(1),
      emaDecay: Float32Array.of(0.9),
      'hyper/labelSmoothing': Float32Array.of(0),
      ...optimizer.feedValues(i, 0.01),
    });
  }
  const state = await whole.state();
  await last.dispose();
  await whole.dispose();
  return state;
}

const digest = (state: State): string[] => [...state].map(([name, { data }]) => `${name} ${sha256(bytesOf(data))}`);

it.each<OptimizerConfig>([
  { type: 'sgd' },
  { type: 'momentum', weightDecay: 1e-2 },
  { type: 'nesterov', clipNorm: 0.1 },
  { type: 'rmsprop', decay: 'all', weightDecay: 1e-2 },
  { type: 'adam', weightDecay: 1e-2 },
  { type: 'adamw', weightDecay: 1e-2, clipNorm: 0.1 },
  { type: 'adam', maxNorm: 0.5 },
])('one pass gives the bits that ONNX Runtime gives node by node: %j', async (config) => {
  expect(digest(await trained(config, true))).toEqual(digest(await trained(config, false)));
});

it('goes on from a saved state with the same bits', async () => {
  const config = { type: 'adam' } as const;
  const first = await trained(config, true, [0]);
  expect(digest(await trained(config, true, [1, 2], first))).toEqual(digest(await trained(config, true)));
});

/** Content of a number and of four after two steps. */
async function afterTwo(
  fused: boolean,
  by: number,
  run: (
    scale: tf.Variable<tf.Rank.R0>,
    values: tf.Variable<tf.Rank.R1>,
    by: tf.Tensor,
  ) => readonly [tf.Tensor, tf.Tensor],
) {
  const [scale, values] = [tf.variable(tf.scalar(2)), tf.variable(tf.tensor1d([1, 2, 3, 4]))];
  const program: StepProgram = {
    feeds: { by: { dtype: 'float32', shape: [] } },
    state: { scale, values },
    run: (given) => {
      const [grown, moved] = run(scale, values, given['by']!);
      scale.assign(grown as tf.Scalar);
      values.assign(moved as tf.Tensor1D);
      return {};
    },
  };
  const step = await createOnnxRuntimeEngine({ device: 'cpu', threads: 1, fused }).compile(program);
  for (let i = 0; i < 2; i++) await step.run({ by: Float32Array.of(by) });
  const state = await step.state();
  await step.dispose();
  return [...state].map(([name, { data }]) => [name, ...data]);
}

it.each([false, true])('a variable of one number that is written is read as it was before the step, fused: %s', async (fused) => {
  const result = afterTwo(fused, 10, (scale, values, by) => [tf.mul(scale, by), tf.add(values, scale)]);
  expect(await result).toEqual([['scale', 200], ['values', 1 + 22, 2 + 22, 3 + 22, 4 + 22]]);
}); // prettier-ignore

it.each([false, true])('a number that is computed before is read by updates of one number and of many, fused: %s', async (fused) => {
  const result = afterTwo(fused, 3, (scale, values, by) => {
    const rate = tf.floor(by);
    return [tf.mul(scale, rate), tf.mul(values, rate)];
  });
  expect(await result).toEqual([['scale', 18], ['values', 9, 18, 27, 36]]);
}); // prettier-ignore

/** Contents of two tables after three steps that subtract the same rows by the same ids, of which some are outside of both. */
async function tablesAfterSteps(fused: boolean) {
  const [large, small] = [tf.variable(tf.ones([50, 8])), tf.variable(tf.ones([5, 8]))];
  const program = (rows: number): StepProgram => ({
    feeds: { x: { dtype: 'float32', shape: [rows, 8] }, ids: { dtype: 'int32', shape: [rows] } },
    state: { large, small },
    run: ({ x, ids }) => {
      const [values, keys] = [tf.mul<tf.Tensor2D>(x!, 3), tf.sub<tf.Tensor1D>(ids!, tf.scalar(2, 'int32'))];
      large.assign(tf.sub(large, tf.unsortedSegmentSum(values, keys, 50)));
      small.assign(tf.sub(small, tf.unsortedSegmentSum(values, keys, 5)));
      return {};
    },
  });
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1, fused });
  const whole = await engine.compile(program(90));
  const last = await engine.compile(program(7), { shareStateWith: whole });
  for (const [i, step] of [whole, last, whole].entries()) {
    const [n, random] = [step === whole ? 90 : 7, new RandomStream('tables', i)];
    const ids = Int32Array.from({ length: n }, (_, at) => (at % 3 === 0 ? 4 : random.below(60)));
    await step.run({ x: Float32Array.from({ length: 8 * n }, () => random.normal()), ids });
  }
  const state = await whole.state();
  await last.dispose();
  await whole.dispose();
  return state;
}

it('sums rows by their ids with the bits of ONNX Runtime, for two tables and two batch sizes', async () => {
  const [fused, alone] = [await tablesAfterSteps(true), await tablesAfterSteps(false)];
  expect(digest(fused)).toEqual(digest(alone));
  const changed = (fused.get('large')!.data as Float32Array).filter((value) => value !== 1);
  expect(changed.length % 8).toBe(0);
  expect(changed.length).toBeGreaterThan(8 * 20);
});

describe('a divided update', () => {
  const sizes = { wide: [10, 10], few: [16], clipped: [40] };
  /** An update by momentum of three variables, of the last one by a gradient whose sum is read too. */
  async function compiled() {
    const variables = Object.fromEntries(
      Object.entries(sizes).map(([name, shape]) => [name, tf.variable(tf.ones(shape))]),
    );
    const slots = Object.fromEntries(
      Object.entries(sizes).map(([name, shape]) => [`m/${name}`, tf.variable(tf.zeros(shape))]),
    );
    const feeds = Object.fromEntries(
      Object.entries(sizes).map(([name, shape]) => [`g/${name}`, { dtype: 'float32' as const, shape }]),
    );
    const program: StepProgram = {
      feeds,
      state: { ...variables, ...slots },
      run: (given) => {
        for (const name of Object.keys(sizes)) {
          const gradient = given[`g/${name}`]!;
          const m = tf.add(tf.mul(slots[`m/${name}`]!, 0.9), gradient);
          slots[`m/${name}`]!.assign(m);
          variables[name]!.assign(tf.sub(variables[name]!, m));
        }
        return { sum: tf.sum(given['g/clipped']!) };
      },
    };
    return createOnnxRuntimeEngine({ device: 'cpu', threads: 1 }).compile(program);
  }
  const fed = Object.fromEntries(
    Object.entries(sizes).map(([name, shape]) => {
      const random = new RandomStream('divided', name.length);
      const length = shape.reduce((a, b) => a * b);
      return [`g/${name}`, Float32Array.from({ length }, () => random.normal())] as const;
    }),
  );

  it('computes the elements that it is limited to, and leaves the others', async () => {
    const [whole, part] = [await compiled(), await compiled()];
    // Of few numbers, and of a gradient that is read elsewhere: none.
    expect([...part.divisible!.keys()]).toEqual(['g/wide']);
    const ranges = [
      { from: 16, to: 32 },
      { from: 96, to: 100 },
    ];
    part.divide(new Map([['g/wide', ranges]]));
    const { 'g/wide': gradient, ...rest } = fed;
    for (let i = 0; i < 2; i++) {
      await whole.run(fed);
      const { data } = part.divisible!.get('g/wide')!;
      for (const { from, to } of ranges) data.set(gradient!.subarray(from, to), from);
      await part.run(rest);
    }
    await expect(part.run(fed)).rejects.toThrow('the step has no input g/wide');
    const [expected, state] = [await whole.state(), await part.state()];
    for (const [name, { data }] of state) {
      const isOwn = (i: number): boolean =>
        !name.endsWith('wide') || ranges.some(({ from, to }) => i >= from && i < to);
      const before = name.startsWith('m/') ? 0 : 1;
      expect(data).toEqual((expected.get(name)!.data as Float32Array).map((value, i) => (isOwn(i) ? value : before)));
    }
  });

  it('writes results where they are wanted', async () => {
    const step = await compiled();
    const place = new Float32Array(1);
    step.placeResults({ sum: place });
    const { sum } = await step.run(fed);
    expect(sum).toBe(place);
    expect(place[0]).toBeCloseTo(fed['g/clipped']!.reduce((a, b) => a + b));
    expect(() => step.placeResults({ sum: new Float32Array(2) })).toThrow('no result sum of 2');
  });
});
