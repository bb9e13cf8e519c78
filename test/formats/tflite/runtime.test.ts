import { describeTflite } from '../../../src/formats/tflite/describe/describe.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { oldestRuntime, releaseOf } from '../../../src/formats/tflite/releases.ts';
import { runtimeOf, runtimeSentence, wrongInTensorflow29 } from '../../../src/formats/tflite/runtime.ts';
import { builtinOperators } from '../../../src/formats/tflite/schema/operators.ts';
import type { TfliteModel } from '../../../src/formats/tflite/types.ts';
import { operatorVersion } from '../../../src/formats/tflite/versions.ts';
import { openTflite } from '../../../src/runtime/litert.ts';
import { calibrated } from './calibrate.ts';
import { exported, floats, randomFeeds, sketch } from './support.ts';
import { writeTflite } from '../../../src/formats/tflite/write.ts';

const dense = sketch((g) => {
  const logits = g.op('BatchMatMul', [g.input('x', floats('batch', 40)), g.weights([40, 30])], {
    transposeA: false,
    transposeB: false,
  });
  return g.op('Relu', [g.op('Add', [logits, g.weights([30])])]);
});
const quantization = calibrated(dense, [randomFeeds(dense, 1)]);
const wide = calibrated(dense, [randomFeeds(dense, 1)], 'int16');

/** As Google's converter writes it: scales by output under the version of one scale. */
function asVersion4(model: TfliteModel): TfliteModel {
  const FULLY_CONNECTED = builtinOperators.indexOf('FULLY_CONNECTED');
  const operatorCodes = model.operatorCodes.map((code) =>
    code.builtinCode === FULLY_CONNECTED ? { ...code, version: 4 } : code,
  );
  return { ...model, operatorCodes };
}

it('each operator of the map is one of the format, and its versions came one after another', () => {
  for (const op of builtinOperators) {
    for (let version = 2; releaseOf({ op, version }) !== undefined; version++) {
      const [before, after] = [version - 1, version].map((one) => oldestRuntime([{ op, version: one }])!);
      const [a, b] = [before!, after!].map((release) => release.split('.').map(Number));
      expect({ op, version, grows: a![0]! < b![0]! || (a![0] === b![0] && a![1]! <= b![1]!) }).toMatchObject({
        grows: true,
      });
    }
  }
  expect(builtinOperators.filter((op) => releaseOf({ op, version: 1 }) !== undefined)).toHaveLength(159);
});

it.each([
  ['FULLY_CONNECTED', 4, '1.14.0'],
  ['FULLY_CONNECTED', 12, '2.17.0'],
  ['MIRROR_PAD', 3, '2.12.0'],
  ['RELU', 2, '2.1.0'],
  ['TRANSPOSE', 7, '2.14.4'],
] as const)('%s %d came with %s', (op, version, release) => {
  expect(
    oldestRuntime([
      { op: 'ADD', version: 1 },
      { op, version },
    ]),
  ).toBe(release);
});

it('of an operator that is not in the map no release is named', () => {
  expect(oldestRuntime([{ op: 'ADD', version: 99 }])).toBeUndefined();
  const model = readTflite(exported(dense));
  const [code, ...others] = model.operatorCodes;
  const own = { ...model, operatorCodes: [{ ...code!, builtinCode: 32, customCode: 'Mine' }, ...others] };
  expect(runtimeSentence(runtimeOf(own))).toContain('of one it is not known since when');
});

it.each([
  ['int8', { precision: 'integer', quantization }, 4, '1.14.0'],
  ['weights of 8 bits', { precision: 'dynamic' }, 9, '2.3.0'],
  ['activations of 16 bits', { precision: 'integer', quantization: wide }, 7, '2.3.0'],
  ['int8, by output', { precision: 'integer', quantization, dense: 'channel' }, 12, '2.17.0'],
  ['weights of 8 bits, by output', { precision: 'dynamic', dense: 'channel' }, 12, '2.17.0'],
] as const)('a dense layer with %s runs in the oldest TensorFlow Lite that can', (_, options, version, release) => {
  const { layers, minimumRuntime, minimumRuntimeFor } = describeTflite(exported(dense, options));
  expect(layers.find(({ op }) => op === 'FULLY_CONNECTED')!.version).toBe(version);
  expect(minimumRuntime).toBe(release);
  expect(minimumRuntimeFor).toContain(`FULLY_CONNECTED v${version}`);
});

it('convolutions beside 16-bit activations have the version of those', () => {
  const type = { dtype: 'int16', shape: [1] } as const;
  const signature = { inputs: [type, { dtype: 'int8', shape: [1] }] as const, outputs: [type] };
  expect(operatorVersion({ op: 'CONV_2D', ...signature })).toBe(4);
  expect(operatorVersion({ op: 'DEPTHWISE_CONV_2D', ...signature })).toBe(5);
});

it('a file with scales by output under a version that does not know them needs 2.17, and 2.9 is not given it', async () => {
  const model = readTflite(exported(dense, { precision: 'integer', quantization, dense: 'channel' }));
  const theirs = asVersion4(model);
  expect(runtimeOf(theirs).minimumRuntime).toBe('2.17.0');
  expect(wrongInTensorflow29(theirs)).toBe('it takes the first scale of a dense layer for all its outputs');
  const opened = openTflite(writeTflite(theirs), { runtime: 'native' });
  await expect(opened).rejects.toThrow('TensorFlow Lite 2.9 cannot run the model: it takes the first scale');
});

it('sums of integers are said to need XNNPACK, and 2.9 is not given them', async () => {
  const sum = sketch((g) => g.op('Sum', [g.input('x', floats('batch', 4, 4))], { axes: [2], keepDims: false }));
  const bytes = exported(sum, { precision: 'integer', quantization: calibrated(sum, [randomFeeds(sum)]) });
  expect(runtimeSentence(describeTflite(bytes))).toBe(
    "runs in TensorFlow Lite 1.15.0 and later, for SUM v2; sums of integers are right in LiteRT's XNNPACK kernels alone",
  );
  await expect(openTflite(bytes, { runtime: 'native' })).rejects.toThrow('sums of integers is wrong');
  expect(describeTflite(exported(sum)).caution).toBeUndefined();
  await expect(openTflite(exported(sum), { runtime: 'native' })).resolves.toBeDefined();
});
