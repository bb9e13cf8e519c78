import { correctBias } from '../../../src/compress/quantize/bias.ts';
import { biasesOf, insideConvolutions } from '../../../src/compress/quantize/layers.ts';
import { weightScales } from '../../../src/compress/quantize/ptq.ts';
import { roundedWeights, withChangedConstants } from '../../../src/compress/quantize/rounding.ts';
import { quantizableLayers } from '../../../src/compress/quantize/layers.ts';
import { layerSensitivity } from '../../../src/compress/quantize/sensitivity.ts';
import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { exportQdq } from '../../../src/formats/onnx/qdq/qdq.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { TensorQuantization } from '../../../src/graph/quantization.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { InferenceModel, openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { numbers } from '../../support/graphs.ts';

const session = sessionOptions('cpu', { threads: 1 });
const SAME3 = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const PLAIN = { transposeA: false, transposeB: false };

/** Two convolutions, a depthwise one and a dense layer, each with a bias; channel 0 of the first is a hundred times too large. */
function network(): Graph {
  const b = new GraphBuilder();
  let count = 0;
  const weights = (
    shape: number[],
    name: string,
    change: (value: number, i: number) => number = (value) => 0.3 * value,
  ): string =>
    b.constant(
      { dtype: 'float32', shape },
      numbers(
        shape.reduce((x, y) => x * y, 1),
        'w',
        count++,
      ).map(change),
      name,
    );
  const layer = (
    op: string,
    x: string,
    shape: number[],
    channels: number,
    name: string,
    change?: (value: number, i: number) => number,
  ): string => {
    const product = b.op(op, [x, weights(shape, `${name}/w`, change)], op === 'BatchMatMul' ? PLAIN : SAME3, name);
    return b.op('Add', [product, weights([channels], `${name}/b`)], {}, name);
  };
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 6, 6, 2] });
  const first = b.op('Relu', [layer('Conv2D', x, [3, 3, 2, 4], 4, 'first', (v, i) => (i % 4 === 0 ? 30 : 0.3) * v)]);
  const second = b.op('Relu', [
    layer('DepthwiseConv2dNative', first, [3, 3, 4, 1], 4, 'second', (v, i) => (i % 4 === 0 ? 0.003 : 0.3) * v),
  ]);
  const third = layer('Conv2D', second, [3, 3, 4, 4], 4, 'third');
  const sum = b.op('Relu', [b.op('Add', [third, second], {}, 'sum')]);
  const mean = b.op('Mean', [sum], { axes: [1, 2], keepDims: false });
  b.output('logits', layer('BatchMatMul', mean, [4, 3], 3, 'dense'));
  return b.build();
}

const graph = network();
const x = numbers(64 * 72, 'x');
const samples = [0, 1].map((i) => ({ x: { data: x.slice(i * 32 * 72, (i + 1) * 32 * 72), shape: [32, 6, 6, 2] } }));

async function logits(of: Graph): Promise<Float32Array> {
  const model = new InferenceModel(encodeModel(lowerToOnnx(of)), 'test.onnx', session);
  const results = await model.run({ x: { data: x, shape: [64, 6, 6, 2] } });
  model.dispose();
  return (results['logits']!.data as Float32Array).slice();
}

it('weights have a scale for each output channel, wherever it lies', () => {
  const window = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  const turned = { transposeA: false, transposeB: true };
  const layers = [
    ['Conv2D', [1, 1, 3, 3], window, 3],
    ['DepthwiseConv2dNative', [1, 1, 3, 2], window, 2],
    ['BatchMatMul', [3, 3], PLAIN, 1],
    ['BatchMatMul', [3, 3], turned, 0],
  ] as const;
  for (const [op, shape, attrs, axis] of layers) {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: op === 'BatchMatMul' ? ['batch', 3] : ['batch', 1, 1, 3] });
    const inner = shape.slice(axis + 1).reduce<number>((all, size) => all * size, 1);
    const count = shape.reduce<number>((all, size) => all * size, 1);
    // Channel i holds the values 127 · (i + 1).
    const values = Float32Array.from({ length: count }, (_, i) => 127 * (1 + (Math.floor(i / inner) % 3)));
    b.output('y', b.op(op, [x, b.constant({ dtype: 'float32', shape: [...shape] }, values, 'w')], attrs));
    const made = b.build();
    expect(weightScales(made).get('w')).toMatchObject({ scales: [1, 2, 3], axis });
    expect(weightScales(made, 'tensor').get('w')!.scales).toEqual(op === 'BatchMatMul' ? [3] : [1, 2, 3]);
  }
});

it('no file has values inside of convolutions, which are not observed', async () => {
  const inside = insideConvolutions(graph);
  const { result } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
  const produced = graph.nodes.flatMap(({ outputs }) => outputs);
  expect(produced.filter((name) => !result.has(name))).toEqual(produced.filter((name) => inside.has(name)));
  // Three results before their bias, and two before a Relu; the third layer's sum is added to something else.
  expect(inside.size).toBe(5);
  const odd: TensorQuantization = { dtype: 'int8', scales: [1000], zeroPoints: [7] };
  const more = new Map<string, TensorQuantization>([...result, ...[...inside].map((name) => [name, odd] as const)]);
  const [qdq, qdqOfMore] = [result, more].map((scales) => encodeModel(exportQdq(graph, scales).result));
  expect(qdqOfMore).toEqual(qdq);
  const [tflite, tfliteOfMore] = [result, more].map(
    (quantization) => exportTflite(graph, { precision: 'integer', quantization }).bytes,
  );
  expect(tfliteOfMore).toEqual(tflite);
});

it('a value before a Relu is observed where something else reads it, it is an answer, or the Relu is of a layer that may stay in float', () => {
  const of = (more: (b: GraphBuilder, y: string, z: string) => void, layer?: string): number => {
    const b = new GraphBuilder();
    const weights = (shape: number[]): string => b.constant({ dtype: 'float32', shape }, numbers(shape.reduce((x, y) => x * y), 'w')); // prettier-ignore
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 6, 6, 2] });
    const y = b.op('Conv2D', [x, weights([3, 3, 2, 2])], SAME3, 'one');
    const z = b.op('Relu', [y], {}, layer);
    more(b, y, z);
    b.output('answer', b.op('Conv2D', [z, weights([3, 3, 2, 2])], SAME3, 'two'));
    return insideConvolutions(b.build()).size;
  };
  const nothing = (): void => undefined;
  expect(of(nothing)).toBe(1);
  expect(of(nothing, 'one')).toBe(1);
  expect(of(nothing, 'two')).toBe(0);
  expect(of((b, y) => b.output('early', y))).toBe(0);
  expect(of((b, y) => b.output('twice', b.op('Add', [y, y])))).toBe(0);
});

describe('bias correction', () => {
  it('takes the mean error of rounded weights away from a layer', async () => {
    const scales = weightScales(graph);
    // Coarse enough to see: 4 bits in an int8 container.
    const coarse = new Map(
      [...scales].map(([name, q]) => [name, { ...q, scales: q.scales.map((scale) => 16 * scale) }]),
    );
    const weightsOf = (of: Graph): Graph =>
      withChangedConstants(
        of,
        new Map(
          [...coarse].map(([name, q]) => {
            const { data, type } = of.constants.get(name)!;
            return [name, roundedWeights(data as Float32Array, type.shape as number[], q)];
          }),
        ),
      );
    const only = (name: string) => new Map([...coarse].filter(([key]) => key === name));
    const corrected = await correctBias(graph, only('first/w'), samples, { open: openerOf(session) });
    const error = async (of: Graph): Promise<number> => {
      const [a, b] = [await meanOf(of), await meanOf(graph)];
      return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    };
    const meanOf = async (of: Graph): Promise<number[]> => {
      const conv = of.nodes.find(({ op, layer }) => op === 'Add' && layer === 'first')!.outputs[0]!;
      const model = new InferenceModel(
        encodeModel(lowerToOnnx({ ...of, outputs: new Map([['y', conv]]) })),
        'test.onnx',
        session,
      );
      const y = (await model.run({ x: { data: x, shape: [64, 6, 6, 2] } }))['y']!.data as Float32Array;
      model.dispose();
      return [0, 1, 2, 3].map((c) => y.filter((_, i) => i % 4 === c).reduce((s, v) => s + v, 0) / (y.length / 4));
    };
    const before = await error(weightsOf(graph));
    expect(before).toBeGreaterThan(1e-2);
    expect(await error(weightsOf(corrected))).toBeLessThan(1e-4);
  });

  it('takes back what rounded weights and activations before a layer leave in its mean', async () => {
    const { result: quantization } = await quantize(graph, samples, {
      calibrator: 'percentile',
      open: openerOf(session),
    });
    const coarse = new Map(
      [...quantization].map(([name, q]) => [
        name,
        graph.constants.has(name) ? { ...q, scales: q.scales.map((s) => 16 * s) } : q,
      ]),
    );
    const corrected = await correctBias(graph, coarse, samples, { open: openerOf(session) });
    const shift = async (of: Graph): Promise<number> => {
      const model = new InferenceModel(encodeModel(exportQdq(of, coarse).result), 'test.onnx', session);
      const actual = (await model.run({ x: { data: x, shape: [64, 6, 6, 2] } }))['logits']!.data as Float32Array;
      model.dispose();
      const expected = await logits(graph);
      const mean = (values: Float32Array, c: number): number =>
        values.filter((_, i) => i % 3 === c).reduce((sum, value) => sum + value, 0) / 64;
      return Math.max(...[0, 1, 2].map((c) => Math.abs(mean(actual, c) - mean(expected, c))));
    };
    const before = await shift(graph);
    expect(before).toBeGreaterThan(5e-3);
    expect(await shift(corrected)).toBeLessThan(0.2 * before);
  });

  it('is the same wherever the batch lies in what a layer reads', async () => {
    const batches = [5, 3].map((size, i) => ({ x: { data: numbers(size * 24, 'x', i), shape: [size, 6, 4] } }));
    const correctedOf = async (arrange: (b: GraphBuilder, x: string) => string): Promise<number[]> => {
      const b = new GraphBuilder();
      const x = arrange(b, b.input('x', { dtype: 'float32', shape: ['batch', 6, 4] }));
      const w = b.constant({ dtype: 'float32', shape: [4, 3] }, numbers(12, 'w'), 'w');
      const bias = b.constant({ dtype: 'float32', shape: [3] }, numbers(3, 'b'), 'b');
      b.output('y', b.op('Add', [b.op('BatchMatMul', [x, w], PLAIN, 'dense'), bias], {}, 'dense'));
      const made = b.build();
      const coarse = [...weightScales(made)].map(([name, q]) => [name, { ...q, scales: q.scales.map((v) => 16 * v) }]);
      const corrected = await correctBias(made, new Map(coarse as never), batches, { open: openerOf(session) });
      return [...(corrected.constants.get('b')!.data as Float32Array)];
    };
    const first = await correctedOf((_, x) => x);
    expect(first).not.toEqual([...numbers(3, 'b')]);
    const other = await correctedOf((b, x) => b.op('Transpose', [x], { perm: [1, 0, 2] }));
    const merged = await correctedOf((b, x) => b.op('Reshape', [x], { shape: ['6*batch', 4] }));
    first.forEach((value, i) =>
      expect([other[i], merged[i]]).toEqual([expect.closeTo(value, 5), expect.closeTo(value, 5)]),
    );
  });

  it('leaves layers alone that the file computes in float, and corrects those behind for what they get', async () => {
    const coarse = new Map(
      [...weightScales(graph)].map(([name, q]) => [name, { ...q, scales: q.scales.map((s) => 16 * s) }]),
    );
    const keepFloat = (layer: string): boolean => layer === 'first';
    const kept = await correctBias(graph, coarse, samples, { open: openerOf(session), keepFloat });
    const without = new Map([...coarse].filter(([name]) => name !== 'first/w'));
    const expected = await correctBias(graph, without, samples, { open: openerOf(session) });
    for (const name of ['first/b', 'second/b', 'third/b', 'dense/b'])
      expect([name, kept.constants.get(name)!.data]).toEqual([name, expected.constants.get(name)!.data]);
    expect(kept.constants.get('first/b')!.data).toEqual(graph.constants.get('first/b')!.data);
    expect(kept.constants.get('second/b')!.data).not.toEqual(graph.constants.get('second/b')!.data);
  });

  it('knows the bias of every layer, and leaves a graph without scales alone', async () => {
    expect([...biasesOf(graph).values()]).toEqual(['first/b', 'second/b', 'third/b', 'dense/b']);
    expect(await correctBias(graph, new Map(), samples, { open: openerOf(session) })).toBe(graph);
  });
});

describe('the sensitivity of layers', () => {
  it('puts the layer first that 8 bits hurt most, and says what each costs', async () => {
    const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
    const write = (keepFloat: (layer: string) => boolean) =>
      encodeModel(exportQdq(graph, quantization, { keepFloat }).result);
    const expected = await logits(graph);
    const targets = Int32Array.from({ length: 64 }, (_, i) =>
      [0, 1, 2].reduce((a, b) => (expected[3 * i + b]! > expected[3 * i + a]! ? b : a)),
    );
    const layers = quantizableLayers(graph);
    expect(layers).toEqual(['first', 'second', 'third', 'dense']);
    const table = await layerSensitivity(
      layers,
      write,
      { x, shape: [64, 6, 6, 2], targets, answers: expected },
      classification(3),
      session,
    );
    // One scale for channels that differ a hundredfold: what reads them suffers.
    expect(['first', 'second']).toContain(table[0]!.layer);
    expect(table.map(({ layer }) => layer).sort()).toEqual([...layers].sort());
    expect(table[0]!.noise).toBeGreaterThan(5 * table.at(-1)!.noise);
    for (const { noise, drop } of table) {
      expect(noise).toBeGreaterThan(0);
      expect(Math.abs(drop)).toBeLessThanOrEqual(1);
    }
    const nothing = await layerSensitivity(
      ['none'],
      () => write(() => true),
      { x, shape: [64, 6, 6, 2], targets, answers: expected },
      classification(3),
      session,
    );
    expect(nothing[0]!.noise).toBeLessThan(1e-10);
  });
});

it('weights are rounded half away from zero, and clipped to ±127 steps of their own channel', () => {
  const q = { dtype: 'int8', axis: 1, scales: [1, 0.5], zeroPoints: [0, 0] } as const;
  const values = Float32Array.of(2.5, 0.25, -2.5, -0.25, 127.4, 64, -500, -500);
  expect([...roundedWeights(values, [4, 2], q)]).toEqual([3, 0.5, -3, -0.5, 127, 63.5, -127, -63.5]);
  // The slices of an axis in the middle are runs of the rest.
  const ofTwo = { ...q, scales: [1, 10] };
  expect([...roundedWeights(Float32Array.of(4, 3, 4, 6, -4, 3, 4, -6), [2, 2, 2], ofTwo)]).toEqual([
    4, 3, 0, 10, -4, 3, 0, -10,
  ]);
});

it('symmetric scales reach to the end that is further from 0, the lower one too', async () => {
  const b = new GraphBuilder();
  b.output('y', b.op('Neg', [b.input('x', { dtype: 'float32', shape: ['batch', 2] })]));
  const feeds = [{ x: { data: Float32Array.of(-12.7, 1), shape: [1, 2] } }];
  const { result } = await quantize(b.build(), feeds, {
    calibrator: 'minmax',
    open: openerOf(session),
    symmetric: true,
  });
  const expected = { dtype: 'int8', scales: [expect.closeTo(0.1, 6) as number], zeroPoints: [0] };
  expect([...result.values()]).toEqual([expected, expected]);
});
