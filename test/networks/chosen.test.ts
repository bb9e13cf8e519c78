import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../src/base/errors.ts';
import { withChoices } from '../../src/networks/chosen.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { randomWeights, small } from '../compress/prune/models.ts';

const none = { freeze: [], learningRates: {} };

describe('what a recipe says of weights by their names', () => {
  beforeAll(() => useLazyBackend(evaluator));

  it('freezes some, in a copy with other weights too, and says so', async () => {
    const model = small('ds-cnn');
    const network = withChoices(layersNetwork(model), { ...none, freeze: ['stem*'] }, 'dir/model.json');
    expect(Object.keys(network.trainable).some((name) => name.startsWith('stem'))).toBe(false);
    expect(Object.keys(network.state).some((name) => name.startsWith('stem'))).toBe(true);
    expect(network.origin!.join()).toMatch(/model\.json: frozen: stem/);
    const copy = await network.withWeights(randomWeights(model));
    expect(Object.keys(copy.trainable)).toEqual(Object.keys(network.trainable));
  });

  it('multiplies the learning rate of some; of several patterns that fit, the last one counts', () => {
    const choices = { ...none, learningRates: { '*': 0.5, 'logits/*': 3 } };
    const { rateOf } = withChoices(layersNetwork(small('ds-cnn')), choices, 'm');
    expect(rateOf!('logits/kernel')).toBe(3);
    expect(rateOf!('stem1/kernel')).toBe(0.5);
    expect(withChoices(layersNetwork(small('ds-cnn')), none, 'm').rateOf!('stem1/kernel')).toBe(1);
  });

  it.each(['freeze', 'learningRates'] as const)('refuses a pattern that fits no weight: %s', (key) => {
    const choices = key === 'freeze' ? { ...none, freeze: ['stern*'] } : { ...none, learningRates: { 'stern*': 2 } };
    const attempt = (): unknown => withChoices(layersNetwork(small('ds-cnn')), choices, 'm.json');
    expect(attempt).toThrow(`student.${key}: stern* fits no weight of m.json`);
    expect(attempt).toThrow(UserError);
  });

  it.each(['sgd', 'adam', 'adamw'] as const)(
    'a rate of half moves a weight as half the learning rate does: %s',
    (type) => {
      const moved = (learningRate: number, rate: number): Float32Array => {
        const w = tf.variable(
          tf.tensor2d([
            [1, -2],
            [3, 4],
          ]),
        );
        const optimizer = createOptimizer({ type, weightDecay: 0.1 }, { w }, () => rate);
        const feeds = Object.fromEntries(
          Object.entries(optimizer.feedValues(0, learningRate)).map(([name, value]) => [name, tf.scalar(value[0]!)]),
        );
        optimizer.apply(
          {
            w: tf.tensor2d([
              [0.5, 1],
              [-1, 2],
            ]),
          },
          feeds,
        );
        return w.dataSync() as Float32Array;
      };
      const [half, slow] = [moved(0.05, 1), moved(0.1, 0.5)];
      slow.forEach((value, i) => expect(value).toBeCloseTo(half[i]!, 6));
      expect(slow[0]).not.toBeCloseTo(moved(0.1, 1)[0]!, 3);
    },
  );
});
