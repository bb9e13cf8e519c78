import * as tf from '@tensorflow/tfjs-core';
import path from 'node:path';
import { buildModel } from '../../src/networks/models/registry.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { patchLayers } from '../../src/trace/layers/patch.ts';
import { inferenceGraph } from '../formats/tflite/models.ts';
import { useCpu } from '../support/cpu.ts';
import { withSource } from '../support/stream-files.ts';

beforeAll(async () => {
  patchLayers();
  await useCpu();
});

const STUDENTS = {
  'cnn-1d': { width: 0.25, depth: 2, kernel: 3, causal: true },
  tcn: { filters: 8, depth: 2, kernel: 3, causal: true },
  'bc-resnet': { width: 0.5, bands: 1, causal: true },
  'stream-ds-tcn': { filters: 8, depth: 2 },
  'stream-mixer': { filters: 8, depth: 2, kernels: [2, 5] },
};

const graphOf = (name: string, options: Readonly<Record<string, unknown>>): ReturnType<typeof inferenceGraph> => {
  const inputShape = name === 'bc-resnet' ? [24, 8, 1] : [24, 4];
  const model = buildModel(name, { inputShape, classes: 3, seed: 7, options });
  // Moving statistics and offsets as after a training.
  const weights = model.getWeights().map((w, i) => tf.add(w, tf.randomUniform(w.shape, 0.05, 0.2, 'float32', i)));
  model.setWeights(weights);
  return inferenceGraph(model, true);
};

it.each(Object.entries(STUDENTS))('is a stream in both formats, in int8 too: %s', (name, options) =>
  withSource(graphOf(name, options), async ({ folder, from, data }) => {
    for (const format of ['onnx', 'tflite'] as const)
      for (const [precision, least] of [
        ['fp32', 110],
        ['int8', 20],
      ] as const) {
        const out = path.join(folder, `${precision}.${format}`);
        const { outputs, samples, stream } = await convertFile({ from, data, format, precision, out, stream: true });
        expect(outputs[0]!.sqnrDb).toBeGreaterThan(least);
        expect(samples).toBeGreaterThanOrEqual(50);
        expect(stream).toMatchObject({ window: 24, answers: name.startsWith('stream-') ? 'window' : 'all' });
      }
  }),
);

it('refuses the same students with padding at both ends', () =>
  withSource(graphOf('tcn', { filters: 8, depth: 2, kernel: 3 }), async ({ from, folder }) => {
    const out = path.join(folder, 'x.onnx');
    await expect(convertFile({ from, out, stream: true })).rejects.toThrow(/^no stream: layer stem.* looks ahead/);
  }));

it('refuses windows that are shorter than what the layers see', () => {
  const build = (name: string) => () => buildModel(name, { inputShape: [9, 4], classes: 3, seed: 7, options: {} });
  expect(build('stream-ds-tcn')).toThrow('model stream-ds-tcn: block2 sees 5 steps, and 2 are left of the window');
  expect(build('stream-mixer')).toThrow('model stream-mixer: block1 sees 7 steps, and 4 are left of the window');
  const mixer = () =>
    buildModel('stream-mixer', {
      inputShape: [24, 4],
      classes: 3,
      seed: 7,
      options: { filters: 2, kernels: [2, 3, 4] },
    });
  expect(mixer).toThrow('3 kernels share 2 filters');
});
