import * as tf from '@tensorflow/tfjs-core';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { dataTypes, tensor } from '../../../src/formats/onnx/model.ts';
import type { Model, OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { cleaned } from '../../../src/graph/passes/simplify/cleaned.ts';
import { freezeState } from '../../../src/graph/passes/constants/freeze-state.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import type { ModelNetwork, Weights } from '../../../src/networks/network.ts';
import { onnxNetwork } from '../../../src/networks/onnx/onnx.ts';
import type { OnnxNetworkOptions } from '../../../src/networks/onnx/onnx.ts';
import { contentOf } from '../../../src/networks/network.ts';
import { inferenceGraph } from '../../../src/ship/export.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { traceWithBatch } from '../../../src/trace/batch.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { predictionProgram } from '../../../src/train/evaluate/inference.ts';
import { floats, ints, modelOf, positive, scalar } from '../../support/onnx-steps.ts';
import type { Step } from '../../support/onnx-steps.ts';

beforeAll(() => useLazyBackend(evaluator));

const SHAPE = [8, 8, 2];
const CLASSES = 3;
const OPTIONS: OnnxNetworkOptions = {
  ...{ inputShape: SHAPE, classes: CLASSES, seed: 1, head: 'keep', freeze: [] },
  // Weights are compared one by one.
  isTrimmed: false,
};

/** A model of the registry; no two of its weights are equal, as in one that has been trained. */
async function trained(name: string, options: Record<string, unknown>): Promise<[ModelNetwork, Weights]> {
  const network = layersNetwork(buildModel(name, { inputShape: SHAPE, classes: CLASSES, seed: 5, options }));
  const weights: Weights = new Map(
    Object.entries(network.state).map(([key, variable], i) => {
      const moved = (value: number, j: number): number => value + 0.02 + 0.02 * Math.sin(1 + i + 7 * j);
      const data = Float32Array.from(variable.dataSync(), moved);
      return [key, { type: { dtype: 'float32', shape: variable.shape }, data }] as const;
    }),
  );
  return [await network.withWeights(weights), weights];
}

/** The model as a file that keeps its batch norms, as other exporters write it. */
function exported(network: ModelNetwork, weights: Weights): Uint8Array {
  const traced = traceWithBatch((batchSize) => predictionProgram({ network, batchSize }));
  return encodeModel(lowerToOnnx(cleaned(freezeState(traced, weights)), { opset: 17 }));
}

function read(network: ModelNetwork, weights: Weights, options: Partial<OnnxNetworkOptions> = {}): ModelNetwork {
  return onnxNetwork(decodeModel(exported(network, weights), 'm.onnx'), 'm.onnx', { ...OPTIONS, ...options });
}

/** Sum over rows of a picture [batch, 2, 3, 4], channels first, times weights, and of two numbers. */
function twoInputs(): Model {
  const b = new GraphBuilder();
  const picture = b.input('picture', { dtype: 'float32', shape: ['batch', 2, 3, 4] });
  const numbers = b.input('numbers', { dtype: 'float32', shape: ['batch', 2] });
  const product = (x: string, rows: number): string => {
    const data = Float32Array.from({ length: rows * 2 }, (_, i) => Math.cos(i));
    const w = b.constant({ dtype: 'float32', shape: [rows, 2] }, data, `w${rows}`);
    return b.op('BatchMatMul', [x, w], { transposeA: false, transposeB: false });
  };
  const flat = b.op('Reshape', [picture], { shape: ['batch', 24] });
  b.output('logits', b.op('Add', [product(flat, 24), product(numbers, 2)]));
  return lowerToOnnx(b.build());
}

/** Logits and the gradient of every trained weight, by name. */
function asked(network: ModelNetwork, training: boolean): Record<string, Float32Array> {
  const count = 4 * SHAPE.reduce((product, size) => product * size, 1);
  const x = tf.tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(3 * i)),
    [4, ...SHAPE],
  );
  let logits: tf.Tensor | undefined;
  const { grads } = tf.variableGrads(() => {
    logits = tf.keep(network.forward({ input: x }, { training }).outputs['logits']!.clone());
    const entropy = tf.neg(tf.mul(tf.oneHot([0, 1, 2, 1], CLASSES), tf.logSoftmax(logits)));
    return tf.mean(entropy);
  }, Object.values(network.trainable));
  // All of it read at once is one program to compile.
  const gradients = Object.entries(network.trainable).map(([key, { name }]) => [key, grads[name]!] as const);
  const values: (readonly [string, tf.Tensor])[] = [['logits', logits!], ...gradients];
  const flat = tf.concat(values.map(([, value]) => tf.reshape(value, [-1]))).dataSync() as Float32Array;
  let from = 0;
  return Object.fromEntries(values.map(([key, { size }]) => [key, flat.subarray(from, (from += size))]));
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  const scale = Math.hypot(...expected);
  const error = Math.hypot(...expected.map((value, i) => value - actual[i]!));
  expect(actual.length).toBe(expected.length);
  expect(error).toBeLessThanOrEqual(1e-4 * scale + 1e-7);
}

it.each([
  ['mlp', { hidden: [6] }, true],
  ['resnet', { depth: 8, width: 0.25 }, true],
  ['resnet', { depth: 8, width: 0.25 }, false],
  ['mobilenet-v2', { alpha: 0.25 }, true],
])(
  '%s as a file has the logits and the gradients that the model has: %j, training: %s',
  async (name, options, training) => {
    const [network, weights] = await trained(name, options);
    const imported = read(network, weights);
    const [actual, expected] = [asked(imported, training), asked(network, training)];
    expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, values] of Object.entries(expected)) expectClose(actual[key]!, values);
  },
);

it('batch norms move their statistics in a training call alone, and not at all when frozen', async () => {
  const [network, weights] = await trained('ds-cnn', { width: 0.25 });
  const statistics = (of: ModelNetwork): number[] => [...of.state['stem1_bn/moving_mean']!.dataSync()];
  const [moving, frozen] = [read(network, weights), read(network, weights, { batchNorm: 'frozen' })];
  const before = statistics(moving);
  asked(moving, false);
  expect(statistics(moving)).toEqual(before);
  asked(moving, true);
  expect(statistics(moving)).not.toEqual(before);
  asked(frozen, true);
  expect(statistics(frozen)).toEqual(before);
  expect(Object.keys(frozen.trainable).filter((key) => key.includes('_bn/'))).toEqual([]);
  // Frozen, a training call computes what inference does, in another order.
  expectClose(asked(frozen, true)['logits']!, asked(frozen, false)['logits']!);
  expect(asked(moving, true)['logits']).not.toEqual(asked(moving, false)['logits']);
});

it('batch norms that were trained are folded into the layers before them when the student ships', async () => {
  const [network, weights] = await trained('ds-cnn', { width: 0.25 });
  const imported = read(network, weights);
  const { nodes } = inferenceGraph({ network: imported, weights: contentOf(imported) }, []);
  const ops = nodes.map(({ op }) => op);
  expect(ops).toContain('Conv2D');
  expect(ops.filter((op) => ['FusedBatchNorm', 'Sub', 'Multiply'].includes(op))).toEqual([]);
});

it('what a pattern names is not trained; a pattern that names nothing is refused', async () => {
  const [network, weights] = await trained('ds-cnn', { width: 0.25 });
  const { trainable, origin } = read(network, weights, { freeze: ['stem*'] });
  expect(Object.keys(trainable).filter((key) => key.startsWith('stem'))).toEqual([]);
  expect(Object.keys(trainable)).toContain('block1_pointwise/kernel');
  expect(origin!.join('\n')).toMatch(/frozen: stem1\/kernel/);
  expect(() => read(network, weights, { freeze: ['stern*'] })).toThrow(
    'student.freeze: stern* fits no weight of m.onnx',
  );
});

it('takes the sizes that the file leaves open from the samples', async () => {
  const [network, weights] = await trained('ds-cnn', { width: 0.25 });
  const model = decodeModel(exported(network, weights), 'm.onnx');
  const inputs = model.graph.inputs.map((one) => ({
    ...one,
    dims: one.dims!.map((dim, i) => (i > 0 && i < 3 ? `s${i}` : dim)),
  }));
  const open = onnxNetwork({ ...model, graph: { ...model.graph, inputs } }, 'm.onnx', OPTIONS);
  expect(open.inputs).toEqual(onnxNetwork(model, 'm.onnx', OPTIONS).inputs);
});

it('leaves the batch open that the file fixes', async () => {
  const [network, weights] = await trained('ds-cnn', { width: 0.25 });
  const model = decodeModel(exported(network, weights), 'm.onnx');
  const inputs = model.graph.inputs.map((one) => ({ ...one, dims: [2, ...one.dims!.slice(1)] }));
  const opened = onnxNetwork({ ...model, graph: { ...model.graph, inputs } }, 'm.onnx', OPTIONS);
  expect(opened.outputs['logits']!.shape).toEqual(['batch', CLASSES]);
  expect(opened.origin).toContain('m.onnx: its batch size, 2 in the file, is left open');
  expect(asked(opened, true)).toEqual(asked(onnxNetwork(model, 'm.onnx', OPTIONS), true));
});

it('a new head answers for the classes of the data, and begins the same each time', async () => {
  const [network, weights] = await trained('ds-cnn', { width: 0.25 });
  expect(() => read(network, weights, { classes: 5 })).toThrow(
    /expected logits \[batch, 5\] for the 5 classes of the data, received logits \[batch, 3\]; its last layer logits\S* has 3/,
  );
  const [one, two, other] = [1, 1, 2].map((seed) => read(network, weights, { classes: 5, head: 'replace', seed }));
  const kernel = (of: ModelNetwork | undefined): number[] => [...of!.state['logits/kernel']!.dataSync()];
  expect(one!.outputs['logits']!.shape).toEqual(['batch', 5]);
  expect(kernel(one)).toEqual(kernel(two));
  expect(kernel(one)).not.toEqual(kernel(other));
  expect([...one!.state['stem1/kernel']!.dataSync()]).toEqual([...weights.get('stem1/kernel')!.data]);
  expect(one!.origin!.at(-1)).toMatch(/its last layer logits\S* is drawn anew: 5 outputs instead of 3/);
});

it('with one sigmoid for two classes answers with the logits 0 and z', () => {
  const one = layersNetwork(buildModel('mlp', { inputShape: SHAPE, classes: 1, seed: 5, options: {} }));
  const { graph, ...rest } = decodeModel(exported(one, contentOf(one)), 'm.onnx');
  const nodes = graph.nodes.map((node) => ({
    ...node,
    outputs: node.outputs.map((name) => (name === 'logits' ? 'z' : name)),
  }));
  const sigmoid = { op: 'Sigmoid', domain: '', name: '', inputs: ['z'], outputs: ['logits'], attrs: new Map() };
  const file: Model = { ...rest, graph: { ...graph, nodes: [...nodes, sigmoid] } };
  const network = onnxNetwork(file, 'm.onnx', { ...OPTIONS, classes: 2, isOfTwo: true });
  const x = tf.tensor(Float32Array.from({ length: 3 * 128 }, (_, i) => Math.sin(3 * i)), [3, ...SHAPE]); // prettier-ignore
  const [z, logits] = [one, network].map((of) => of.forward({ input: x }, { training: false }).outputs['logits']!);
  expect(logits!.shape).toEqual([3, 2]);
  const expected = [...z!.dataSync()].flatMap((value): unknown[] => [0, expect.closeTo(value, 5)]);
  expect([...logits!.dataSync()]).toEqual(expected);
  expect(Object.keys(network.trainable).sort()).toEqual(Object.keys(one.trainable).sort());
  expect(network.origin).toContain('m.onnx: answers with the logits 0 and z, where z is its one logit for two classes');
  expect(() => onnxNetwork(file, 'm.onnx', { ...OPTIONS, classes: 2 })).toThrow(/expected logits \[batch, 2\]/);
});

describe('a file that is fed bytes', () => {
  const stored = { s: scalar(1 / 255), w: floats(128, 3) };
  const fed = (steps: Step[], dtype: 'uint8' | 'float32'): Model => {
    const { graph, ...rest } = modelOf(['n', 2, 8, 8], stored, steps);
    return { ...rest, graph: { ...graph, inputs: [{ name: 'x', dtype, dims: ['n', 2, 8, 8] }] } };
  };
  const cast = { to: dataTypes.float32 };
  const end: Step[] = [['Mul', ['f', 's'], {}, ['m']], ['Flatten', ['m'], { axis: 1 }, ['v']], ['MatMul', ['v', 'w'], {}, ['y']]]; // prettier-ignore

  it('and casts them is fed the same whole numbers, in either order of the channels', () => {
    const steps: Step[] = [['Identity', ['x'], {}, ['i']], ['Cast', ['i'], cast, ['f']], ...end];
    const network = onnxNetwork(fed(steps, 'uint8'), 'm.onnx', OPTIONS);
    expect(network.inputs).toMatchObject({ input: { dtype: 'int32', shape: ['batch', ...SHAPE] } });
    expect(network.origin).toContain('m.onnx: its input x, uint8 in the file, is int32 in what is made of it, and takes the same numbers'); // prettier-ignore
    const float = onnxNetwork(fed(steps, 'float32'), 'm.onnx', OPTIONS);
    const values = Float32Array.from({ length: 256 }, (_, i) => (i * 37) % 256);
    const [bytes, numbers] = ([[network, 'int32'], [float, 'float32']] as const).map(([of, dtype]) => of.forward({ input: tf.tensor(values, [2, ...SHAPE], dtype) }, { training: true }).outputs['logits']!.dataSync()); // prettier-ignore
    expect(bytes).toEqual(numbers);
    expect(Math.max(...bytes!.map(Math.abs))).toBeGreaterThan(0.1);
  });

  it('and computes with them is refused', () => {
    const steps: Step[] = [['Add', ['x', 'x'], {}, ['a']], ['Cast', ['a'], cast, ['f']], ...end];
    expect(() => onnxNetwork(fed(steps, 'uint8'), 'm.onnx', OPTIONS)).toThrow(/input x: expected .*, received uint8$/);
  });
});

it.each([
  ['one number for two classes', 2, [-1]],
  ['logits', 3, [-1, 3]],
])('with a reshape that joins the batch with its numbers is refused: %s', (_name, classes, shape) => {
  const steps: Step[] = [
    ['MatMul', ['x', 'w']],
    ['Reshape', ['y0', 'shape']],
  ];
  const { graph, ...rest } = modelOf(['n', 40], { w: floats(40, 6), shape: ints(...shape) }, steps);
  const outputs = [{ name: 'y', dtype: 'float32' as const, dims: ['m', ...shape.slice(1)] }];
  const options = { ...OPTIONS, inputShape: [40], classes, isOfTwo: classes === 2 };
  expect(() => onnxNetwork({ ...rest, graph: { ...graph, outputs } }, 'm.onnx', options)).toThrow(
    /m\.onnx: expected an output with one row for each sample, received y \[\d\*batch, \d\]/,
  );
});

describe('weights of a file', () => {
  const shape = ['N', 2, 8, 8] as const;
  const made = (tensors: Record<string, OnnxTensor>, steps: Step[]): Model => modelOf(shape, tensors, steps);
  const network = (model: Model, options: Partial<OnnxNetworkOptions> = {}): ModelNetwork =>
    onnxNetwork(model, 'm.onnx', { ...OPTIONS, ...options });
  const end = (from: string): Step[] => [
    ['Flatten', [from], { axis: 1 }],
    ['Gemm', [`y${Number(from.slice(1)) + 1}`, 'fc', 'fb'], { transB: 1 }],
  ];
  const head = { fc: floats(3, 128), fb: floats(3) };
  const one = (value: number): OnnxTensor => tensor('', 'float32', [1], Float32Array.of(value));
  const scalarInt = (value: number): OnnxTensor => tensor('', 'int64', [], BigInt64Array.of(BigInt(value)));

  it('that several nodes read are one, in whatever order each reads them', async () => {
    // A filter of two convolutions, one scale for channels that lie in two orders, and a filter that is also added as it is.
    const stored = { w: floats(2, 2, 1, 1), s: floats(2, 1, 1), p: positive(2, 8, 8), ...head };
    const steps: Step[] = [
      ['Mul', ['x', 's']],
      ['Conv', ['y0', 'w']],
      ['Mul', ['y1', 's']],
      ['Conv', ['y2', 'w']],
      ['Add', ['y3', 'p']],
      ['Mul', ['x', 'p']],
      ['Add', ['y4', 'y5']],
      ['Mul', ['w', 's']],
      ['ReduceMean', ['y7'], { keepdims: 0 }],
      ['Mul', ['y6', 'y8']],
      ...end('y9'),
    ];
    const given = network(made(stored, steps));
    expect(Object.keys(given.state).sort()).toEqual(['fb', 'fc', 'p', 's', 'w']);
    expect(given.origin!.join('\n')).toMatch(/m\.onnx: w is one weight of node_1, node_3, node_7, and stays one/);
    // Other values reach every node that reads them: they give what a file that holds them gives.
    const other = { ...stored, w: positive(2, 2, 1, 1), s: positive(2, 1, 1), p: floats(2, 8, 8) };
    const wanted = network(made(other, steps));
    const weights = Object.entries(wanted.state).map(([name, variable]) => {
      const data = variable.dataSync() as Float32Array;
      return [name, { type: { dtype: 'float32', shape: variable.shape } as const, data }] as const;
    });
    const [actual, expected] = [asked(await given.withWeights(new Map(weights)), true), asked(wanted, true)];
    for (const [name, values] of Object.entries(expected)) expectClose(actual[name]!, values);
    expect(asked(given, true)['logits']).not.toEqual(expected['logits']);
  });

  it('that only ever meet padding are left out: the answers, and the gradients of what is left, stay', () => {
    const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    const steps: Step[] = [
      ['Conv', ['x', 'a'], same],
      ['GlobalAveragePool', ['y0']],
      ['Conv', ['y1', 'b'], same],
      ['Flatten', ['y2'], { axis: 1 }],
      ['Gemm', ['y3', 'fc', 'fb'], { transB: 1 }],
    ];
    const model = made({ a: floats(4, 2, 3, 3), b: floats(5, 4, 3, 3), fc: floats(3, 5), fb: floats(3) }, steps);
    const [whole, trimmed] = [network(model), network(model, { isTrimmed: true })];
    const [before, after] = [asked(whole, true), asked(trimmed, true)];
    expect([before['b']!.length, after['b']!.length]).toEqual([180, 20]);
    expectClose(
      after['b']!,
      before['b']!.filter((value) => value !== 0),
    );
    for (const key of ['logits', 'a', 'fc', 'fb']) expectClose(after[key]!, before[key]!);
    expect(trimmed.origin).toContain(
      'm.onnx: rows and columns of filters that only ever meet padding are left out: node_2 (3×3 to 1×1)',
    );
  });

  it('of pictures with as many channels as rows and columns are fed as the file reads them', () => {
    const conv: Step = ['Conv', ['a', 'w'], { kernel_shape: [1, 1] }];
    const stored = { w: floats(2, 3, 1, 1), fc: floats(2, 2), fb: floats(2) };
    const tail: Step[] = [
      ['GlobalAveragePool', ['y']],
      ['Flatten', ['p'], { axis: 1 }],
      ['Gemm', ['f', 'fc', 'fb']],
    ];
    const named = (steps: Step[], outputs: string[]): Step[] =>
      steps.map(([op, inputs, attrs = {}], i) => [op, inputs, attrs, [outputs[i]!]]);
    const ends = ['y', 'p', 'f', 'logits'];
    // The same net with its channels first, and with a file's own turn of channels that come last.
    const first = named([['Conv', ['x', 'w'], { kernel_shape: [1, 1] }], ...tail], ends);
    const last = named([['Transpose', ['x'], { perm: [0, 3, 1, 2] }], conv, ...tail], ['a', ...ends]);
    const [a, b] = [first, last].map((steps) => {
      const model = modelOf(['N', 3, 3, 3], stored, steps);
      const whole = { ...model, graph: { ...model.graph, outputs: [{ name: 'logits', dtype: 'float32' as const }] } };
      const net = network(whole, { inputShape: [3, 3, 3], classes: 2 });
      const x = tf.tensor(Float32Array.from({ length: 27 }, (_, i) => Math.sin(3 * i)), [1, 3, 3, 3]); // prettier-ignore
      return Object.values(net.forward({ input: x }, { training: false }).outputs)[0]!.dataSync();
    });
    expectClose(a as Float32Array, b as Float32Array);
  });

  it('that an exporter numbered are trained only where a layer computes with them', () => {
    const { state, origin } = network(
      made(
        { val_1: floats(1), 'onnx::Conv_7': floats(2, 2, 1, 1), val_9: floats(2, 8, 8), alpha: scalar(0.5), ...head },
        [
          ['Mul', ['x', 'val_1']],
          ['Conv', ['y0', 'onnx::Conv_7']],
          ['Add', ['y1', 'val_9']],
          ['Mul', ['y2', 'alpha']],
          ...end('y3'),
        ],
      ),
    );
    expect(Object.keys(state).sort()).toEqual(['alpha', 'fb', 'fc', 'onnx::Conv_7']);
    expect(origin!.join('\n')).toMatch(/stored numbers that are not learned stay as they are: val_1$/m);
    expect(origin!.join('\n')).toMatch(
      /may have been learned, .*: `student\.trainable: \[NAME\]` trains them too: val_9$/m,
    );
  });

  describe('that an exporter numbered and a product or a sum reads', () => {
    const stored = {
      ...{ w: floats(2, 2, 1, 1), 'onnx::Mul_2': floats(1, 2, 1, 1), 'onnx::Add_3': floats(2, 1, 1), 'onnx::Sub_1': floats(2, 1, 1) },
      ...{ 'onnx::Mul_1': floats(2, 1, 1), 'onnx::Add_4': scalar(1e-6), 'onnx::Add_5': floats(1, 2, 8, 8), ...head },
    }; // prettier-ignore
    const steps: Step[] = [
      ['Mul', ['x', 'onnx::Mul_1']],
      ['Conv', ['y0', 'w']],
      ['Mul', ['y1', 'onnx::Mul_2']],
      ['Add', ['onnx::Add_3', 'y2']],
      ['Sub', ['y3', 'onnx::Sub_1']],
      ['Add', ['y4', 'onnx::Add_4']],
      ['Add', ['y5', 'onnx::Add_5']],
      ...end('y6'),
    ];
    const given = made(stored, steps);
    const nodes = given.graph.nodes.map((node, i) => ({ ...node, name: `/block/grn/${node.op}_${i}` }));
    const model = { ...given, graph: { ...given.graph, nodes } };

    it('are trained as gains and offsets of channels behind a layer; no epsilon, no table, and nothing before all layers', () => {
      const { trainable, origin } = network(model);
      expect(Object.keys(trainable).sort()).toEqual(['fb', 'fc', 'onnx::Add_3', 'onnx::Mul_2', 'w']);
      expect(origin).toContain(
        'm.onnx: numbered by the exporter and trained, as they are gains and offsets of channels: onnx::Mul_2 (/block/grn/Mul_2), onnx::Add_3 (/block/grn/Add_3)',
      );
      expect(origin!.join('\n')).toMatch(/not learned stay as they are: onnx::Add_4 \(\S+\)$/m);
      expect(origin!.join('\n')).toMatch(
        /trains them too: onnx::Sub_1 \(\/block\/grn\/Sub_4\), onnx::Mul_1 \(\S+\), onnx::Add_5 \(\S+\)$/m,
      );
    });

    it('are trained too where the recipe names them, and are not where it freezes them', () => {
      const { trainable } = network(model, { trainable: ['onnx::Add_5', 'onnx::Sub*'], freeze: ['onnx::Mul_2'] });
      expect(Object.keys(trainable).sort()).toEqual(['fb', 'fc', 'onnx::Add_3', 'onnx::Add_5', 'onnx::Sub_1', 'w']);
      expect(() => network(model, { trainable: ['gamma'] })).toThrow(
        'student.trainable: gamma fits no weight of m.onnx',
      );
    });
  });

  it('that an exporter numbered are trained in a plain recurrent layer too', () => {
    const stored = { 'onnx::RNN_5': floats(1, 2, 3), 'onnx::RNN_6': floats(1, 2, 2), axis: ints(0), fc: floats(2, 3) };
    const model = modelOf(['N', 4, 3], stored, [
      ['Transpose', ['x'], { perm: [1, 0, 2] }],
      ['RNN', ['y0', 'onnx::RNN_5', 'onnx::RNN_6'], { hidden_size: 2 }, ['', 'h']],
      ['Squeeze', ['h', 'axis']],
      ['MatMul', ['y2', 'fc']],
    ]);
    const { trainable } = network(model, { inputShape: [4, 3] });
    expect(Object.keys(trainable).sort()).toEqual(['fc', 'onnx::RNN_5', 'onnx::RNN_6']);
  });

  /** A group norm as PyTorch's exporters write it, with these nodes behind it. */
  const groupNorm = (stored: Parameters<typeof made>[0], ...behind: Parameters<typeof made>[1]) =>
    made({ val_1: ints(0, 1, 128), val_2: one(1), val_3: one(0), val_6: ints(-1, 2, 8, 8), ...stored, ...head }, [
      ['Reshape', ['x', 'val_1']],
      ['InstanceNormalization', ['y0', 'val_2', 'val_3']],
      ['Reshape', ['y1', 'val_6']],
      ['Mul', ['y2', 'val_4']],
      ...behind,
    ]);

  it('that an exporter numbered are the scale and the offset of a group norm, and not what it put in for groups', () => {
    const stored = { val_4: floats(2, 1, 1), val_5: floats(2, 1, 1) };
    const { trainable } = network(groupNorm(stored, ['Add', ['y3', 'val_5']], ...end('y4')));
    expect(Object.keys(trainable).sort()).toEqual(['fb', 'fc', 'val_4', 'val_5']);
  });

  it('that an exporter numbered are no scale of a group norm where they are one number', () => {
    const { trainable } = network(groupNorm({ val_4: one(0.5) }, ...end('y3')));
    expect(Object.keys(trainable).sort()).toEqual(['fb', 'fc']);
  });

  it('that are divided by a number which a shape gives are trained', () => {
    const model = made({ one: ints(1), ...head }, [
      ['Shape', ['x']],
      ['Gather', ['y0', 'one']],
      ['Cast', ['y1'], { to: 1 }],
      ['Div', ['fc', 'y2']],
      ['Flatten', ['x'], { axis: 1 }],
      ['Gemm', ['y4', 'y3', 'fb'], { transB: 1 }],
    ]);
    expect(Object.keys(network(model).trainable).sort()).toEqual(['fb', 'fc']);
  });

  it('of which there is no gradient are refused by the operator, unless they are frozen', () => {
    const model = made({ axis: scalarInt(1), ...head }, [
      ['Flatten', ['x'], { axis: 1 }],
      ['Gemm', ['y0', 'fc', 'fb'], { transB: 1 }],
      ['CumProd', ['y1', 'axis']],
    ]);
    expect(() => network(model)).toThrow('m.onnx: node node_2 (CumProd) has no gradient here');
    expect(network(model, { freeze: ['f*'] }).trainable).toEqual({});
  });

  it.each([2, 3])('before a %d-norm of zeros have a gradient, which is 0 there', (p) => {
    // Of the channels one is 0 everywhere.
    const stored = {
      s: tensor('', 'float32', [2, 1, 1], Float32Array.of(0, 1)),
      w: floats(2, 2, 1, 1),
      fc: floats(3, 2),
      fb: floats(3),
    };
    const model = made(stored, [
      ['Conv', ['x', 'w'], { kernel_shape: [1, 1] }],
      ['Mul', ['y0', 's']],
      ['GlobalLpPool', ['y1'], { p }],
      ...end('y2'),
    ]);
    const { w } = asked(network(model), true);
    expect([...w!.subarray(0, 2)].every(Number.isFinite)).toBe(true);
    expect(Math.hypot(...w!)).toBeGreaterThan(0);
    expect(Math.hypot(...w!)).toBeLessThan(1e3);
  });

  it('of a batch norm that computes its statistics from the batch are refused', () => {
    const model = made({ s: positive(2), o: floats(2), ...head }, [
      ['ReduceMean', ['x'], { axes: [0, 2, 3], keepdims: 0 }],
      ['BatchNormalization', ['x', 's', 'o', 'y0', 's']],
      ...end('y1'),
    ]);
    expect(() => network(model)).toThrow('m.onnx: the batch norm node_1 computes its statistics from the batch');
  });

  it.each<[string, string, Step[]]>([
    [
      'batch norm itself, which is untrained',
      'its batch norm stays as it is',
      [['BatchNormalization', ['x', 's', 'o', 'm', 's']], ...end('y0')],
    ],
    ['layer behind it', 's is one weight of node_0, node_1, and is not trained in any of them, as the batch norms stay as they are', [['BatchNormalization', ['x', 't', 'o', 'm', 's']], ['InstanceNormalization', ['y0', 's', 'o']], ...end('y1')]], // prettier-ignore
  ])(
    'of a batch norm whose running statistic is a weight of the %s are refused, unless it stays as it is',
    (_, note, steps) => {
      const model = made({ s: positive(2), t: positive(2), o: floats(2), m: floats(2), ...head }, steps);
      expect(() => network(model)).toThrow(/m\.onnx: node_\d reads s, a running statistic of the batch norm node_0, as a weight/); // prettier-ignore
      const { trainable, origin } = network(model, { batchNorm: 'frozen' });
      expect(trainable).toHaveProperty('fc');
      expect(origin).toContain(`m.onnx: ${note}`);
    },
  );

  it('of batch norms that share a running statistic are refused, unless those stay as they are', () => {
    const model = made({ s: positive(2), o: floats(2), m: floats(2), v: positive(2), t: positive(2), ...head }, [
      ['BatchNormalization', ['x', 's', 'o', 'm', 'v']],
      ['BatchNormalization', ['y0', 't', 'o', 'm', 'v']],
      ...end('y1'),
    ]);
    expect(() => network(model)).toThrow(/m\.onnx: the batch norms \S+ and \S+ read one running statistic, m/);
    expect(Object.keys(network(model, { batchNorm: 'frozen' }).trainable).sort()).toEqual(['fb', 'fc']);
  });

  it.each<[string, string, Step[]]>([
    ['a softmax', 'Softmax', [['Softmax', ['y1']]]],
    ['a softmax and a reshape', 'Softmax', [['Softmax', ['y1']], ['Unsqueeze', ['y2', 'last']], ['Squeeze', ['y3', 'last']]]], // prettier-ignore
    ['sigmoids', 'Sigmoid', [['Sigmoid', ['y1']]]],
  ])('that end in %s are refused', (_, op, ending) => {
    const model = made({ ...head, last: ints(2) }, [
      ['Flatten', ['x'], { axis: 1 }],
      ['Gemm', ['y0', 'fc', 'fb'], { transB: 1 }],
      ...ending,
    ]);
    expect(() => network(model)).toThrow(`m.onnx: expected logits, received a model that ends in node_2 (${op})`);
    // Numbers between 0 and 1 are no probabilities.
    if (op === 'Sigmoid') expect(network(model, { isOfNumbers: true }).trainable).toHaveProperty('fc');
  });

  it.each(['labels', 'rows', 'hasLabel'])('that are called %s, as a feed of the training step, are refused', (name) => {
    const model = made({ [name]: floats(128, 3) }, [
      ['Flatten', ['x'], { axis: 1 }],
      ['MatMul', ['y0', name]],
    ]);
    expect(() => network(model)).toThrow(`m.onnx: a weight is called ${name}, a name that the training step uses`);
  });
});

it('dropout of the file drops in a training call alone, by its rate, and is said', () => {
  const steps: Step[] = [
    ['MatMul', ['x', 'w'], {}, ['h']],
    ['Dropout', ['h', 'ratio'], {}, ['d']],
    ['MatMul', ['d', 'v'], {}, ['y']],
  ];
  const stored = { w: floats(40, 200), ratio: scalar(0.25), v: floats(200, 3) };
  const model = modelOf(['n', 40], stored, steps);
  const network = onnxNetwork(model, 'm.onnx', { ...OPTIONS, inputShape: [40] });
  expect(network.origin!.join('\n')).toContain('m.onnx: its dropout drops 0.25 of the values in training');
  const input = tf.tensor(
    Float32Array.from({ length: 160 }, (_, i) => Math.cos(i)),
    [4, 40],
  );
  const call = (training: boolean): number[] => [
    ...network.forward({ input }, { training, layers: ['node_1'] }).layers['node_1']!.dataSync(),
  ];
  const [plain, dropped] = [call(false), call(true)];
  const gone = dropped.filter((value) => value === 0).length / dropped.length;
  expect(Math.abs(gone - 0.25)).toBeLessThan(0.06);
  dropped.forEach((value, i) => {
    if (value !== 0) expect(value).toBeCloseTo(plain[i]! / 0.75, 4);
  });
  // Nothing of it is in what ships.
  const shipped = cleaned(traceWithBatch((batchSize) => predictionProgram({ network, batchSize })));
  expect(shipped.nodes.map(({ op }) => op)).not.toContain('Dropout');
});

it('a picture among several inputs is fed with its channels last, whatever the file has', () => {
  const inputs = [
    { name: 'picture', shape: [3, 4, 2], from: 0, isWhole: false },
    { name: 'numbers', shape: [2], from: 24, isWhole: false },
  ];
  const network = onnxNetwork(twoInputs(), 'two.onnx', { ...OPTIONS, inputShape: [26], inputs, classes: 2 });
  const [picture, numbers] = [tf.range(0, 48).sin().reshape([2, 3, 4, 2]), tf.tensor([[1, 2], [3, 4]])]; // prettier-ignore
  const { outputs } = network.forward({ picture, numbers }, { training: false });
  const weights = (rows: number): tf.Tensor =>
    tf
      .range(0, 2 * rows)
      .cos()
      .reshape([rows, 2]);
  const flat = picture.transpose([0, 3, 1, 2]).reshape([2, 24]);
  const expected = flat
    .matMul(weights(24))
    .add(numbers.matMul(weights(2)))
    .dataSync();
  outputs['logits']!.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
  const narrow = inputs.map((input) => (input.name === 'picture' ? { ...input, shape: [4, 3, 2] } : input));
  expect(() =>
    onnxNetwork(twoInputs(), 'two.onnx', { ...OPTIONS, inputShape: [26], inputs: narrow, classes: 2 }),
  ).toThrow('two.onnx: its input picture is [batch, 2, 3, 4], received samples of shape [4, 3, 2]');
});
