import { quantize } from '../../src/compress/quantize/ptq.ts';
import { exportQdq } from '../../src/formats/onnx/qdq/qdq.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import type { TfliteOptions } from '../../src/formats/tflite/export.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { withBatch } from '../../src/graph/shapes.ts';
import { models } from '../../src/models/registry.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime.ts';
import { inferenceGraph, small, trainedModel } from '../formats/tflite/models.ts';
import { random, reference } from '../formats/tflite/support.ts';
import { useCpu } from '../support/cpu.ts';
import type { Case, Verdict } from './python.ts';
import { checkWithPython } from './python.ts';

beforeAll(useCpu);

/** Calibrated with the rows that are compared: beyond the ranges both clip, but not at the same places. */
const BATCH = 16;
/** Rows that tfjs' JavaScript kernels compute, which take seconds for the larger nets. */
const FEW = 4;
/**
 * Of these our simulation is the QDQ file in ONNX Runtime operator for operator, but for roundings. In the others TFLite
 * quantizes values that QDQ keeps as floats between two layers (norms before a layer, attention, gates, linear bottlenecks).
 */
const CLOSE = ['mlp', 'lenet', 'ds-cnn', 'resnet', 'mobilenet-v1', 'vgg'];

const session = sessionOptions('cpu', { threads: 1 });

/** Files of one model, each with what it has to give: tfjs' logits, or our simulation of the integers. */
async function casesOf(name: string): Promise<Case[]> {
  const graph = inferenceGraph(trainedModel(name, small[name]!), true);
  const input = graph.inputs.get('x')!;
  const shape = withBatch(input.shape, BATCH);
  const x = random(input, name, BATCH) as Float32Array;
  const few = x.slice(0, (x.length / BATCH) * FEW);
  const logits = reference(graph, { x: few }, FEW).logits!;
  const one = (label: string, options: TfliteOptions, expected: Float32Array, tolerance: number): Case => {
    const batch = expected === logits ? FEW : BATCH;
    return {
      name: `${name} ${label}`,
      bytes: exportTflite(graph, { ...options, batch }).bytes,
      inputs: { x: { dtype: input.dtype, shape: withBatch(input.shape, batch), data: batch === FEW ? few : x } },
      outputs: { logits: { dtype: 'float32', shape: [batch, expected.length / batch], data: expected } },
      tolerance,
    };
  };
  const calibration = [{ x: { data: x, shape } }];
  const { result: quantization } = await quantize(graph, calibration, { calibrator: 'minmax', session });
  const simulation = new InferenceModel(encodeModel(exportQdq(graph, quantization).result), name, session);
  const simulated = (await simulation.run({ x: { data: x, shape } }))['logits']!.data as Float32Array;
  simulation.dispose();
  const step = quantization.get(graph.outputs.get('logits')!)!.scales[0]!;
  return [
    one('float32', { precision: 'float32' }, logits, 1e-5),
    one('float16', { precision: 'float16' }, logits, 2e-2),
    one('dynamic', { precision: 'dynamic' }, logits, 0.2),
    { ...one('int8', { precision: 'integer', quantization }, simulated, 0.5), step },
  ];
}

describe('every model of the registry in the official interpreter', () => {
  let verdicts: readonly Verdict[];

  beforeAll(async () => {
    const cases: Case[] = [];
    for (const name of Object.keys(models)) cases.push(...(await casesOf(name)));
    verdicts = checkWithPython('tflite_check.py', '.tflite', cases);
    const rows = verdicts.map(({ name, error, top1, within }) =>
      [name.padEnd(28), error.toExponential(1), `top1 ${top1}`, within === undefined ? '' : `within ${within}`].join(
        '  ',
      ),
    );
    console.log(rows.join('\n'));
  });

  it('loads and runs', () => expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]));

  it.each(Object.keys(models))('%s: float32 gives every class that tfjs gives', (name) => {
    expect(verdicts.find((verdict) => verdict.name === `${name} float32`)).toMatchObject({ top1: 1 });
  });

  it.each(CLOSE)('%s: int8 is one step from our simulation at most, on 19 values of 20', (name) => {
    const { top1, within } = verdicts.find((verdict) => verdict.name === `${name} int8`)!;
    expect(top1).toBeGreaterThanOrEqual(0.995);
    expect(within).toBeGreaterThanOrEqual(0.95);
  });

  it.each(Object.keys(models).filter((name) => !CLOSE.includes(name)))('%s: int8 stays near our simulation', (name) => {
    const { top1, error } = verdicts.find((verdict) => verdict.name === `${name} int8`)!;
    expect(top1).toBeGreaterThanOrEqual(0.9);
    expect(error).toBeLessThan(0.2);
  });
});
