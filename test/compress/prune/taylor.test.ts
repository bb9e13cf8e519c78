import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { RandomStream } from '../../../src/base/random.ts';
import { drawnAnswers } from '../../../src/compress/prune/fisher.ts';
import { dependencies } from '../../../src/compress/prune/groups.ts';
import type { ChannelGroup } from '../../../src/compress/prune/groups.ts';
import { pruneChannels } from '../../../src/compress/prune/prune.ts';
import { taylorScores } from '../../../src/compress/prune/taylor.ts';
import { createLoss } from '../../support/losses.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import type { State } from '../../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../../../src/runtime/onnxruntime/engine.ts';
import type { TrainingBatch } from '../../../src/train/step/batch.ts';
import { saliencyProgram } from '../../../src/train/saliency.ts';
import { evaluationProgram } from '../../../src/train/evaluate/inference.ts';
import { useCpu } from '../../support/cpu.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { randomWeights, small } from './models.ts';

beforeAll(useCpu);

const N = 4;
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

function batch(model: LayersModel, number: number): TrainingBatch {
  const random = new RandomStream('taylor', number);
  const size = model.inputs[0]!.shape.slice(1).reduce<number>((total, of) => total * of!, 1);
  return {
    x: Float32Array.from({ length: N * size }, () => random.normal()),
    targets: Int32Array.from({ length: N }, () => random.below(3)),
  };
}

function scoresOf(
  model: LayersModel,
  weights: State,
  groups: readonly ChannelGroup[],
  given: TrainingBatch[],
  microBatch?: number,
  loss = createLoss('ce'),
) {
  return taylorScores(groups, {
    ...{ engine, weights, task: classification(3), batches: given, hyper: loss.hyper, microBatch },
    program: (batchSize) =>
      saliencyProgram({ task: classification(3), network: layersNetwork(model), loss, batchSize }),
  });
}

async function lossOf(model: LayersModel, weights: State, { x, targets: labels }: TrainingBatch): Promise<number> {
  const step = await engine.compile(
    evaluationProgram({ task: classification(3), network: layersNetwork(model), batchSize: N }),
  );
  await step.load(weights);
  const results = await step.run({ x, labels, weights: new Float32Array(N).fill(1) });
  const loss = Number(results['loss']![0]) / N;
  await step.dispose();
  return loss;
}

/** The weights with everything scaled that one channel goes through: `names` of the layer or of its batch norm. */
function scaled(weights: State, names: readonly string[], channel: number, factor: number): State {
  return new Map(
    [...weights].map(([name, { type, data }]) => {
      if (!names.includes(name)) return [name, { type, data }];
      const channels = Number(type.shape.at(-1));
      const own = (data as Float32Array).map((value, i) => (i % channels === channel ? value * factor : value));
      return [name, { type, data: own }];
    }),
  );
}

describe('first-order importance', () => {
  it.each([
    ['mlp', 'dense1', ['dense1/kernel', 'dense1/bias']],
    // The depthwise convolution behind it has a batch norm of its own, which the channel goes through a second time.
    ['ds-cnn', 'stem3', ['stem3_bn/gamma', 'stem3_bn/beta']],
  ])('of %s, %s is the slope of the loss along the channel, squared, mean over batches', async (name, layer, gates) => {
    const model = small(name);
    const weights = randomWeights(model);
    const { groups } = dependencies(layersNetwork(model));
    const g = groups.findIndex((group) => group.name === layer);
    const given = [batch(model, 0), batch(model, 1)];
    const scores = (await scoresOf(model, weights, groups, given))[g]!;
    for (const channel of [0, 3]) {
      const step = 1e-2;
      const slopes = [];
      for (const one of given) {
        const [up, down] = [1 + step, 1 - step].map((factor) =>
          lossOf(model, scaled(weights, gates, channel, factor), one),
        );
        slopes.push(((await up!) - (await down!)) / (2 * step));
      }
      const expected = slopes.reduce((sum, slope) => sum + slope * slope, 0) / slopes.length;
      expect(Math.abs(scores[channel]! - expected)).toBeLessThan(2e-2 * Math.max(...scores));
    }
    expect(Math.max(...scores)).toBeGreaterThan(3 * Math.min(...scores));
  });

  it('of batches in parts is that of whole ones', async () => {
    const model = small('ds-cnn');
    const weights = randomWeights(model);
    const { groups } = dependencies(layersNetwork(model));
    const given = [batch(model, 0), batch(model, 1)];
    const whole = await scoresOf(model, weights, groups, given);
    const parts = await scoresOf(model, weights, groups, given, Math.ceil(N / 3));
    whole.forEach((scores, g) =>
      scores.forEach((score, c) => expect(Math.abs(parts[g]![c]! - score)).toBeLessThan(1e-5 * Math.max(...scores))),
    );
  });

  it('makes the channel go first that the loss does not notice, however large its weights are', async () => {
    const model = small('mlp');
    const weights = new Map(randomWeights(model));
    // Unit 5 is large, and nothing reads it.
    const [kernel, next] = [weights.get('dense1/kernel')!, weights.get('dense2/kernel')!];
    weights.set('dense1/kernel', {
      ...kernel,
      data: (kernel.data as Float32Array).map((v, i) => (i % 32 === 5 ? 9 : v)),
    });
    weights.set('dense2/kernel', {
      ...next,
      data: (next.data as Float32Array).map((v, i) => (Math.floor(i / 24) === 5 ? 0 : v)),
    });
    const { result } = await pruneChannels(layersNetwork(model), weights, {
      ...{ amount: 0.5, budget: 'layer', importance: 'taylor', multipleOf: 1 },
      measure: (groups) => scoresOf(model, weights, groups, [batch(model, 0)]),
    });
    expect([...result.weights.get('dense1/kernel')!.data]).not.toContain(9);
    await expect(pruneChannels(layersNetwork(model), weights, { amount: 0.5, importance: 'taylor' })).rejects.toThrow(
      /was not measured/,
    );
  });
});

describe('of a student that answers as its teacher', () => {
  it('is nothing for the distillation loss, and with drawn answers about what removing a channel costs', async () => {
    const model = small('mlp');
    const weights = randomWeights(model);
    const network = await layersNetwork(model).withWeights(weights);
    const { groups } = dependencies(network);
    const g = groups.findIndex(({ name }) => name === 'dense1');
    const answersOf = (of: ModelNetwork, { x }: TrainingBatch): tf.Tensor2D => {
      const input = tf.tensor2d(x as Float32Array, [N, x.length / N]);
      return of.forward({ input }, { training: false }).outputs['logits'] as tf.Tensor2D;
    };
    const random = new RandomStream('fisher');
    const [own, drawn]: TrainingBatch[][] = [[], []];
    for (let i = 0; i < 40; i++) {
      const one = batch(model, i);
      const logits = answersOf(network, one).dataSync() as Float32Array;
      own!.push({ ...one, teacher: { teacherLogits: logits } });
      drawn!.push({ ...one, teacher: { teacherLogits: drawnAnswers(logits, { classes: 3, temperature: 1, random }) } });
    }
    const loss = createLoss('kd', { hyper: { temperature: 1, alpha: 1 } });
    const scores = async (given: TrainingBatch[]) =>
      (await scoresOf(model, weights, groups, given, undefined, loss))[g]!;
    const [taylor, fisher] = [await scores(own!), await scores(drawn!)];
    expect(Math.max(...taylor)).toBeLessThan(1e-8 * Math.max(...fisher));

    // A tenth less of the channel, of which the divergence is the square, is far from where the softmax bends.
    const costs = await Promise.all(
      [...fisher.keys()].slice(0, 8).map(async (channel) => {
        const less = await network.withWeights(scaled(weights, ['dense1/kernel', 'dense1/bias'], channel, 0.9));
        let sum = 0;
        for (const one of own!.slice(0, 30)) {
          const [p, q] = [tf.tensor2d(one.teacher!['teacherLogits']!, [N, 3]), answersOf(less, one)];
          const ratio = tf.sub(tf.logSoftmax(p), tf.logSoftmax(q));
          sum += tf.sum(tf.mul(tf.softmax(p), ratio)).dataSync()[0]!;
        }
        return sum;
      }),
    );
    const order = (of: readonly number[]): number[] => of.map((value) => of.filter((other) => other < value).length);
    const [wanted, found] = [order(costs), order([...fisher].slice(0, 8))];
    const off = wanted.reduce((sum, place, i) => sum + (place - found[i]!) ** 2, 0);
    // Spearman's rank correlation.
    expect(1 - (6 * off) / (8 * 63)).toBeGreaterThan(0.8);
  });
});
