import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model as layersModel, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { createLoss } from '../../support/losses.ts';
import { modelVariables } from '../../../src/networks/models/info.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import { createOptimizer } from '../../../src/train/optimizers/optimizers.ts';
import { evaluationProgram, predictionProgram } from '../../../src/train/evaluate/inference.ts';
import { EMA_PREFIX, trainingProgram } from '../../../src/train/step/step.ts';
import { traceProgram } from '../../../src/trace/trace.ts';
import { useCpu } from '../../support/cpu.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { eagerEngine } from '../../support/eager-engine.ts';

beforeAll(useCpu);

const BATCH = 4;
const x = Float32Array.from({ length: BATCH * 3 }, (_, i) => Math.sin(i * 1.7));
const labels = Int32Array.of(0, 1, 2, 1);
const weights = Float32Array.of(1, 2, 0.5, 0);
const mlp = (seed = 1): LayersModel =>
  buildModel('mlp', { inputShape: [3], classes: 3, seed, options: { hidden: [5] } });

function logitsOf(model: LayersModel): number[][] {
  return tf.tidy(() => (model.predict(tf.tensor2d(x, [BATCH, 3])) as tf.Tensor2D).arraySync());
}

/** -log softmax(z)_k in double precision. */
function entropy(z: readonly number[], k: number): number {
  const max = Math.max(...z);
  return Math.log(z.reduce((sum, v) => sum + Math.exp(v - max), 0)) + max - z[k]!;
}

function weighted(values: readonly number[]): number {
  const sum = values.reduce((total, value, i) => total + value * weights[i]!, 0);
  return sum / weights.reduce((a, b) => a + b, 0);
}

const best = (z: readonly number[]): number => z.indexOf(Math.max(...z));

async function train(model: LayersModel, feeds: Record<string, Float32Array | Int32Array>, options = {}) {
  const optimizer = createOptimizer({ type: 'sgd' }, layersNetwork(model).trainable);
  const loss = createLoss('ce');
  const program = trainingProgram({
    task: classification(3),
    network: layersNetwork(model),
    loss,
    optimizer,
    batchSize: BATCH,
    ...options,
  });
  const step = await eagerEngine.compile(program);
  const hyper = { 'hyper/labelSmoothing': Float32Array.of(0) };
  return step.run({ x, weights, ...hyper, ...optimizer.feedValues(0, 0.5), ...feeds });
}

describe('training program', () => {
  it('gives the weighted mean loss and the weight of the hits before the update', async () => {
    const model = mlp();
    const before = logitsOf(model);
    const { loss, 'score/correct': correct } = await train(model, { labels });
    expect(loss![0]).toBeCloseTo(weighted(before.map((z, i) => entropy(z, labels[i]!))), 5);
    const hits = before.reduce((sum, z, i) => sum + (best(z) === labels[i] ? weights[i]! : 0), 0);
    expect(correct![0]).toBeCloseTo(hits, 6);
  });

  it('steps down the gradient of the weighted loss', async () => {
    const model = mlp();
    const bias = modelVariables(model).find(({ name }) => name === 'logits/bias')!.variable;
    const before = logitsOf(model);
    const start = [...bias.dataSync()];
    await train(model, { labels });
    // d loss / d bias_k is the weighted mean of softmax_k - onehot_k.
    [0, 1, 2].forEach((k) => {
      const gradient = weighted(before.map((z, i) => Math.exp(-entropy(z, k)) - (labels[i] === k ? 1 : 0)));
      expect(bias.dataSync()[k]).toBeCloseTo(start[k]! - 0.5 * gradient, 5);
    });
  });

  it('a sample of weight 0 changes nothing', async () => {
    const [a, b] = [mlp(), mlp()];
    await train(a, { labels });
    await train(b, { labels: Int32Array.of(0, 1, 2, 0), x: x.map((v, i) => (i >= 9 ? 100 : v)) });
    expect(logitsOf(a)).toEqual(logitsOf(b));
  });

  it('mixes targets as mixup does', async () => {
    const partners = Int32Array.of(1, 0, 3, 2);
    const lambda = Float32Array.of(0.3, 0.6, 1, 0);
    const targets = new Float32Array(BATCH * 3);
    labels.forEach((label, i) => {
      targets[i * 3 + label]! += lambda[i]!;
      targets[i * 3 + labels[partners[i]!]!]! += 1 - lambda[i]!;
    });
    const [a, b] = [mlp(), mlp()];
    const mixed = await train(a, { labels, partners, lambda }, { mix: 'partners' });
    // The same from targets that are mixed already.
    const soft = await train(b, { targets }, { mix: 'soft' });
    expect(mixed['loss']![0]).toBeCloseTo(Number(soft['loss']![0]), 6);
    const plain = await train(mlp(), { labels });
    expect(mixed['loss']![0]).not.toBeCloseTo(Number(plain['loss']![0]), 2);
    logitsOf(a)
      .flat()
      .forEach((value, i) => expect(value).toBeCloseTo(logitsOf(b).flat()[i]!, 6));
  });

  it('keeps a moving average of all variables in a second model, which evaluation can read', async () => {
    const [model, ema] = [mlp(1), mlp(2)];
    const [kernel, average] = [model, ema].map((m) => modelVariables(m)[0]!.variable);
    const old = [...average!.dataSync()];
    await train(model, { labels, emaDecay: Float32Array.of(0.75) }, { ema: layersNetwork(ema) });
    const fresh = kernel!.dataSync();
    average!.dataSync().forEach((value, i) => expect(value).toBeCloseTo(0.75 * old[i]! + 0.25 * fresh[i]!, 6));
    const evaluation = evaluationProgram({
      task: classification(3),
      network: layersNetwork(ema),
      batchSize: BATCH,
      prefix: EMA_PREFIX,
    });
    expect(Object.keys(evaluation.state)[0]).toBe('ema/dense1/kernel');
  });

  it("adds the penalties of the model's own regularizers to what is minimised", async () => {
    const regularized = (l2: number): LayersModel => {
      const inputs = input({ shape: [3] });
      const kernelRegularizer = l2 === 0 ? {} : { kernelRegularizer: 'l1l2' as const };
      const dense = layers.dense({ name: 'd', units: 3, kernelInitializer: 'ones', ...kernelRegularizer });
      return layersModel({ inputs, outputs: dense.apply(inputs) as SymbolicTensor });
    };
    const [plain, penalized] = [regularized(0), regularized(1)];
    await train(plain, { labels });
    await train(penalized, { labels });
    const kernels = [plain, penalized].map((m) => modelVariables(m)[0]!.variable.dataSync());
    // tfjs' default l1l2 adds 0.01·|w| + 0.01·w²: its gradient at 1 is 0.03.
    expect(kernels[0]![0]! - kernels[1]![0]!).toBeCloseTo(0.5 * 0.03, 5);
  });

  it('feeds what the loss needs, and no more', () => {
    const model = mlp();
    const feedsOf = (name: 'ce' | 'kd'): string[] => {
      const optimizer = createOptimizer({ type: 'adamw' }, layersNetwork(model).trainable);
      return Object.keys(
        trainingProgram({
          task: classification(3),
          network: layersNetwork(model),
          loss: createLoss(name),
          optimizer,
          batchSize: 2,
        }).feeds,
      );
    };
    expect(feedsOf('ce')).toEqual(['x', 'labels', 'weights', 'hyper/labelSmoothing', 'stepSize', 'epsilon']);
    expect(feedsOf('kd')).toContain('teacherLogits');
    expect(feedsOf('kd')).toContain('hyper/temperature');
  });

  it('moves batch-norm statistics in training, and only then', async () => {
    const model = buildModel('ds-cnn', { inputShape: [8, 8, 1], classes: 3, seed: 1, options: { width: 0.5 } });
    const moving = modelVariables(model).find(({ name }) => name === 'stem1_bn/moving_mean')!;
    expect(moving.trainable).toBe(false);
    const images = Float32Array.from({ length: BATCH * 64 }, (_, i) => Math.cos(i));
    const evaluation = await eagerEngine.compile(
      evaluationProgram({ task: classification(3), network: layersNetwork(model), batchSize: BATCH }),
    );
    await evaluation.run({ x: images, labels, weights });
    expect(moving.variable.dataSync().every((value) => value === 0)).toBe(true);
    await train(model, { x: images, labels });
    expect(moving.variable.dataSync().some((value) => value !== 0)).toBe(true);
  });
});

describe('evaluation program', () => {
  it('gives sums of weighted loss and hits, and logits on demand', async () => {
    const model = mlp();
    const step = await eagerEngine.compile(
      evaluationProgram({ task: classification(3), network: layersNetwork(model), batchSize: BATCH, logits: true }),
    );
    const { loss, 'score/correct': correct, logits } = await step.run({ x, labels, weights });
    const expected = logitsOf(model);
    expect(loss![0]).toBeCloseTo(
      expected.reduce((sum, z, i) => sum + weights[i]! * entropy(z, labels[i]!), 0),
      5,
    );
    expect(correct![0]).toBeCloseTo(
      expected.reduce((sum, z, i) => sum + (best(z) === labels[i] ? weights[i]! : 0), 0),
      6,
    );
    expect([...logits!]).toEqual(expected.flat());
  });
});

describe('prediction program', () => {
  it('gives logits and the layers that were asked for', async () => {
    const model = mlp();
    const step = await eagerEngine.compile(
      predictionProgram({ network: layersNetwork(model), batchSize: BATCH, features: ['dense1_relu'] }),
    );
    const results = await step.run({ x });
    expect([...results['logits']!]).toEqual(logitsOf(model).flat());
    expect(results['dense1_relu']!).toHaveLength(BATCH * 5);
    expect(Math.min(...(results['dense1_relu'] as Float32Array))).toBe(0);
  });

  it('names the nearest layer when there is no such one', () => {
    const wrong = (): unknown =>
      traceProgram(predictionProgram({ network: layersNetwork(mlp()), batchSize: 1, features: ['dense1_rel'] }));
    expect(wrong).toThrow('model mlp has no layer "dense1_rel"');
  });
});
