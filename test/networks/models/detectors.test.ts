import * as tf from '@tensorflow/tfjs-core';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const POINTS = 16 + 4 + 1;

it('a detector that answers once for each object has a second answer in training, and its own answer changes no layer before it', async () => {
  const args = { inputShape: [32, 32, 3], classes: 3, seed: 1, answersPer: 'point', nms: false } as const;
  const network = layersNetwork(buildModel('det-nano', { ...args, options: { alpha: 0.1, filters: 8 } }));
  const input = tf.randomUniform([2, 32, 32, 3], 0, 1, 'float32', 5);
  const shapes = (training: boolean): number[][] =>
    Object.values(network.forward({ input }, { training }).outputs).map(({ shape }) => shape);
  expect(shapes(false)).toEqual([[2, POINTS, 4], [2, POINTS, 3]]); // prettier-ignore
  expect(shapes(true)).toEqual([[2, 2 * POINTS, 4], [2, 2 * POINTS, 3]]); // prettier-ignore

  const learning = async (from: number): Promise<string[]> => {
    const { grads } = tf.variableGrads(() => {
      const { boxes, scores } = network.forward({ input }, { training: true }).outputs;
      const sum = (of: tf.Tensor): tf.Scalar =>
        tf.sum(tf.square(tf.slice(of as tf.Tensor3D, [0, from, 0], [-1, POINTS, -1])));
      return tf.add(sum(boxes!), sum(scores!));
    }, Object.values(network.trainable));
    const found: string[] = [];
    for (const [name, variable] of Object.entries(network.trainable))
      if ((await grads[variable.name]!.data()).some((value) => value !== 0)) found.push(name);
    return found;
  };
  const single = await learning(0);
  expect(single.length).toBeGreaterThan(10);
  expect(single.filter((name) => !name.startsWith('single'))).toEqual([]);
  const many = await learning(POINTS);
  expect(many.filter((name) => name.startsWith('single'))).toEqual([]);
  expect(many.some((name) => name.startsWith('stem'))).toBe(true);
  network.dispose();
});
