import { quantize, weightScales } from '../../src/compress/quantize/ptq.ts';
import { roundedWeights, weightScalesOf, withChangedConstants } from '../../src/compress/quantize/rounding.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import type { TfliteOptions } from '../../src/formats/tflite/export.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import type { Rounding } from '../support/tflite-simulate/kernel.ts';
import { simulateTflite } from '../support/tflite-simulate/simulate.ts';
import type { Quantization, TensorQuantization } from '../../src/graph/quantization.ts';
import { integerRange, symmetric } from '../../src/graph/quantization.ts';
import { withBatch } from '../../src/graph/shapes.ts';
import type { Graph, TensorData } from '../../src/graph/types.ts';
import { models } from '../../src/networks/models/registry.ts';
import { InferenceModel, openerOf } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import type { ModelCase } from '../formats/tflite/models.ts';
import { enlarging, inferenceGraph, lstmModel, small, trainedModel } from '../formats/tflite/models.ts';
import { randomFeeds } from '../formats/tflite/support.ts';
import { useCpu } from '../support/cpu.ts';
import type { Case, Verdict } from './python.ts';
import { checkWithPython } from './python.ts';

beforeAll(useCpu);

/** Outputs that are compared, for each file. */
const OUTPUTS = 1000;
const CALIBRATION = 64;
/** Fewer samples with more classes of the two that take long to simulate. */
const classesOf = (name: string): number => (name.startsWith('mobilenet') ? 40 : 10);

/** Beside a small instance of every model, some of them as they are by default. */
const CASES: Readonly<Record<string, ModelCase & { readonly model?: string }>> = {
  ...small,
  'mlp 28×28': { model: 'mlp', inputShape: [28, 28, 1], options: {} },
  'lenet 28×28': { model: 'lenet', inputShape: [28, 28, 1], options: {} },
  'ds-cnn 28×28': { model: 'ds-cnn', inputShape: [28, 28, 1], options: {} },
  'tcn 64×6': { model: 'tcn', inputShape: [64, 6], options: {} },
  'gru 12×28': { model: 'gru', inputShape: [12, 28], options: {} },
};
/** No TFLite file is written of a model of next tokens: LiteRT prepares none of their files of integers. */
const NAMES = [...Object.keys(CASES).filter((name) => models[name]?.answersPer?.[0] !== 'token'), 'lstm'];

/**
 * The reference kernels give wrong sums of integers, which test/conformance/tflite.test.ts holds to be so. What has such a sum is held
 * to the kernels that interpreters use by default alone.
 */
const OTHERWISE = ['gru', 'gru 12×28', 'lstm'];

const session = sessionOptions('cpu', { threads: 1 });

/** Twice the ranges for 16-bit activations beside 8-bit weights: fresh samples lie within them. */
function widened(quantization: Quantization, graph: Graph): Quantization {
  const wide = ({ scales, zeroPoints }: TensorQuantization): TensorQuantization => {
    const ends = integerRange.int8.map((end) => Math.abs(end - zeroPoints[0]!) * scales[0]!);
    return symmetric([2 * Math.max(...ends)], 'int16');
  };
  return new Map([...quantization].map(([name, found]) => [name, graph.constants.has(name) ? found : wide(found)]));
}

/** The graph with its weights rounded to int8. */
function withRoundedWeights(graph: Graph, quantization: Quantization): Graph {
  const stored = [...graph.constants].flatMap(([name, { type, data }]): [string, Float32Array][] => {
    const scales = weightScalesOf(quantization, name);
    return scales === undefined ? [] : [[name, roundedWeights(data as Float32Array, type.shape as number[], scales)]];
  });
  return withChangedConstants(graph, new Map(stored));
}

async function logitsOf(graph: Graph, x: TensorData, shape: readonly number[]): Promise<Float32Array> {
  const runner = new InferenceModel(encodeModel(lowerToOnnx(graph)), 'the graph', session);
  const results = await runner.run({ x: { data: x, shape } });
  runner.dispose();
  return results['logits']!.data as Float32Array;
}

/** Files of one model, each with what it has to give: the logits of the graph, or our simulation of the integers. */
async function casesOf(name: string): Promise<Case[]> {
  const classes = classesOf(name);
  const rows = OUTPUTS / classes;
  const model =
    name === 'lstm' ? lstmModel(classes) : trainedModel(CASES[name]!.model ?? name, { ...CASES[name]!, classes });
  const graph = inferenceGraph(model, true);
  const input = graph.inputs.get('x')!;
  const shape = withBatch(input.shape, rows);
  const x = randomFeeds(graph, 99, rows).x!;
  const logits = await logitsOf(graph, x, shape);
  const calibration = [
    { x: { data: randomFeeds(graph, 1, CALIBRATION).x!, shape: withBatch(input.shape, CALIBRATION) } },
  ];
  const { result: quantization } = await quantize(graph, calibration, {
    calibrator: 'minmax',
    open: openerOf(session),
    dense: 'tensor',
  });
  const one = (label: string, bytes: Uint8Array, expected: Float32Array, tolerance: number): Case => ({
    name: `${name} ${label}`,
    bytes,
    inputs: { x: { dtype: input.dtype, shape, data: x } },
    outputs: { logits: { dtype: 'float32', shape: [rows, classes], data: expected } },
    tolerance,
  });
  const made = (options: TfliteOptions): Uint8Array => exportTflite(graph, { ...options, batch: rows }).bytes;
  const integer = made({ precision: 'integer', quantization });
  const wide = made({ precision: 'integer', quantization: widened(quantization, graph) });
  const step = quantization.get(graph.outputs.get('logits')!)!.scales[0]!;
  const simulated = (label: string, bytes: Uint8Array, rounding: Rounding): Case => {
    const expected = simulateTflite(bytes, { x }, rounding).outputs.logits as Float32Array;
    return { ...one(label, bytes, expected, 0.5), step, referenceKernels: rounding === 'reference' };
  };
  const perOutput = made({
    precision: 'integer',
    quantization: new Map([...quantization, ...weightScales(graph, 'channel')]),
  });
  return [
    one('float32', made({ precision: 'float32' }), logits, 1e-5),
    one('float16', made({ precision: 'float16' }), logits, 2e-2),
    one('dynamic', made({ precision: 'dynamic' }), logits, 0.1),
    one('16x8', wide, await logitsOf(withRoundedWeights(graph, quantization), x, shape), 1e-2),
    simulated('int8 xnnpack', integer, 'xnnpack'),
    simulated('int8 per output', perOutput, 'xnnpack'),
    one('dynamic per output', made({ precision: 'dynamic', dense: 'channel' }), logits, 0.1),
    ...(OTHERWISE.includes(name) ? [] : [simulated('int8 reference', integer, 'reference')]),
  ];
}

describe('every model of the registry in the official interpreter', () => {
  let verdicts: readonly Verdict[];
  const verdict = (name: string): Verdict => verdicts.find((one) => one.name === name)!;

  beforeAll(async () => {
    const cases: Case[] = [];
    for (const name of NAMES) {
      cases.push(...(await casesOf(name)));
    }
    verdicts = checkWithPython('tflite_check.py', '.tflite', cases);
    const rows = verdicts.map(({ name, error, top1, within }) =>
      [name.padEnd(28), error.toExponential(1), `top1 ${top1}`, within === undefined ? '' : `within ${within}`].join(
        '  ',
      ),
    );
    console.log(rows.join('\n'));
  });

  // Models that enlarge their maps have RESIZE_BILINEAR, which our simulation does not compute: test/runtime/litert-models.long.test.ts compares two runtimes.
  it('has a small instance of every model but those that enlarge their maps', () => {
    const others = Object.keys(models).filter(
      (name) => !(name in enlarging || models[name]!.answersPer?.[0] === 'point'),
    );
    expect(Object.keys(CASES)).toEqual(expect.arrayContaining(others));
  });

  it('loads and runs', () => expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]));

  it.each(NAMES)('%s: float32 gives every class that the graph gives', (name) => {
    expect(verdict(`${name} float32`)).toMatchObject({ top1: 1 });
  });

  it.each(NAMES)('%s: so do halves, and nearly so weights of 8 bits', (name) => {
    expect(verdict(`${name} float16`).top1).toBeGreaterThanOrEqual(0.99);
    for (const label of ['dynamic', 'dynamic per output'])
      expect(verdict(`${name} ${label}`).top1).toBeGreaterThanOrEqual(0.95);
  });

  it.each(NAMES)('%s: 16-bit activations give the classes of the graph with weights of 8 bits', (name) => {
    expect(verdict(`${name} 16x8`).top1).toBeGreaterThanOrEqual(0.99);
  });

  it.each(NAMES)('%s: int8 is one step from our simulation at most, on 999 values of 1000', (name) => {
    for (const label of ['int8 xnnpack', 'int8 per output']) {
      const { top1, within } = verdict(`${name} ${label}`);
      expect(top1).toBeGreaterThanOrEqual(0.995);
      expect(within).toBeGreaterThanOrEqual(0.999);
    }
  });

  it.each(NAMES.filter((name) => !OTHERWISE.includes(name)))('%s: so it is with the reference kernels', (name) => {
    const { top1, within } = verdict(`${name} int8 reference`);
    expect(top1).toBeGreaterThanOrEqual(0.995);
    expect(within).toBeGreaterThanOrEqual(0.999);
  });
});
