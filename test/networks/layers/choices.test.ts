import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { chosenLayers } from '../../../src/networks/layers/choices.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';

beforeAll(() => useLazyBackend(evaluator));

function model(...behind: layers.Layer[]): LayersModel {
  const made = sequential();
  made.add(layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [6, 6, 1], name: 'conv' }));
  made.add(layers.batchNormalization({ name: 'norm' }));
  made.add(layers.globalAveragePooling2d({ name: 'pool' }));
  for (const layer of behind) made.add(layer);
  return made;
}

const OPTIONS = { head: 'replace', classes: 5, seed: 3 } as const;
const x = (): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: 144 }, (_, i) => Math.sin(i)),
    [4, 6, 6, 1],
  );
const logits = (of: ModelNetwork, training: boolean): number[] => [
  ...of.forward({ input: x() }, { training }).outputs['logits']!.dataSync(),
];

it('a new head answers for the classes of the data, without the softmax or sigmoid of the old one; the rest is as it was', async () => {
  for (const old of [
    model(layers.dense({ units: 3, activation: 'softmax', name: 'top' })),
    model(layers.dense({ units: 3, name: 'top' }), layers.softmax({ name: 'end' })),
    model(layers.dense({ units: 3, name: 'top' }), layers.activation({ activation: 'softmax', name: 'end' })),
    model(layers.dense({ units: 3, activation: 'sigmoid', name: 'top' })),
  ]) {
    const { model: made, origin } = await chosenLayers(old, 'a/m.json', OPTIONS);
    expect(made.outputs[0]!.shape).toEqual([null, 5]);
    expect(origin).toEqual(['m.json: its last layer top is drawn anew: 5 outputs instead of 3']);
    const found = logits(layersNetwork(made), false);
    expect(found.some((value) => value < 0)).toBe(true);
    expect(made.getLayer('conv').getWeights()[0]!.dataSync()).toEqual(old.getLayer('conv').getWeights()[0]!.dataSync());
    const again = (await chosenLayers(old, 'a/m.json', OPTIONS)).model;
    expect(logits(layersNetwork(again), false)).toEqual(found);
  }
});

it('frozen batch norms compute in training what they do in inference, and stay as they are', async () => {
  const old = model(layers.dense({ units: 5, name: 'top' }));
  const frozen = layersNetwork(
    (await chosenLayers(old, 'm.json', { ...OPTIONS, head: 'keep', batchNorm: 'frozen' })).model,
  );
  expect(logits(frozen, true)).toEqual(logits(frozen, false));
  expect(logits(layersNetwork(old), true)).not.toEqual(logits(layersNetwork(old), false));
  expect(Object.keys(frozen.trainable)).toEqual(['conv/kernel', 'conv/bias', 'top/kernel', 'top/bias']);
  // A narrower or a reloaded one stays so.
  const weights = new Map(
    Object.entries(frozen.state).map(([key, variable]) => {
      const type = { dtype: 'float32' as const, shape: variable.shape };
      return [key, { type, data: variable.dataSync() as Float32Array }];
    }),
  );
  expect(Object.keys((await frozen.withWeights(weights)).trainable)).toHaveLength(4);
});

it('what cannot be chosen is refused by name', async () => {
  await expect(chosenLayers(model(), 'm.json', OPTIONS)).rejects.toThrow(
    /m\.json: its last layer with weights is norm \(BatchNormalization\), no dense layer/,
  );
  const plain = sequential({ layers: [layers.dense({ units: 5, inputShape: [3] })] });
  await expect(chosenLayers(plain, 'm.json', { ...OPTIONS, head: 'keep', batchNorm: 'train' })).rejects.toThrow(
    /student\.batchNorm: m\.json has no batch norms/,
  );
});
