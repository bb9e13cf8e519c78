import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { layers, model, sequential } from '@tensorflow/tfjs-layers';
import { describeTflite } from '../../src/formats/tflite/describe/describe.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { saveTfjs } from '../support/saved-tfjs.ts';
import { temporaryFolder } from '../support/folder.ts';
import { numbers } from '../support/graphs.ts';
import { npyBytes } from '../support/npy.ts';

const folder = temporaryFolder();
const place = (name: string): string => path.join(folder(), name);
const SHAPE = [8, 8, 2];
const COUNT = 48;
const x = numbers(COUNT * 128, 'x');

/** A convolutional model with a batch norm, as tfjs saves it, and what it says about `x`. */
async function save(): Promise<Float32Array> {
  useLazyBackend(evaluator);
  const model = sequential();
  model.add(
    layers.conv2d({ inputShape: SHAPE, filters: 8, kernelSize: 3, padding: 'same', useBias: false, name: 'conv' }),
  );
  model.add(layers.batchNormalization({ name: 'norm' }));
  model.add(layers.reLU({ name: 'relu' }));
  model.add(layers.globalAveragePooling2d({ dataFormat: 'channelsLast', name: 'pool' }));
  model.add(layers.dense({ units: 4, name: 'logits' }));
  // The last is the moving variance.
  model.setWeights(model.getWeights().map((weight, i, { length }) => {
    const values = numbers(weight.size, 'w', i).map((value) => (i === length - 1 ? 0.5 + value * value : value));
    return tf.tensor(values, weight.shape);
  })); // prettier-ignore
  await saveTfjs(model, folder());
  const logits = model.predict(tf.tensor(x, [COUNT, ...SHAPE])) as tf.Tensor;
  return (await logits.data()) as Float32Array;
}

async function npy(name: string, shape: readonly number[], data = x): Promise<string> {
  await writeFile(place(name), npyBytes(shape, data));
  return place(name);
}

const DEFAULTS = { model: '', calibrator: 'mse', samples: 512, keepFloat: [], symmetric: false, opset: 17 } as const;
const convert = (options: Partial<Parameters<typeof convertFile>[0]>) =>
  convertFile({
    ...{ ...DEFAULTS, from: place('model.json'), out: place('out'), format: 'onnx', precision: 'int8' },
    ...options,
  });

async function onnxLogits(file: string): Promise<Float32Array> {
  const model = new InferenceModel(new Uint8Array(await readFile(file)), file, sessionOptions('cpu', { threads: 1 }));
  const results = await model.run({ [model.inputs[0]!.name]: { data: x, shape: [COUNT, ...SHAPE] } });
  model.dispose();
  return Object.values(results)[0]!.data as Float32Array;
}

function expectNear(actual: Float32Array, expected: Float32Array, share: number): void {
  const power = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);
  expect(power(actual.map((value, i) => value - expected[i]!))).toBeLessThan(share * power(expected));
}

it('writes a tfjs model as ONNX, with weights as int8 after calibration on an .npy array', async () => {
  const expected = await save();
  const float = await convert({ precision: 'fp32' });
  expect(float).toMatchObject({ top1Agreement: null, samples: 4, isMadeUp: true });
  expect(float.outputs[0]!.sqnrDb).toBeGreaterThan(100);
  expectNear(await onnxLogits(place('out')), expected, 1e-9);

  const data = await npy('x.npy', [COUNT, ...SHAPE]);
  const int8 = await convert({ data, samples: 40, out: place('int8.onnx') });
  expect(int8).toMatchObject({ from: place('model.json'), to: place('int8.onnx'), skipped: [], samples: 40 });
  expect(int8.outputs.map(({ output, top1Agreement }) => [output, top1Agreement])).toEqual([['logits', null]]);
  expect(int8.outputs[0]!.sqnrDb).toBeGreaterThan(20);
  expectNear(await onnxLogits(place('int8.onnx')), expected, 0.01);
  const { graph } = decodeModel(new Uint8Array(await readFile(place('int8.onnx'))), 'int8.onnx');
  expect(graph.initializers.filter(({ dims }) => dims.length > 1).map(({ dtype }) => dtype)).toEqual(['int8', 'int8']);
});

it('writes a tfjs model as int8 TFLite from the same array', async () => {
  const expected = await save();
  await convert({ format: 'tflite', data: await npy('x.npy', [COUNT, ...SHAPE]), out: place('x.tflite') });
  const model = await openTflite(new Uint8Array(await readFile(place('x.tflite'))));
  const results = await model.run({ input: x.slice(0, 128) });
  model.dispose();
  expectNear(Object.values(results)[0] as Float32Array, expected.slice(0, 4), 0.02);
});

it.each([
  ['int8', undefined, 4, '1.14.0'],
  ['int8', 'channel', 12, '2.17.0'],
  ['int16x8', 'tensor', 7, '2.4.0'],
] as const)(
  '%s, dense scales %s: FULLY_CONNECTED %d, a file for TensorFlow Lite %s',
  async (precision, dense, version, release) => {
    await save();
    const data = await npy('x.npy', [COUNT, ...SHAPE]);
    await convert({ format: 'tflite', precision, data, dense });
    const { layers, minimumRuntime } = describeTflite(new Uint8Array(await readFile(place('out'))));
    expect(layers.find(({ op }) => op === 'FULLY_CONNECTED')!.version).toBe(version);
    expect(minimumRuntime).toBe(release);
  },
);

it('keeps layers in float on request, and their biases as they were', async () => {
  await save();
  const data = await npy('x.npy', [COUNT, ...SHAPE]);
  const { skipped } = await convert({ data, keepFloat: ['logits'] });
  expect(skipped).toEqual([{ what: 'logits', why: 'it is kept in float' }]);
  const stored = async (): Promise<Map<string, number[]>> => {
    const { graph } = decodeModel(new Uint8Array(await readFile(place('out'))), 'out');
    const gemm = graph.nodes.find(({ op }) => op === 'Gemm')!;
    return new Map(
      gemm.inputs.slice(1).map((name, i) => {
        const { dtype, raw } = graph.initializers.find((t) => t.name === name)!;
        expect(dtype).toBe('float32');
        return [`${i}`, [...raw]];
      }),
    );
  };
  const kept = await stored();
  await convert({ precision: 'fp32' });
  expect(kept).toEqual(await stored());
});

it('refuses sparse tensors in what has none', async () => {
  await save();
  await expect(convert({ sparse: true, precision: 'fp32' })).rejects.toThrow(
    '--sparse: expected --format tflite --precision fp32, received onnx and fp32',
  );
  const { bytes, skipped } = await convert({ sparse: true, precision: 'fp32', format: 'tflite' });
  expect(skipped).toEqual([{ what: 'every filter', why: expect.stringMatching(/^of no 1×1 convolution/) as string }]);
  expect(bytes).toBe((await convert({ precision: 'fp32', format: 'tflite' })).bytes);
});

it('refuses an array that the model is not fed with, and a layer that it does not have', async () => {
  await save();
  const data = await npy('x.npy', [COUNT, 2, 8, 8]);
  await expect(convert({ data })).rejects.toThrow(
    /x\.npy: expected an array \[samples, 8, 8, 2\], received \[48, 2, 8, 8\]/,
  );
  const good = await npy('good.npy', [COUNT, ...SHAPE]);
  await expect(convert({ data: good, keepFloat: ['logit'] })).rejects.toMatchObject({ hint: 'Did you mean logits?' });
  await expect(convert({})).rejects.toThrow(/expected samples to calibrate with, received none/);
  await writeFile(place('short.npy'), (await readFile(good)).subarray(0, 4000));
  await expect(convert({ data: place('short.npy') })).rejects.toThrow(/short\.npy/);
});

it.each([
  [{ precision: 'int16x8' }, 'float32', [1, ...SHAPE]],
  [{ ends: 'int8' }, 'int8', [1, ...SHAPE]],
  [{ ends: 'uint8' }, 'uint8', [1, ...SHAPE]],
  [{ batch: 'dynamic' }, 'float32', [-1, ...SHAPE]],
  [{ batch: 'dynamic', precision: 'fp32' }, 'float32', [-1, ...SHAPE]],
  [{ batch: 'dynamic', ends: 'uint8' }, 'uint8', [-1, ...SHAPE]],
] as const)('writes TFLite with %j, compared with the float model', async (options, dtype, shape) => {
  await save();
  const data = await npy('x.npy', [COUNT, ...SHAPE]);
  const made = await convert({ ...options, format: 'tflite', data });
  expect(made).toMatchObject({ samples: COUNT, skipped: [] });
  expect(made.outputs[0]!.sqnrDb).toBeGreaterThan(20);
  const session = await openTflite(new Uint8Array(await readFile(place('out'))));
  expect(session.inputs).toMatchObject([{ dtype, shape }]);
  expect(session.outputs).toMatchObject([{ dtype, shape: [shape[0], 4] }]);
  session.dispose();
});

it.each([
  [{ precision: 'int16x8', format: 'onnx' }, '--precision int16x8: expected --format tflite'],
  [{ ends: 'uint8', precision: 'fp16', format: 'tflite' }, '--ends uint8: expected --format tflite --precision int8'],
  [{ batch: 'dynamic', format: 'onnx' }, '--batch dynamic: expected --format tflite'],
  [
    { dense: 'channel', format: 'onnx' },
    '--dense-scales channel: expected --format tflite and a --precision with int8',
  ],
  [{ dense: 'tensor', format: 'tflite', precision: 'fp16' }, 'received tflite and fp16'],
] as const)('refuses %j', async (options, message) => {
  await expect(convert(options)).rejects.toThrow(message);
});

it('refuses a tfjs model of two outputs instead of losing one', async () => {
  useLazyBackend(evaluator);
  const input = layers.input({ shape: [4] });
  const heads = ['one', 'two'].map((name) => layers.dense({ units: 3, name }).apply(input) as SymbolicTensor);
  await saveTfjs(model({ inputs: input, outputs: heads }), folder());
  await expect(convert({ precision: 'fp32' })).rejects.toThrow(
    /model\.json: expected a tfjs model of one input and one output, received 1 and 2/,
  );
});
