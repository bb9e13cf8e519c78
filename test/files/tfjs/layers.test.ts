import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { bytesOf } from '../../../src/base/bytes.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import { contentOf } from '../../../src/networks/network.ts';
import { loadTfjsModel } from '../../../src/files/tfjs-file.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { expectClose, numbers } from '../../support/graphs.ts';

const folder = temporaryFolder();
beforeAll(() => useLazyBackend(evaluator));

type Json = Readonly<Record<string, unknown>>;
type Weights = Readonly<Record<string, readonly number[]>>;

const random = (shape: readonly number[], key: string): Float32Array =>
  numbers(
    shape.reduce((a, b) => a * b, 1),
    key,
  );

/** One layer in a model.json as Keras' converter writes it. */
async function load(
  className: string,
  config: Json,
  shape: readonly number[],
  weights: Weights = {},
  version = '2.15.0',
) {
  const layer = { class_name: className, config: { name: 'one', batch_input_shape: [null, ...shape], ...config } };
  const modelTopology = {
    keras_version: version,
    model_config: { class_name: 'Sequential', config: { name: 'm', layers: [layer] } },
  };
  const specs = Object.entries(weights).map(([name, size]) => ({ name: `one/${name}`, shape: size, dtype: 'float32' }));
  const file = path.join(folder(), 'model.json');
  const manifest = [{ paths: ['w.bin'], weights: specs }];
  await writeFile(file, JSON.stringify({ modelTopology, weightsManifest: manifest }));
  const parts = Object.entries(weights).map(([name, size]) => bytesOf(random(size, name)));
  await writeFile(path.join(folder(), 'w.bin'), Buffer.concat(parts));
  return loadTfjsModel(file);
}

function answers(model: Awaited<ReturnType<typeof load>>, shape: readonly number[]): tf.Tensor {
  return model.predict(tf.tensor(random([2, ...shape], 'x'), [2, ...shape])) as tf.Tensor;
}

const CONV = { kernel_size: [3, 3], strides: [1, 1], padding: 'valid', data_format: 'channels_last', use_bias: true };

describe('a layer that tfjs-layers computes otherwise than Keras', () => {
  it('a depthwise convolution is dilated', async () => {
    const weights = { depthwise_kernel: [3, 3, 4, 1], bias: [4] };
    const config = { ...CONV, dilation_rate: [2, 2], activation: 'linear' };
    const model = await load('DepthwiseConv2D', config, [7, 6, 4], weights);
    const result = answers(model, [7, 6, 4]);
    const x = tf.tensor4d(random([2, 7, 6, 4], 'x'), [2, 7, 6, 4]);
    const kernel = tf.tensor4d(random([3, 3, 4, 1], 'depthwise_kernel'), [3, 3, 4, 1]);
    const expected = tf.depthwiseConv2d(x, kernel, 1, 'valid', 'NHWC', 2).add(tf.tensor1d(random([4], 'bias')));
    expect(result.shape).toEqual([2, 3, 2, 4]);
    expect(model.outputs[0]!.shape).toEqual([null, 3, 2, 4]);
    expectClose(await result.data(), await expected.data());
  });

  it.each([
    ['DepthwiseConv2D', { ...CONV, dilation_rate: [2, 2] }, [7, 6, 4], { depthwise_kernel: [3, 3, 4, 1], bias: [4] }],
    ['UpSampling2D', { size: [2, 2], data_format: 'channels_last', interpolation: 'bilinear' }, [3, 2, 4], {}],
    ['ReLU', { negative_slope: 0.5, threshold: 0.2, max_value: 0.4 }, [3, 2, 4], {}],
    ['Conv2DTranspose', { ...CONV, filters: 2, strides: [2, 2], padding: 'same', output_padding: 1 }, [3, 2, 4], { kernel: [3, 3, 2, 4], bias: [2] }], // prettier-ignore
  ] as const)(
    '%s computes the same where its model is made anew with its weights',
    async (name, config, shape, weights) => {
      const network = layersNetwork(await load(name, config, [...shape], weights));
      const again = await network.withWeights(contentOf(network));
      const x = tf.tensor(random([2, ...shape], 'x'), [2, ...shape]);
      const answers = (of: typeof network | typeof again): Promise<ArrayLike<number>> =>
        of.forward({ input: x }, { training: false }).outputs['logits']!.data();
      expectClose(await answers(again), await answers(network));
    },
  );

  it('bilinear upsampling counts from the middle of a pixel', async () => {
    const config = { size: [1, 2], data_format: 'channels_last', interpolation: 'bilinear' };
    const model = await load('UpSampling2D', config, [1, 2, 1]);
    const y = model.predict(tf.tensor4d([0, 1], [1, 1, 2, 1])) as tf.Tensor;
    expectClose(await y.data(), [0, 0.25, 0.75, 1]);
  });

  it.each([
    [{ negative_slope: 0.5, threshold: 0, max_value: null }, [-1, -0.5, 0, 1, 8]],
    [{ negative_slope: 0, threshold: 1, max_value: 3 }, [0, 0, 0, 1, 3]],
    [{ negative_slope: 0.5, threshold: 1, max_value: 3 }, [-1.5, -1, -0.5, 1, 3]],
  ])('ReLU %j', async (config, expected) => {
    const model = await load('ReLU', config, [5]);
    expectClose(await (model.predict(tf.tensor2d([[-2, -1, 0, 1, 8]])) as tf.Tensor).data(), expected);
  });

  it('LeakyReLU takes its slope under the name that Keras 3 gives it', async () => {
    const model = await load('LeakyReLU', { negative_slope: 0.125 }, [2]);
    expectClose(await (model.predict(tf.tensor2d([[-8, 2]])) as tf.Tensor).data(), [-1, 2]);
  });

  it('a transposed convolution pads its output', async () => {
    const config = { ...CONV, filters: 2, strides: [2, 2], output_padding: [1, 0] };
    const model = await load('Conv2DTranspose', config, [3, 3, 1], { kernel: [3, 3, 2, 1], bias: [2] });
    const result = answers(model, [3, 3, 1]);
    const x = tf.tensor4d(random([2, 3, 3, 1], 'x'), [2, 3, 3, 1]);
    const kernel = tf.tensor4d(random([3, 3, 2, 1], 'kernel'), [3, 3, 2, 1]);
    const expected = tf.conv2dTranspose(x, kernel, [2, 8, 7, 2], 2, 'valid').add(tf.tensor1d(random([2], 'bias')));
    expect(result.shape).toEqual([2, 8, 7, 2]);
    expectClose(await result.data(), await expected.data());
  });
});

describe('a key that tfjs-layers passes over is refused by layer and key', () => {
  const pool = { data_format: 'channels_last', keepdims: true };
  const dense = { units: 2, activation: 'hard_sigmoid', use_bias: false };
  it.each([
    ['Conv2D', { ...CONV, filters: 4, groups: 2 }, [7, 6, 4], 'groups 2'],
    ['Conv2DTranspose', { ...CONV, filters: 4, dilation_rate: [2, 2] }, [7, 6, 4], 'dilation_rate [2,2]'],
    ['DepthwiseConv2D', { ...CONV, data_format: 'channels_first', dilation_rate: 2 }, [4, 7, 6], 'dilation_rate 2'],
    ['GlobalAveragePooling2D', pool, [7, 6, 4], 'keepdims true'],
    ['MaxPooling1D', { pool_size: 2, data_format: 'channels_first' }, [6, 4], 'data_format "channels_first"'],
    ['LayerNormalization', { axis: -1, rms_scaling: true }, [6], 'rms_scaling true'],
    ['Resizing', { height: 3, width: 3, interpolation: 'bilinear' }, [7, 6, 4], 'interpolation "bilinear"'],
    ['Dense', { units: 2, some_new_key: 'on' }, [3], 'some_new_key "on"'],
    ['Dense', dense, [3], 'activation "hard_sigmoid"'],
  ] as [string, Json, number[], string][])('%s %j', async (className, config, shape, key) => {
    const attempt = load(className, config, shape, {}, key.includes('hard') ? '3.0.0' : '2.15.0');
    await expect(attempt).rejects.toThrow(`layer one (${className}): tfjs-layers does not compute with ${key}`);
    await expect(attempt).rejects.toMatchObject({ name: 'UserError' });
  });

  it('inside a wrapper, and where the backward layer is another one', async () => {
    const lstm = (activation: string) => ({ class_name: 'LSTM', config: { name: 'inner', units: 2, activation } });
    const wrapped = { layer: { class_name: 'Conv2D', config: { ...CONV, name: 'inner', filters: 4, groups: 2 } } };
    await expect(load('TimeDistributed', wrapped, [2, 7, 6, 4])).rejects.toThrow('layer inner (Conv2D)');
    const both = { merge_mode: 'concat', layer: lstm('tanh'), backward_layer: lstm('relu') };
    await expect(load('Bidirectional', both, [6, 4])).rejects.toThrow('layer one (Bidirectional)');
  });

  it('what a layer says only when it is called is said as well', async () => {
    const config = { kernel_size: 3, filters: 2, padding: 'causal', use_bias: false };
    await expect(load('Conv1D', config, [6, 4], { kernel: [3, 4, 2] })).rejects.toThrow(
      /model\.json: tfjs-layers cannot compute this model: The support for CAUSAL padding/,
    );
  });

  it('values at which such a key changes nothing are taken', async () => {
    const config = { ...CONV, filters: 4, groups: 1, dilation_rate: [1, 1], quantization_config: null };
    const model = await load('Conv2D', config, [7, 6, 4], { kernel: [3, 3, 4, 4], bias: [4] });
    expect(model.outputs[0]!.shape).toEqual([null, 5, 4, 4]);
  });
});

describe("tfjs' own file", () => {
  it('means what tfjs-layers computes, but for a key that it does not look at', async () => {
    const own = 'tfjs-layers 4.22.0';
    const up = { size: [1, 2], data_format: 'channels_last', interpolation: 'bilinear' };
    const model = await load('UpSampling2D', up, [1, 2, 1], {}, own);
    const x = tf.tensor4d([0, 1], [1, 1, 2, 1]);
    const expected = tf.image.resizeBilinear(x, [1, 4]);
    expectClose(await (model.predict(x) as tf.Tensor).data(), await expected.data());
    const attempt = load('DepthwiseConv2D', { ...CONV, dilation_rate: [2, 2] }, [7, 6, 4], {}, own);
    await expect(attempt).rejects.toThrow('tfjs-layers does not compute with dilation_rate [2,2]');
  });
});
