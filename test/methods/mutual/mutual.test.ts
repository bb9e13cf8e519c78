import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { RandomStream } from '../../../src/base/random.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import { createOnnxRuntimeEngine, evaluator } from '../../../src/runtime/onnxruntime/engine.ts';
import type { Engine, State } from '../../../src/runtime/engine.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import type { TrainingBatch } from '../../../src/train/step/batch.ts';
import { CLASSES, pairTrainer } from './pair.ts';
import type { PairSetup } from './pair.ts';

beforeAll(() => useLazyBackend(evaluator));

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const [BATCH, SIZE, RATE] = [5, 4, 0.7];

const dense = (seed: number, rest: object = {}) =>
  layers.dense({
    ...{ name: 'd', units: CLASSES, kernelInitializer: initializers.glorotUniform({ seed }) },
    ...rest,
  });
const linear = (seed: number) => (): ModelNetwork =>
  layersNetwork(sequential({ layers: [dense(seed, { inputShape: [SIZE] })] }));
const normed = (seed: number) => (): ModelNetwork =>
  layersNetwork(
    sequential({
      layers: [layers.batchNormalization({ name: 'bn', inputShape: [SIZE], momentum: 0.9 }), dense(seed)],
    }),
  );

function batchOf(index: number): TrainingBatch {
  const random = new RandomStream('mutual', index);
  return {
    x: Float32Array.from({ length: BATCH * SIZE }, () => 2 * random.normal()),
    targets: Int32Array.from({ length: BATCH }, () => random.below(CLASSES)),
    weights: Float32Array.from({ length: BATCH }, (_, i) => (i === 2 ? 0 : 0.5 + random.uniform())),
  };
}

const BATCHES = [0, 1, 2].map(batchOf);

async function trained(setup: PairSetup, steps = BATCHES.length) {
  const { trainer } = await pairTrainer(engine, { rate: RATE, ...setup }, BATCHES.slice(0, steps));
  const initial = await trainer.state();
  const losses: Readonly<Record<string, number>>[] = [];
  for await (const { loss, parts } of trainer.run()) losses.push({ loss, ...parts });
  const state = await trainer.state();
  await trainer.dispose();
  return { initial, state, losses };
}

const numbers = (state: State, name: string): number[] => [...(state.get(name)!.data as Float32Array)];

/** A student without hidden layers, in double precision: logits are x · kernel + bias. */
interface Linear {
  readonly kernel: readonly number[];
  readonly bias: readonly number[];
}

const linearOf = (state: State, prefix: string): Linear => ({
  kernel: numbers(state, `${prefix}d/kernel`),
  bias: numbers(state, `${prefix}d/bias`),
});

function softmax(z: readonly number[], temperature: number): number[] {
  const powers = z.map((value) => Math.exp(value / temperature));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

const logits = ({ kernel, bias }: Linear, x: readonly number[]): number[] =>
  bias.map((offset, k) => x.reduce((sum, value, i) => sum + value * kernel[i * CLASSES + k]!, offset));

/**
 * Loss and student after one step of gradient descent. The gradient of CE by the logits is softmax - onehot, that of T² KL(p ‖ q) is T (q - p),
 * where p, the softened answers of the peer, is a constant.
 */
function step(own: Linear, other: Linear, { x, targets, weights }: TrainingBatch, t: number, w: number) {
  const kernel = [...own.kernel];
  const bias = [...own.bias];
  const whole = weights!.reduce((a, b) => a + b);
  let loss = 0;
  for (let row = 0; row < BATCH; row++) {
    const sample = [...(x as Float32Array).subarray(row * SIZE, (row + 1) * SIZE)];
    const [mine, its] = [logits(own, sample), logits(other, sample)];
    const [hard, q, p] = [softmax(mine, 1), softmax(mine, t), softmax(its, t)];
    const share = weights![row]! / whole;
    const divergence = p.reduce((sum, value, k) => sum + value * Math.log(value / q[k]!), 0);
    loss += share * (w * t * t * divergence - Math.log(hard[targets[row]!]!));
    for (let k = 0; k < CLASSES; k++) {
      const slope = share * (hard[k]! - Number(targets[row] === k) + w * t * (q[k]! - p[k]!));
      bias[k]! -= RATE * slope;
      sample.forEach((value, i) => (kernel[i * CLASSES + k]! -= RATE * slope * value));
    }
  }
  return { loss, after: { kernel, bias } };
}

describe('two students that teach each other', () => {
  it.each([
    [1, 1],
    [3, 0.5],
  ])(
    'step by step as by hand, temperature %d and weight %d: first the one, then the other by what the first then answers',
    async (temperature, peerWeight) => {
      const setup = { student: linear(1), peer: linear(2), hyper: { temperature, peerWeight } };
      const { initial, state, losses } = await trained(setup);
      let [own, its] = [linearOf(initial, ''), linearOf(initial, 'peer/')];
      expect(own.kernel).not.toEqual(its.kernel);
      for (const [i, batch] of BATCHES.entries()) {
        const first = step(own, its, batch, temperature, peerWeight);
        const second = step(its, first.after, batch, temperature, peerWeight);
        expect(losses[i]!['loss']).toBeCloseTo(first.loss, 5);
        expect(losses[i]!['peer']).toBeCloseTo(second.loss, 5);
        [own, its] = [first.after, second.after];
      }
      for (const [prefix, expected] of [
        ['', own],
        ['peer/', its],
      ] as const)
        // prettier-ignore
        for (const part of ['kernel', 'bias'] as const)
          numbers(state, `${prefix}d/${part}`).forEach((value, i) => expect(value).toBeCloseTo(expected[part][i]!, 5));
    },
  );

  it('what each observes moves once in a step, with the batch, however often it is asked', async () => {
    const { state } = await trained({ student: normed(1), peer: normed(2) });
    const mean = Array.from({ length: SIZE }, () => 0);
    for (const { x } of BATCHES)
      mean.forEach((before, k) => {
        const column = Array.from({ length: BATCH }, (_, row) => Number(x[row * SIZE + k]));
        mean[k] = 0.9 * before + (0.1 * column.reduce((a, b) => a + b)) / BATCH;
      });
    for (const prefix of ['', 'peer/'])
      numbers(state, `${prefix}bn/moving_mean`).forEach((value, k) => expect(value).toBeCloseTo(mean[k]!, 5));
  });

  it('the saved state has weights, slots, statistics and averages of both, and each clips its gradient alone', async () => {
    const optimizer = { type: 'adam', clipNorm: 0.1 } as const;
    const { state } = await trained({ student: normed(1), peer: normed(2), optimizer, ema: 0.5 });
    const own = ['d/kernel', 'bn/moving_mean', 'adam.m/d/kernel', 'ema/bn/moving_variance'];
    const its = ['peer/d/kernel', 'peer/bn/moving_mean', 'adam.m/peer/d/kernel', 'ema/peer/bn/moving_variance'];
    expect([...state.keys()]).toEqual(expect.arrayContaining([...own, ...its]));
    // After one step Adam's first sums are the clipped gradients: of norm 0.1 each.
    const { state: first } = await trained({ student: linear(1), peer: linear(2), optimizer }, 1);
    for (const prefix of ['', 'peer/']) {
      const gradient = ['kernel', 'bias'].flatMap((part) => numbers(first, `adam.m/${prefix}d/${part}`));
      expect(Math.hypot(...gradient)).toBeCloseTo(0.1, 5);
    }
  });
});

it.each([2, 3, 4])('what is compiled is closed where program %i of four cannot be', async (failing) => {
  let [tried, open] = [0, 0];
  const failingEngine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const compile = failingEngine.compile.bind(failingEngine);
  const counted = async (...given: Parameters<Engine['compile']>): ReturnType<Engine['compile']> => {
    if (++tried === failing) throw new Error('no room');
    const step = await compile(...given);
    open++;
    const dispose = step.dispose.bind(step);
    return Object.assign(step, {
      dispose: () => {
        open--;
        return dispose();
      },
    });
  };
  Object.assign(failingEngine, { compile: counted });
  const setup = { student: linear(1), peer: linear(2) };
  await expect(pairTrainer(failingEngine, setup, BATCHES, { samples: 2 })).rejects.toThrow('no room');
  expect([tried, open]).toEqual([failing, 0]);
});
