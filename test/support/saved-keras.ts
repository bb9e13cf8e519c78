import { zipSync } from 'fflate';
import { hdf5 } from './hdf5.ts';

type Json = Readonly<Record<string, unknown>>;

const layer = (className: string, config: Json): Json => ({
  ...{ module: 'keras.layers', class_name: className, registered_name: null },
  config: { trainable: true, dtype: 'float32', ...config },
});
const tensor = (name: string): Json => ({ class_name: '__keras_tensor__', config: { keras_history: [name, 0, 0] } });
const called = (name: string, ...from: readonly string[]): Json => ({
  ...{ name, inbound_nodes: [{ args: from.length === 1 ? [tensor(from[0]!)] : [from.map(tensor)], kwargs: {} }] },
});

const same = { padding: 'same', data_format: 'channels_last', strides: [1, 1], dilation_rate: [1, 1], groups: 1 };
const conv = (name: string): Json =>
  layer('Conv2D', { name, ...same, filters: 4, kernel_size: [3, 3], activation: 'relu', use_bias: true });
const CONFIG = {
  ...{ module: 'keras', class_name: 'Functional', registered_name: 'Functional' },
  config: {
    name: 'small',
    layers: [
      { ...layer('InputLayer', { name: 'x', batch_shape: [null, 6, 6, 4], dtype: 'float32' }), name: 'x', inbound_nodes: [] },
      { ...conv('one'), ...called('one', 'x') },
      { ...layer('BatchNormalization', { name: 'norm', axis: -1, epsilon: 0.001, center: true, scale: true }), ...called('norm', 'one') },
      { ...conv('two'), ...called('two', 'norm') },
      { ...layer('Add', { name: 'sum' }), ...called('sum', 'one', 'two') },
      { ...layer('MaxPooling2D', { name: 'pool', pool_size: [2, 2], strides: [2, 2], padding: 'valid' }), ...called('pool', 'sum') },
      { ...layer('LSTM', { name: 'memory', units: 3, activation: 'tanh', recurrent_activation: 'sigmoid' }), ...called('memory', 'steps') },
      { ...layer('Reshape', { name: 'steps', target_shape: [9, 4] }), ...called('steps', 'pool') },
      { ...layer('Dense', { name: 'logits', units: 3, activation: 'softmax', use_bias: true }), ...called('logits', 'memory') },
    ],
    input_layers: [['x', 0, 0]],
    output_layers: [['logits', 0, 0]],
  },
}; // prettier-ignore

const KERNEL = ['kernel', [3, 3, 4, 4]] as const;
const WEIGHTS: Readonly<Record<string, readonly (readonly [string, readonly number[]])[]>> = {
  one: [KERNEL, ['bias', [4]]],
  norm: ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) => [name, [4]] as const),
  two: [KERNEL, ['bias', [4]]],
  memory: [['kernel', [4, 12]], ['recurrent_kernel', [3, 12]], ['bias', [12]]],
  logits: [['kernel', [3, 3]], ['bias', [3]]],
}; // prettier-ignore
/** Groups of these layers in a `.keras` archive. */
const GROUPS = { one: 'conv2d', norm: 'batch_normalization', two: 'conv2d_1', memory: 'lstm/cell', logits: 'dense' };

const values = (shape: readonly number[]): { shape: readonly number[]; values: number[] } => ({
  shape,
  values: Array.from(
    { length: shape.reduce((product, size) => product * size, 1) },
    (_, i) => 0.1 + ((7 * i) % 11) / 20,
  ),
});
const each = <T>(make: (name: keyof typeof GROUPS, weight: string, shape: readonly number[], i: number) => T): T[] =>
  Object.entries(WEIGHTS).flatMap(([name, weights]) =>
    weights.map(([weight, shape], i) => make(name as keyof typeof GROUPS, weight, shape, i)),
  );

const archived = await hdf5(
  Object.fromEntries(each((name, _, shape, i) => [`layers/${GROUPS[name]}/vars/${i}`, values(shape)])),
);
/** The same model as an HDF5 file. */
export const kerasHdf5 = await hdf5(
  Object.fromEntries(each((name, weight, shape) => [`model_weights/${name}/${name}/${weight}`, values(shape)])),
  {
    '/': { model_config: JSON.stringify(CONFIG), keras_version: '3.15.1' },
    ...Object.fromEntries(
      Object.entries(WEIGHTS).map(([name, weights]) => [
        `model_weights/${name}`,
        { weight_names: weights.map(([weight]) => `${name}/${weight}`) },
      ]),
    ),
  },
);

/** Files of a `.keras` archive of a small model: pictures of 6×6 with 4 channels, 3 classes. */
export const KERAS_PARTS = {
  'config.json': JSON.stringify(CONFIG),
  'metadata.json': JSON.stringify({ keras_version: '3.15.1' }),
  'model.weights.h5': archived,
};
const bytesOf = (content: string | Uint8Array): Uint8Array => typeof content === 'string' ? new TextEncoder().encode(content) : content; // prettier-ignore
/** The parts as one archive. */
export const packedKeras = (parts: Readonly<Record<string, string | Uint8Array>>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(parts).map(([name, content]) => [name, bytesOf(content)])), { level: 0, mtime: '2020-01-01' }); // prettier-ignore

const topology = {
  format: 'layers-model',
  modelTopology: { keras_version: '3.15.1', model_config: CONFIG },
  weightsManifest: [
    { paths: ['weights.bin'], weights: each((name, weight, shape) => ({ name: `${name}/${weight}`, shape, dtype: 'float32' })) }, // prettier-ignore
  ],
};
/** The same model as tensorflowjs_converter writes it. */
export const kerasJson = {
  'model.json': JSON.stringify(topology),
  'weights.bin': new Uint8Array(Float32Array.from(each((_name, _weight, shape) => values(shape).values).flat()).buffer),
};
