// Needs the feature keras.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import '../../src/features.ts';
import { compare, convert, inspect } from '../../src/convert.ts';
import type { ConversionOptions } from '../../src/convert.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { temporaryFolder } from '../support/folder.ts';
import { numbers } from '../support/graphs.ts';
import { npyBytes } from '../support/npy.ts';
import { pictureTeacher } from '../support/onnx.ts';
import { ort } from '../support/ort-module.ts';
import { KERAS_PARTS, kerasHdf5, packedKeras } from '../support/saved-keras.ts';

const folder = temporaryFolder();
const SAMPLES = 8;
const fed = (input: string, ...shape: number[]) => {
  const data = numbers(SAMPLES * shape.reduce((a, b) => a * b, 1), 'samples');
  return { [input]: { data, shape: [SAMPLES, ...shape] } };
};
/** Files with a call that calibrates them. Keras has batch norms, whose constants a runtime computes. */
const SOURCES = {
  'pictures.onnx': { bytes: pictureTeacher(), sample: fed('pixels', 4, 4, 2) },
  'net.keras': { bytes: packedKeras(KERAS_PARTS), sample: fed('x', 6, 6, 4) },
  'net.h5': { bytes: kerasHdf5, sample: fed('x', 6, 6, 4) },
};

type Kind = readonly [to: ConversionOptions['to'], precision: NonNullable<ConversionOptions['precision']>];
const FLOATS: readonly Kind[] = [
  ['tflite', 'fp32'],
  ['tflite', 'fp16'],
  ['onnx', 'fp32'],
];
const KINDS: Readonly<Record<keyof typeof SOURCES, readonly Kind[]>> = {
  'pictures.onnx': [
    ...FLOATS,
    ...([
      ['tflite', 'int8'],
      ['tflite', 'int8-weights'],
      ['tflite', 'int16x8'],
    ] as const),
    ...([
      ['onnx', 'fp16'],
      ['onnx', 'int8'],
      ['onnx', 'int8-weights'],
      ['onnx', 'int4'],
    ] as const),
  ],
  'net.keras': [...FLOATS, ['tflite', 'int8']],
  'net.h5': [['onnx', 'int8']],
};

describe.each(Object.entries(SOURCES))('%s', (name, { bytes, sample }) => {
  it.each(KINDS[name as keyof typeof SOURCES])(
    'becomes %s in %s with the bytes that the command line writes',
    async (to, precision) => {
      const [from, out] = [path.join(folder(), name), path.join(folder(), `out.${to}`)];
      await writeFile(from, bytes);
      const { inputs } = await inspect(bytes);
      const [{ data, shape }] = Object.values(sample) as [(typeof sample)[string]];
      await writeFile(path.join(folder(), 'x.npy'), npyBytes(shape, data));
      const isCalibrated = precision === 'int8' || precision === 'int16x8';
      const told = precision === 'int8-weights' ? 'dynamic-int8' : precision;
      const written = await convertFile({
        ...{ from, out, format: to, precision: told, accept: true, samples: SAMPLES },
        ...(isCalibrated && { data: path.join(folder(), 'x.npy') }),
      });
      const samples = [{ [inputs[0]!.name]: { data, shape } }];
      // The command line keeps the biases as they were where the file answers better so.
      const correctBiases = !written.skipped.some(({ what }) => what === 'every bias');
      const made = await convert(bytes, { to, precision, name, samples, runtime: ort, correctBiases });
      const [[file, content]] = [...made.files] as [[string, Uint8Array]];
      expect(file).toBe(`${name.split('.')[0]}${precision === 'fp32' ? '' : `-${precision}`}.${to}`);
      expect(Buffer.compare(content, await readFile(out))).toBe(0);
      expect(made.layers.length).toBeGreaterThan(0);
      expect(made.notes.length).toBe(written.skipped.length - (correctBiases ? 0 : 1));
    },
  );
});

it('compares as the command line does', async () => {
  const { bytes, sample } = SOURCES['pictures.onnx'];
  const from = path.join(folder(), 'm.onnx');
  await writeFile(from, bytes);
  const { data, shape } = sample['pixels']!;
  await writeFile(path.join(folder(), 'x.npy'), npyBytes(shape, data));
  const options = { from, out: path.join(folder(), 'out.onnx'), format: 'onnx', precision: 'fp16' } as const;
  const { outputs } = await convertFile({ ...options, data: path.join(folder(), 'x.npy') });
  expect(await compare(bytes, await readFile(options.out), [sample], { onnx: ort })).toEqual(outputs);
});

it('describes ONNX, Keras and TFLite files', async () => {
  const { bytes } = SOURCES['pictures.onnx'];
  const source = await inspect(bytes);
  expect(source).toMatchObject({
    ...{ format: 'onnx', bytes: bytes.length, macs: 96 },
    inputs: [{ name: 'pixels', dtype: 'float32', shape: ['batch', 4, 4, 2] }],
    outputs: [{ name: 'scores', dtype: 'float32', shape: ['batch', 3] }],
  });
  expect((await inspect(kerasHdf5)).format).toBe('h5');
  const made = await convert(bytes, { to: 'tflite' });
  const tflite = await inspect([...made.files.values()][0]!);
  expect(tflite).toMatchObject({ format: 'tflite', macs: 96, operators: { FULLY_CONNECTED: 1 } });
});

describe('refuses, with a remedy,', () => {
  const { bytes, sample } = SOURCES['pictures.onnx'];
  const keras = packedKeras(KERAS_PARTS);
  const damaged = keras.slice();
  damaged[keras.length >> 1]! ^= 1;
  const open = new GraphBuilder();
  const x = open.input('x', { dtype: 'float32', shape: ['batch', 2] });
  const w = open.constant({ dtype: 'float32', shape: [2] }, Float32Array.of(1, 2));
  open.output('y', open.op('Add', [x, open.op('Erf', [w])]));
  const unfolded = encodeModel(lowerToOnnx(open.build()));

  it.each<[string, Uint8Array, Partial<ConversionOptions>, RegExp, RegExp]>([
    [
      'another kind of file',
      new TextEncoder().encode('hello, world'),
      {},
      /not an ONNX file/,
      /Export the model again/,
    ],
    ['a cut file', bytes.subarray(0, 200), {}, /not an ONNX file, or a damaged one/, /compare the size/],
    ['a cut archive', keras.subarray(0, 900), {}, /no archive of Keras, or a damaged one/, /./],
    ['a bit that has changed', damaged, {}, /CRC-32 of .* is wrong/, /./],
    ['int8 without samples', bytes, { precision: 'int8', runtime: ort }, /needs samples/, /int8-weights needs none/],
    [
      'int8 without a runtime',
      bytes,
      { precision: 'int8', samples: [sample] },
      /no runtime was passed/,
      /onnxruntime-web/,
    ],
    ['constants without a runtime', unfolded, {}, /constants have to be computed \(Erf\)/, /onnxruntime-node/],
    ['int4 in TFLite', bytes, { precision: 'int4' }, /expected onnx, received tflite/, /Choose int8/],
    [
      ...(['a sample of another shape', bytes] as const),
      { precision: 'int8', runtime: ort, samples: [fed('pixels', 4, 4, 3)] },
      ...([/\[batch, 4, 4, 2\], received \[8, 4, 4, 3\]/, /as the model is fed/] as const),
    ],
    ['an unknown input', bytes, { shape: { other: [1] } }, /shape is given for other/, /Its inputs are pixels/],
  ])('%s', async (_, content, options, message, hint) => {
    const error: unknown = await convert(content, { to: 'tflite', ...options }).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ name: 'UserError', message: expect.stringMatching(message) as string });
    expect((error as { hint: string }).hint).toMatch(hint);
  });
});
