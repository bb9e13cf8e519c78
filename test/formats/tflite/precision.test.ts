import { describeTflite } from '../../../src/formats/tflite/describe/describe.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import type { TfliteOptions } from '../../../src/formats/tflite/export.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { tensorTypes } from '../../../src/formats/tflite/schema/tensor-types.ts';
import type { TensorQuantization } from '../../../src/graph/quantization.ts';
import { asymmetric, magnitudes, symmetric } from '../../../src/graph/quantization.ts';
import { openTflite } from '../../../src/runtime/litert.ts';
import { integerCases } from './integer-cases.ts';
import type { Sketch } from './support.ts';
import { expectClose, exported, floats, operators, randomFeeds, reference, run, sketch } from './support.ts';
import { calibrated } from './calibrate.ts';

const SAME3 = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const POOL = { filterSize: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] };

const PLAIN = { transposeA: false, transposeB: false };

/** A network with what quantizes in different ways: residual, concatenation, pool, sigmoid gate, dense, softmax. */
function network(g: Sketch): string {
  const x = g.input('x', floats('batch', 8, 8, 4));
  const conv = (from: string, filter: number[]): string => {
    const y = g.op('Conv2D', [from, g.weights(filter, undefined, 0.3)], SAME3);
    return g.op('Relu', [g.op('Add', [y, g.weights([filter[3]!], undefined, 0.3)])]);
  };
  const a = conv(x, [3, 3, 4, 16]);
  const b = g.op('Add', [a, conv(a, [3, 3, 16, 16])]);
  const depth = g.op('DepthwiseConv2dNative', [b, g.weights([3, 3, 16, 1], undefined, 0.3)], SAME3);
  const both = g.op('Concat', [g.op('MaxPool', [b], POOL), g.op('AvgPool', [depth], POOL)], { axis: 3 });
  const gated = g.op('Swish', [both]);
  const flat = g.op('Reshape', [g.op('Mean', [gated], { axes: [1, 2], keepDims: true })], { shape: ['batch', 32] });
  const hidden = g.op('BatchMatMul', [flat, g.weights([32, 40], 'hidden', 0.3)], {
    transposeA: false,
    transposeB: false,
  });
  const logits = g.op('BatchMatMul', [g.op('Tanh', [hidden]), g.weights([40, 6], 'logits')], {
    transposeA: false,
    transposeB: false,
  });
  return g.op('Softmax', [logits], { axis: 1 });
}

const graph = sketch(network);
const samples = Array.from({ length: 8 }, (_, i) => randomFeeds(graph, i));
const quantization = calibrated(graph, samples);

async function expectLikeFloat(options: TfliteOptions, tolerance: number): Promise<Uint8Array> {
  const { bytes, skipped } = exportTflite(graph, options);
  expect(skipped.filter(({ why }) => !why.includes('too few'))).toEqual([]);
  for (const feeds of samples.slice(0, 3)) {
    const [actual, expected] = [await run(bytes, feeds), reference(graph, feeds)];
    expectClose(actual.y0!, expected.y0!, tolerance);
  }
  return bytes;
}

function typesOf(bytes: Uint8Array): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of readTflite(bytes).subgraphs[0]!.tensors) {
    counts[tensorTypes[type]!] = (counts[tensorTypes[type]!] ?? 0) + 1;
  }
  return counts;
}

/** Two numbers of other units behind a dense layer: about a thousand, and about a hundredth. */
const inUnits = sketch((g) => {
  const dense = g.op('BatchMatMul', [g.input('x', floats('batch', 600)), g.weights([600, 2], 'last', 0.04)], PLAIN);
  const scaled = g.op('Multiply', [dense, g.constant(floats(2), Float32Array.of(100, 0.01))], {}, 'units');
  return g.op('Add', [scaled, g.constant(floats(2), Float32Array.of(1000, 0))], {}, 'units');
});

/** The smaller number is not drowned by the error of the larger one. */
async function expectShare(bytes: Uint8Array): Promise<void> {
  for (const key of [0, 1, 2]) {
    const feeds = randomFeeds(inUnits, key);
    const [actual, expected] = [await run(bytes, feeds), reference(inUnits, feeds)];
    expect(Math.abs(actual.y0![1]! - expected.y0![1]!)).toBeLessThan(1e-3);
  }
}

describe('float16', () => {
  it('stores large weights as halves and computes nearly the same', async () => {
    const bytes = await expectLikeFloat({ precision: 'float16' }, 2e-3);
    expect(bytes.length).toBeLessThan(exported(graph).length * 0.65);
    expect(operators(bytes).filter((op) => op === 'DEQUANTIZE')).toHaveLength(5);
  });

  it('leaves values that no half can hold', () => {
    const wide = sketch((g) =>
      g.op('Add', [g.input('x', floats('batch', 80)), g.constant(floats(80), new Float32Array(80).fill(1e6))]),
    );
    const { bytes, skipped } = exportTflite(wide, { precision: 'float16' });
    expect(operators(bytes)).toEqual(['ADD']);
    expect(skipped[0]!.why).toContain('65504');
  });
});

describe('dynamic range', () => {
  it('stores large filters as int8 and computes nearly the same', async () => {
    const bytes = await expectLikeFloat({ precision: 'dynamic' }, 0.05);
    expect(typesOf(bytes)).toMatchObject({ int8: 2 });
    expect(operators(bytes)).not.toContain('DEQUANTIZE');
  });

  it('has factors that differ from output to output outside of a dense layer with one scale', async () => {
    const bytes = exported(inUnits, { precision: 'dynamic' });
    expect(operators(bytes)).toEqual(['FULLY_CONNECTED', 'MUL', 'ADD']);
    await expectShare(bytes);
    expect(operators(exported(inUnits, { precision: 'dynamic', dense: 'channel' }))).toEqual(['FULLY_CONNECTED']);
  });

  it('names the layers whose weights are too few', () => {
    expect(exportTflite(graph, { precision: 'dynamic' }).skipped.map(({ why }) => why)).toContain(
      'its 240 weights are too few to gain from int8',
    );
  });
});

describe('integers', () => {
  it('compute nearly the same with float32 ends', async () => {
    const bytes = await expectLikeFloat({ precision: 'integer', quantization }, 0.06);
    const list = operators(bytes);
    expect([list[0], list.at(-1)]).toEqual(['QUANTIZE', 'DEQUANTIZE']);
    expect(list.filter((op) => op.includes('QUANTIZE'))).toHaveLength(2 + 1);
    // Beside the two ends, one rescales the pooled part of the concatenation.
    expect(typesOf(bytes).float32).toBe(2);
  });

  it('keep a layer in float from its first operation to its last; what only hands values on takes them as they come', () => {
    const two = sketch((g) => {
      const front = g.op('BatchMatMul', [g.input('x', floats('batch', 8)), g.weights([8, 12])], PLAIN, 'front');
      const rows = g.op('Reshape', [front], { shape: ['batch', 3, 4] }, 'front');
      const scaled = g.op('Multiply', [rows, g.weights([4])], {}, 'front');
      const flat = g.op('Reshape', [scaled], { shape: ['batch', 12] }, 'back');
      return g.op('BatchMatMul', [flat, g.weights([12, 3])], PLAIN, 'back');
    });
    const ranges = calibrated(two, [randomFeeds(two)]);
    const kept = (layer: string): string[] =>
      operators(
        exportTflite(two, { precision: 'integer', quantization: ranges, keepFloat: (name) => name === layer }).bytes,
      );
    expect(kept('front')).toEqual([
      ...['FULLY_CONNECTED', 'RESHAPE', 'MUL', 'QUANTIZE', 'RESHAPE', 'FULLY_CONNECTED', 'DEQUANTIZE'],
    ]);
    expect(kept('back')).toEqual([
      ...['QUANTIZE', 'FULLY_CONNECTED', 'RESHAPE', 'MUL', 'RESHAPE', 'DEQUANTIZE', 'FULLY_CONNECTED'],
    ]);
  });

  it.each([
    ['int8', 'native'],
    ['uint8', 'native'],
    ['int8', 'litert'],
    ['uint8', 'litert'],
  ] as const)('take and give %s, in the %s runtime', async (ends, runtime) => {
    const bytes = exported(graph, { precision: 'integer', quantization, ends });
    const session = await openTflite(bytes, { runtime });
    const [input, output] = [session.inputs[0]!, session.outputs[0]!];
    expect([input.dtype, output.dtype]).toEqual([ends, ends]);
    const { x } = samples[0]!;
    const { scale, zeroPoint } = input.quantization!;
    const stored = Array.from(x as Float32Array, (value) => Math.round(value / scale) + zeroPoint);
    const { y0 } = await session.run({ x: ends === 'int8' ? Int8Array.from(stored) : Uint8Array.from(stored) });
    session.dispose();
    const real = Float32Array.from(
      y0 as Int8Array,
      (value) => (value - output.quantization!.zeroPoint) * output.quantization!.scale,
    );
    expect(output.quantization).toEqual({ scale: 1 / 256, zeroPoint: ends === 'int8' ? -128 : 0 });
    expectClose(real, reference(graph, samples[0]!).y0!, 0.06);
  });

  it.each(['int8', 'uint8'] as const)('take the bytes of pictures as %s, and other values as calibrated', (ends) => {
    const scaled = (seen: readonly [low: number, high: number], mean: number[], std: number[]): object => {
      const own = asymmetric(...seen, 'int8');
      const { subgraphs } = readTflite(
        exported(graph, {
          precision: 'integer',
          quantization: new Map([...quantization, ['x', own]]),
          ends,
          description: { name: 'm', inputs: { x: { image: { colorSpace: 'rgb', mean, std } } } },
        }),
      );
      const { scale, zeroPoint } = subgraphs[0]!.tensors.find(({ name }) => name === 'x')!.quantization!;
      const isAsCalibrated = scale![0] === Math.fround(own.scales[0]!);
      return isAsCalibrated ? { isAsCalibrated } : { scale, zeroPoint };
    };
    const zero = ends === 'int8' ? -128n : 0n;
    expect(scaled([0, 0.97], [0], [255])).toEqual({ scale: [Math.fround(1 / 255)], zeroPoint: [zero] });
    const wide = { scale: [1 / 128], zeroPoint: [zero + 127n] };
    expect(scaled([-0.9, 1.01], [127, 127, 127], [128, 128, 128])).toEqual(wide);
    expect(scaled([-0.9, 0.9], [103, 116, 123], [128, 128, 128])).toEqual({ isAsCalibrated: true });
    expect(scaled([-0.9, 0.9], [127, 127, 127], [57, 57, 58])).toEqual({ isAsCalibrated: true });
    // A spectrogram, whose values are negative, and values up to 1 that nothing divides by 255.
    expect(scaled([-2, 3], [0.1], [0.43])).toEqual({ isAsCalibrated: true });
    expect(scaled([-2, 3], [10], [50])).toEqual({ isAsCalibrated: true });
    expect(scaled([0, 1], [0], [1])).toEqual({ isAsCalibrated: true });
  });

  it('have weights per channel, symmetric, and biases at the product of the scales', () => {
    const { subgraphs, operatorCodes } = readTflite(exported(graph, { precision: 'integer', quantization }));
    const { tensors, operators: list } = subgraphs[0]!;
    const conv = list.find(({ opcodeIndex }) => operatorCodes[opcodeIndex]!.builtinCode === 3)!;
    const [x, filter, bias] = conv.inputs.map((index) => tensors[index]!.quantization!);
    expect(filter!.scale).toHaveLength(16);
    expect(filter!.zeroPoint!.every((zero) => zero === 0n)).toBe(true);
    expect(bias!.scale).toEqual(filter!.scale!.map((scale) => Math.fround(scale * x!.scale![0]!)));
  });

  it('keep the scales that they are given, through a batch norm that is folded', () => {
    const net = sketch((g) => {
      const y = g.op('Conv2D', [g.input('x', floats('batch', 4, 4, 2)), g.weights([1, 1, 2, 3], 'filter')], {
        ...SAME3,
        pads: [0, 0, 0, 0],
      });
      return g.op('Multiply', [y, g.constant(floats(3), Float32Array.of(2, -4, 0.5))]);
    });
    const given: TensorQuantization = { dtype: 'int8', scales: [0.25, 0.125, 0.5], zeroPoints: [0, 0, 0], axis: 3 };
    const scales = new Map(calibrated(net, [randomFeeds(net)])).set('filter', given);
    const { tensors } = readTflite(exported(net, { precision: 'integer', quantization: scales })).subgraphs[0]!;
    const filter = tensors.find(({ quantization: q }) => q?.scale?.length === 3)!;
    expect(filter.quantization).toMatchObject({ scale: [0.5, 0.5, 0.25] });
  });

  it('leave layers that are kept outside of the dense layer before them, whatever its scales', async () => {
    const { bytes } = exportTflite(inUnits, {
      precision: 'integer',
      quantization: new Map(
        calibrated(
          inUnits,
          [0, 1, 2].map((key) => randomFeeds(inUnits, key)),
        ),
      ).set('last', {
        ...symmetric([0.2, 0.2], 'int8', 1),
      }),
      keepFloat: (layer) => layer === 'units',
    });
    expect(operators(bytes)).toEqual(['QUANTIZE', 'FULLY_CONNECTED', 'DEQUANTIZE', 'MUL', 'ADD']);
    await expectShare(bytes);
  });

  it('leave float32 what has no kernel or no range, and say so', async () => {
    const net = sketch((g) =>
      g.op('Tanh', [
        g.op('Cumsum', [g.op('Relu', [g.input('x', floats('batch', 6))])], {
          axis: 1,
          exclusive: false,
          reverse: false,
        }),
      ]),
    );
    const { bytes, skipped } = exportTflite(net, {
      precision: 'integer',
      quantization: calibrated(net, [randomFeeds(net)]),
    });
    expect(skipped).toEqual([{ what: 'CUMSUM', why: 'CUMSUM has no integer kernel' }]);
    expect(operators(bytes)).toEqual(['QUANTIZE', 'RELU', 'DEQUANTIZE', 'CUMSUM', 'QUANTIZE', 'TANH', 'DEQUANTIZE']);
    const feeds = randomFeeds(net);
    expectClose((await run(bytes, feeds)).y0!, reference(net, feeds).y0!, 0.05);
    expect(exportTflite(net, { precision: 'integer', quantization: new Map() }).skipped[0]!.why).toBe(
      'the range of x is not known',
    );
  });

  it('have 16-bit activations beside 8-bit weights', async () => {
    const wide = calibrated(graph, samples, 'int16');
    const bytes = exported(graph, { precision: 'integer', quantization: wide });
    expect(typesOf(bytes)).toMatchObject({ int8: 5 });
    const feeds = samples[0]!;
    expectClose((await run(bytes, feeds)).y0!, reference(graph, feeds).y0!, 0.02);
  });

  it('with a scale for each channel of a dense layer are refused by runtimes that would compute garbage', async () => {
    const bytes = exported(graph, { precision: 'integer', quantization, ends: 'int8', dense: 'channel' });
    await expect(openTflite(bytes, { runtime: 'native' })).rejects.toThrow('2.9 cannot run the model');
  });

  it('leave a product in float32 that would overflow, such as that with a mask', () => {
    const mask = sketch((g) =>
      g.op('Multiply', [g.input('x', floats('batch', 4)), g.constant(floats(), Float32Array.of(-1e9))]),
    );
    const scales = new Map(calibrated(mask, [randomFeeds(mask)], 'int16'));
    const { skipped } = exportTflite(mask, { precision: 'integer', quantization: scales });
    expect(skipped).toEqual([{ what: 'MUL', why: 'its scales lie too far apart for integers' }]);
  });

  it('need scales', () => {
    expect(() => exportTflite(graph, { precision: 'integer' })).toThrow('integer export without scales');
  });
});

describe('an integer kernel is right for', () => {
  it.each(Object.keys(integerCases))('%s', async (name) => {
    const net = sketch(integerCases[name]!);
    const feeds = randomFeeds(net, 1);
    const { bytes, skipped } = exportTflite(net, { precision: 'integer', quantization: calibrated(net, [feeds]) });
    expect(skipped).toEqual([]);
    const [actual, expected] = [await run(bytes, feeds), reference(net, feeds)];
    // The operands are rounded to 256 steps, and so is the result.
    expectClose(actual.y0!, expected.y0!, 0.035);
  });
});

it('says why ends are not of the 8 bits that were asked for', () => {
  const ranges = [...quantization].filter(([name]) => name !== 'x');
  const unknown = exportTflite(graph, { precision: 'integer', quantization: new Map(ranges), ends: 'uint8' });
  expect(unknown.skipped).toContainEqual({ what: 'input x', why: 'it is not uint8: its range is not known' });
  const wide = exportTflite(graph, {
    precision: 'integer',
    quantization: calibrated(graph, samples, 'int16'),
    ends: 'int8',
  });
  expect(wide.skipped).toEqual([
    { what: 'input x', why: 'it is not int8: activations have 16 bits' },
    { what: 'output y0', why: 'it is not int8: activations have 16 bits' },
  ]);
  const { inputs, outputs } = describeTflite(wide.bytes);
  expect([...inputs, ...outputs].map(({ dtype }) => dtype)).toEqual(['float32', 'float32']);
});

it('folds factors into the scales of a depthwise filter with a multiplier, given one for each input channel', async () => {
  const scaled = sketch((g) => {
    const filter = g.weights([3, 3, 4, 2], 'filter', 0.3);
    const y = g.op('DepthwiseConv2dNative', [g.input('x', floats('batch', 6, 6, 4)), filter], SAME3);
    return g.op('Multiply', [
      y,
      g.constant(
        floats(8),
        Float32Array.from({ length: 8 }, (_, i) => 1 + i),
      ),
    ]);
  });
  const feeds = randomFeeds(scaled);
  const found = new Map(calibrated(scaled, [feeds]));
  const filter = scaled.constants.get('filter')!.data as Float32Array;
  found.set('filter', symmetric(magnitudes(filter, [3, 3, 4, 2], 2), 'int8', 2));
  const { bytes, skipped } = exportTflite(scaled, { precision: 'integer', quantization: found });
  expect([skipped, operators(bytes)]).toEqual([[], ['QUANTIZE', 'DEPTHWISE_CONV_2D', 'DEQUANTIZE']]);
  expectClose((await run(bytes, feeds)).y0!, reference(scaled, feeds).y0!, 0.03);
});

it('leaves factors by output behind a dense layer whose weights have one scale, and folds one factor for all', async () => {
  const net = (factors: readonly number[]) =>
    sketch((g) => {
      const y = g.op('BatchMatMul', [g.input('x', floats('batch', 6)), g.weights([6, 3], 'weights')], PLAIN);
      return g.op('Multiply', [y, g.constant(floats(3), Float32Array.from(factors))]);
    });
  for (const [factors, expected] of [
    [
      [1, -20, 0.05],
      ['FULLY_CONNECTED', 'MUL'],
    ],
    [[-3, 3, 3], ['FULLY_CONNECTED']],
  ] as const) {
    const graph = net(factors);
    const feeds = randomFeeds(graph);
    const weights = graph.constants.get('weights')!.data as Float32Array;
    const found = new Map(calibrated(graph, [feeds])).set('weights', symmetric(magnitudes(weights, [6, 3]), 'int8'));
    const bytes = exported(graph, { precision: 'integer', quantization: found });
    expect(operators(bytes)).toEqual(['QUANTIZE', ...expected, 'DEQUANTIZE']);
    expect(describeTflite(bytes).layers[1]).toMatchObject({ op: 'FULLY_CONNECTED', version: 4 });
    expectClose((await run(bytes, feeds)).y0!, reference(graph, feeds).y0!, 0.03);
  }
});

it('a product with a stack of stored matrices has one scale for them, whatever scales they were given', async () => {
  const stack = sketch((g) =>
    g.op('BatchMatMul', [g.input('x', floats(2, 4, 6)), g.weights([2, 6, 3], 'stack')], PLAIN),
  );
  const feeds = randomFeeds(stack);
  const values = stack.constants.get('stack')!.data as Float32Array;
  values.forEach((value, i) => (values[i] = i % 3 === 0 ? value / 50 : value));
  const found = new Map(calibrated(stack, [feeds])).set(
    'stack',
    symmetric(magnitudes(values, [2, 6, 3], 2), 'int8', 2),
  );
  const bytes = exported(stack, { precision: 'integer', quantization: found });
  expect(operators(bytes)).toEqual(['QUANTIZE', 'BATCH_MATMUL', 'DEQUANTIZE']);
  expectClose((await run(bytes, feeds)).y0!, reference(stack, feeds).y0!, 0.03);
});
