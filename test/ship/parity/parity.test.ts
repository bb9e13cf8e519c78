import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { withChangedConstants } from '../../../src/compress/quantize/rounding.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { exportQdq } from '../../../src/formats/onnx/qdq/qdq.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Graph } from '../../../src/graph/types.ts';
import type { StageContext } from '../../../src/run/context.ts';
import type { ExportedModel } from '../../../src/ship/export.ts';
import { checkVariant } from '../../../src/ship/parity/check-file.ts';
import { InferenceModel, openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { numbers } from '../../support/graphs.ts';
import '../../support/tasks.ts';

const session = sessionOptions('cpu', { threads: 1 });
const SAME3 = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };

/** Three convolutions and a dense layer. */
function network(): Graph {
  const b = new GraphBuilder();
  const conv = (x: string, op: string, filter: number[], name: string): string => {
    const weights = numbers(filter.reduce((a, c) => a * c, 1), name).map((value) => 0.4 * value); // prettier-ignore
    const w = b.constant({ dtype: 'float32', shape: filter }, weights, `${name}/w`);
    return b.op('Relu', [b.op(op, [x, w], SAME3, name)], {}, name);
  };
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 6, 6, 2] });
  const first = conv(x, 'Conv2D', [3, 3, 2, 8], 'first');
  const second = conv(first, 'DepthwiseConv2dNative', [3, 3, 8, 1], 'second');
  const third = conv(second, 'Conv2D', [3, 3, 8, 8], 'third');
  const mean = b.op('Mean', [third], { axes: [1, 2], keepDims: false }, 'mean');
  const dense = b.constant({ dtype: 'float32', shape: [8, 3] }, numbers(24, 'dense'), 'logits/w');
  b.output('logits', b.op('BatchMatMul', [mean, dense], { transposeA: false, transposeB: false }, 'logits'));
  return b.build();
}

const graph = network();
const shape = [32, 6, 6, 2];
const x = numbers(32 * 72, 'x');
const context = { recipe: { device: 'cpu', threads: 1 }, data: { validation: { task: 'classification', classNames: ['a', 'b', 'c'] } }, onEvent: () => undefined } as unknown as StageContext; // prettier-ignore

async function exported() {
  const model = new InferenceModel(encodeModel(lowerToOnnx(graph)), 'float.onnx', session);
  const logits = ((await model.run({ x: { data: x, shape } }))['logits']!.data as Float32Array).slice();
  model.dispose();
  const samples = [{ x: { data: x, shape } }];
  const { result: quantization } = await quantize(graph, samples, { calibrator: 'mse', open: openerOf(session) });
  return { model: { graph, reference: { x, shape, answers: logits } } as unknown as ExportedModel, quantization };
}

/** The gate on an int8 file whose layer `wrong`, if any, was written with weights of the other sign. */
async function gate(format: 'onnx' | 'tflite', wrong?: string) {
  const { model, quantization } = await exported();
  const make = (of: Graph) => {
    const weights = of.constants.get(`${wrong}/w`)?.data as Float32Array | undefined;
    const written =
      weights === undefined ? of : withChangedConstants(of, new Map([[`${wrong}/w`, weights.map((value) => -value)]]));
    if (format === 'tflite') return exportTflite(written, { precision: 'integer', quantization });
    return { bytes: encodeModel(exportQdq(written, quantization).result) };
  };
  const file = { file: `exports/x.${format}`, bytes: make(graph).bytes, format, precision: 'int8' } as const;
  return checkVariant(context, model, file, make);
}

describe.each(['onnx', 'tflite'] as const)('an int8 %s file', (format) => {
  it('passes as it should be', async () => {
    expect((await gate(format)).top1Agreement).toBeGreaterThanOrEqual(0.9);
  });

  it.each(['first', 'second', 'third', 'logits'])(
    'is refused by the name of its layer %s if that is wrong',
    async (layer) => {
      await expect(gate(format, layer)).rejects.toMatchObject({
        message: expect.stringMatching(
          new RegExp(`^exports/x\\.${format}: its answers differ .*; the first layer that differs is ${layer}$`),
        ) as string,
        hint: expect.stringContaining('The file was not written.') as string,
      });
    },
  );
});

it('warns of a file that gives one class to samples of all of them', async () => {
  const { model } = await exported();
  const { reference } = model;
  const logits = reference.answers.map((value, i) => value + (i % 3 === 0 ? 100 : 0));
  const b = new GraphBuilder();
  const fed = b.input('x', { dtype: 'float32', shape: ['batch', 6, 6, 2] });
  const flat = b.op('Reshape', [fed], { shape: ['batch', 72] });
  const w = b.constant({ dtype: 'float32', shape: [72, 3] }, new Float32Array(216));
  const bias = b.constant({ dtype: 'float32', shape: [3] }, Float32Array.of(100, 0, 0));
  b.output('logits', b.op('Add', [b.op('BatchMatMul', [flat, w], { transposeA: false, transposeB: false }), bias]));
  const labels = Int32Array.from({ length: 32 }, (_, i) => i % 3);
  const told: string[] = [];
  const listening = { ...context, onEvent: ({ message }: { message: string }) => told.push(message) };
  const file = {
    file: 'exports/x.onnx',
    bytes: encodeModel(lowerToOnnx(b.build())),
    format: 'onnx',
    precision: 'int8',
  } as const;
  const checkable = { graph, reference: { ...reference, answers: logits, targets: labels } };
  await checkVariant(listening as unknown as StageContext, checkable, file, () => ({ bytes: file.bytes }));
  expect(told).toEqual([expect.stringMatching(/^exports\/x\.onnx: answers a to 100\.0 % of 32 samples/) as string]);
});

it('refuses a file of vectors that are too short, though their directions are right', async () => {
  const validation = { task: 'embedding', classNames: ['a', 'b'], vector: { size: 2, prefixes: [] } };
  const listening = { ...context, data: { validation } } as unknown as StageContext;
  const vectors = Float32Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? Math.cos(i) : Math.sin(i - 1)));
  const reference = { x: vectors, shape: [4, 2], answers: vectors };
  const check = (factor: number) => {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 2] });
    b.output('y', b.op('Multiply', [x, b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(factor))]));
    const [made, bytes] = [b.build(), (of: Graph) => ({ bytes: encodeModel(lowerToOnnx(of)) })];
    const file = { file: 'exports/x.onnx', ...bytes(made), format: 'onnx', precision: 'int8' } as const;
    return checkVariant(listening, { graph: made, reference }, file, bytes);
  };
  expect((await check(0.99)).cosine?.least).toBeCloseTo(1);
  await expect(check(0.7)).rejects.toThrow('a vector of length 0.7000; expected 1.0000');
});
