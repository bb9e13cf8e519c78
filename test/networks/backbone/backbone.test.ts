import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../src/base/errors.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import type { Model } from '../../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { freezeState } from '../../../src/graph/passes/constants/freeze-state.ts';
import { backboneNetwork } from '../../../src/networks/backbone/backbone.ts';
import type { BackboneFreeze } from '../../../src/networks/backbone/backbone.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import { buildModel, models } from '../../../src/networks/models/registry.ts';
import { atBatchSize, contentOf } from '../../../src/networks/network.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { traceWithBatch } from '../../../src/trace/batch.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';

beforeAll(() => useLazyBackend(evaluator));

const inputShape = [128, 128, 3];
/** A number of a name, by which no two weights have equal content. */
const seedOf = (name: string): number =>
  Array.from(name).reduce((sum, letter) => (31 * sum + letter.charCodeAt(0)) % 9973, 7);
/** Name of the last node of a layer in the file. */
const nodeOf = (layer: string): string =>
  source.model.graph.nodes.findLast(({ name }) => name.startsWith(`${layer}/`))!.name;
const LEVELS = ['block6_out', 'block13_out', 'block17_project_bn'];
let source: { readonly model: Model; readonly bytes: Uint8Array };

/** A classifier with batch norms whose numbers are no longer those of the beginning; `bytes` has its feature maps as outputs too. */
beforeAll(() => {
  const network = layersNetwork(
    buildModel('mobilenet-v2', { inputShape, classes: 4, seed: 3, options: { alpha: 0.1 } }),
  );
  const weights = new Map(
    [...contentOf(network)].map(([name, { type, data }]) => {
      const isNorm = /_bn\//.test(name);
      return [
        name,
        {
          type,
          data: isNorm
            ? (data as Float32Array).map((value, i) => value + 0.3 + 0.1 * Math.sin(i + seedOf(name)))
            : data,
        },
      ] as const;
    }),
  );
  const traced = traceWithBatch((batch) => ({
    feeds: { input: atBatchSize(network.inputs['input']!, batch) },
    state: network.state,
    run: ({ input }) => {
      const { outputs, layers } = network.forward({ input: input! }, { training: false, layers: LEVELS });
      return { ...outputs, ...layers };
    },
  }));
  const bytes = encodeModel(lowerToOnnx(freezeState(traced, weights), { opset: 17 }));
  const model = decodeModel(bytes, 'b.onnx');
  const outputs = model.graph.outputs.filter(({ name }) => name === 'logits');
  source = { bytes, model: { ...model, graph: { ...model.graph, outputs } } };
});

const headOn = (features: readonly (readonly number[])[]): ModelNetwork =>
  layersNetwork(
    buildModel('det-nano', {
      inputShape,
      classes: 2,
      seed: 5,
      answersPer: 'point',
      features,
      options: { filters: 8 },
    }),
  );

interface Choices {
  readonly layers?: readonly string[];
  readonly freeze?: BackboneFreeze;
  readonly learningRate?: number;
  readonly strides?: readonly number[];
}

function detector(choices: Choices = {}): ModelNetwork {
  const usual = { inputShape, seed: 1, classes: 2, strides: models['det-nano']!.strides! };
  return backboneNetwork(source.model, 'b.onnx', { ...usual, answers: ['boxes', 'scores'], headOn, ...choices });
}

const refusalOf = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    if (error instanceof UserError) return `${error.message}\n${error.hint ?? ''}`;
  }
  throw new Error('nothing was refused');
};

test('neck and head answer by the feature maps that ONNX Runtime computes from the file', async () => {
  const data = Float32Array.from({ length: 2 * 128 * 128 * 3 }, (_, i) => Math.sin(i * i) / 2 + 0.5);
  const file = new InferenceModel(source.bytes, 'b.onnx', {});
  const seen = await file.run({ input: { shape: [2, ...inputShape], data } });
  file.dispose();
  const levels = LEVELS.map((name) => seen[name]!);
  const head = headOn(levels.map(({ shape }) => shape.slice(1)));
  const inputs = levels.map(({ shape, data: values }, i): [string, tf.Tensor] => [
    `level${i}`,
    tf.tensor(values as Float32Array, [...shape]),
  ]);
  const expected = head.forward(Object.fromEntries<tf.Tensor>(inputs), { training: false }).outputs;
  const found = detector().forward({ input: tf.tensor(data, [2, 128, 128, 3]) }, { training: false }).outputs;
  expect(Object.keys(found)).toEqual(['boxes', 'scores']);
  for (const [name, tensor] of Object.entries(found)) {
    const wanted = expected[name]!.dataSync();
    expect(new Set(wanted).size).toBeGreaterThan(20);
    tensor.dataSync().forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 3));
  }
});

test('the ends of the stages are found by their strides, not the expansions behind them', () => {
  const levels = detector().origin!.filter((note) => /feature map/.test(note));
  expect(levels).toEqual([
    `b.onnx: ${nodeOf('block6_out')} gives the feature map at stride 8, 16×16×8`,
    `b.onnx: ${nodeOf('block13_out')} gives the feature map at stride 16, 8×8×8`,
    `b.onnx: ${nodeOf('block17_project_bn')} gives the feature map at stride 32, 4×4×32`,
  ]);
});

test('weights and batch norms stay as they are where a recipe says so, and those of the head are trained', () => {
  const trained = (freeze: BackboneFreeze): string[] => Object.keys(detector({ freeze }).trainable);
  const all = trained('none');
  const isOfHead = (name: string): boolean => name.startsWith('head/');
  const isOfNorm = (name: string): boolean => /_bn\//.test(name) && !isOfHead(name);
  expect(all.some(isOfNorm)).toBe(true);
  expect(trained('all')).toEqual(all.filter(isOfHead));
  expect(trained('norms')).toEqual(all.filter((name) => !isOfNorm(name)));
  const until = trained({ until: nodeOf('block6_out') });
  const first = all.filter((name) => !until.includes(name));
  expect(first.every((name) => /^(stem|block[1-6]_)/.test(name))).toBe(true);
  expect(first.length).toBe(all.filter((name) => /^(stem|block[1-6]_)/.test(name)).length);
});

test('constant batch norms answer the same in training, and others do not', () => {
  const x = tf.tensor(
    Float32Array.from({ length: 128 * 128 * 3 }, (_, i) => Math.cos(i * i)),
    [1, 128, 128, 3],
  );
  const stemOf = (freeze: BackboneFreeze, training: boolean): number[] => {
    const network = detector({ freeze });
    const layer = nodeOf('block3_out');
    return [...network.forward({ input: x }, { training, layers: [layer] }).layers[layer]!.dataSync()];
  };
  const farthest = (freeze: BackboneFreeze): number => {
    const [trained, answered] = [stemOf(freeze, true), stemOf(freeze, false)];
    return Math.max(...trained.map((value, i) => Math.abs(value - answered[i]!)));
  };
  expect(farthest('norms')).toBeLessThan(1e-4);
  expect(farthest('none')).toBeGreaterThan(0.1);
});

test('the factor of the learning rate is that of the weights of the file alone', () => {
  const { rateOf, trainable } = detector({ learningRate: 0.1 });
  for (const name of Object.keys(trainable)) expect(rateOf!(name)).toBe(name.startsWith('head/') ? 1 : 0.1);
});

test('layers by name, and what is refused', () => {
  const named = detector({ layers: [nodeOf('block5_out'), nodeOf('block12_out'), nodeOf('block16_out')] });
  expect(named.origin!.join()).toContain(`${nodeOf('block12_out')} gives the feature map at stride 16`);
  expect(
    refusalOf(() => detector({ layers: [nodeOf('block5_out'), nodeOf('block6_out'), nodeOf('block16_out')] })),
  ).toMatch(
    /block6_out\/\S+ is to give the feature map at stride 16, and gives no feature map of that size[^]*block13_out/,
  );
  expect(refusalOf(() => detector({ layers: ['nowhere', nodeOf('block13_out'), nodeOf('block16_out')] }))).toMatch(
    /nowhere .* is not in the file/,
  );
  expect(refusalOf(() => detector({ layers: [nodeOf('block5_out')] }))).toMatch(
    /expected 3 layers, at strides 8, 16, 32, received block5_out\//,
  );
  expect(refusalOf(() => detector({ strides: [8, 64] }))).toMatch(
    /expected feature maps at stride 64, 2×2 of pictures of 128×128/,
  );
  expect(refusalOf(() => detector({ freeze: { until: 'nowhere' } }))).toMatch(
    /student.backbone.freeze.until: nowhere fits no/,
  );
});
