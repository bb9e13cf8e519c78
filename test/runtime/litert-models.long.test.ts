import { quantize, weightScales } from '../../src/compress/quantize/ptq.ts';
import { describeTflite } from '../../src/formats/tflite/describe/describe.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { wrongInTensorflow29 } from '../../src/formats/tflite/runtime.ts';
import type { Quantization } from '../../src/graph/quantization.ts';
import { withBatch } from '../../src/graph/shapes.ts';
import type { Graph, TensorData } from '../../src/graph/types.ts';
import { models } from '../../src/networks/models/registry.ts';
import { openerOf } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { inferenceGraph, smallOfAll, trainedModel, withLogits } from '../formats/tflite/models.ts';
import { calibrated } from '../formats/tflite/calibrate.ts';
import { integerCases } from '../formats/tflite/integer-cases.ts';
import type { Values } from '../formats/tflite/support.ts';
import { exported, randomFeeds, run, sketch } from '../formats/tflite/support.ts';
import { useCpu } from '../support/cpu.ts';

beforeAll(useCpu);

const session = sessionOptions('cpu', { threads: 1 });
const ROWS = 16;

/** What the native library of 2022 is not given: later versions of operators, and sums of integers, which it gets wrong. */
const REFUSED = ['FULLY_CONNECTED 12', 'EXP 2'];
const WRONG = 'SUM int8';

function isRefused(bytes: Uint8Array): boolean {
  const { layers } = describeTflite(bytes);
  const isOne = layers.some(
    ({ op, version, precision }) => REFUSED.includes(`${op} ${version}`) || `${op} ${precision}` === WRONG,
  );
  return isOne || wrongInTensorflow29(readTflite(bytes)) !== undefined;
}

const most = (values: Float32Array): number => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
const distance = (a: Float32Array, b: Float32Array): number => most(a.map((value, i) => value - b[i]!));

/** What both runtimes give for the first output; undefined where the native library refuses the file. */
async function both(
  bytes: Uint8Array,
  feeds: Values,
): Promise<{ wasm: Float32Array; native: Float32Array } | undefined> {
  const [wasm] = Object.values(await run(bytes, feeds));
  if (isRefused(bytes)) {
    await expect(run(bytes, feeds, 'native')).rejects.toThrow('TensorFlow Lite 2.9 cannot run the model');
    return undefined;
  }
  const [native] = Object.values(await run(bytes, feeds, 'native'));
  return { wasm: wasm!, native: native! };
}

/** Registry models whose int8 file the native library cannot compute right. */
const SUMMING = ['gru', 'bc-resnet'];

/** Steps of the answer by which roundings of many layers may differ. */
const STEPS: Readonly<Record<string, number>> = { 'text-transformer': 2, unet: 6 };

/** Models of next tokens, for which no TFLite file is written: LiteRT prepares none of their files of integers. */
const UNWRITTEN = ['decoder', 'gru-lm'];
const written = withLogits.filter((name) => !UNWRITTEN.includes(name));

describe.each(written)('LiteRT.js and the native library give the same: %s', (name) => {
  let graph: Graph;
  let quantization: Quantization;
  let calibration: { data: TensorData; shape: readonly number[] };
  beforeAll(async () => {
    graph = inferenceGraph(trainedModel(name, smallOfAll[name]!), true);
    const input = graph.inputs.get('x')!;
    calibration = { data: randomFeeds(graph, 1, 16).x!, shape: withBatch(input.shape, 16) };
    ({ result: quantization } = await quantize(graph, [{ x: calibration }], {
      ...{ calibrator: 'minmax', open: openerOf(session) },
      dense: 'tensor',
    }));
  });

  it.each(['float32', 'float16'] as const)('%s', async (precision) => {
    const found = await both(exported(graph, { precision, batch: ROWS }), randomFeeds(graph, 99, ROWS));
    expect(distance(found!.wasm, found!.native)).toBeLessThanOrEqual(2e-5 * most(found!.wasm));
  });

  // Each kernel rounds the activations in its own way: in a deep model that is as much as 8 bits cost.
  it('dynamic, as near to float32', async () => {
    const feeds = randomFeeds(graph, 99, ROWS);
    const [float] = Object.values(await run(exported(graph, { batch: ROWS }), feeds));
    const found = (await both(exported(graph, { precision: 'dynamic', batch: ROWS }), feeds))!;
    const [ours, theirs] = [distance(found.wasm, float!), distance(found.native, float!)];
    expect(theirs).toBeLessThanOrEqual(2 * ours + 2e-5 * most(float!));
    expect(ours).toBeLessThanOrEqual(0.06 * most(float!));
  });

  it('integers, to a step or two', async () => {
    const bytes = exported(graph, { precision: 'integer', quantization, batch: ROWS });
    const found = await both(bytes, randomFeeds(graph, 99, ROWS));
    expect(found === undefined).toBe(SUMMING.includes(name));
    const step = quantization.get(graph.outputs.get('logits')!)!.scales[0]!;
    if (found !== undefined)
      expect(distance(found.wasm, found.native)).toBeLessThanOrEqual((STEPS[name] ?? 1) * 1.001 * step);
  });

  it('activations of 16 bits', async () => {
    const { result: wide } = await quantize(graph, [{ x: calibration }], {
      ...{ calibrator: 'minmax', open: openerOf(session), activationBits: 16 },
      dense: 'tensor',
    });
    const bytes = exported(graph, { precision: 'integer', quantization: wide, batch: ROWS });
    const found = (await both(bytes, randomFeeds(graph, 99, ROWS)))!;
    expect(distance(found.wasm, found.native)).toBeLessThanOrEqual(2e-3 * most(found.wasm));
  });

  // A model that answers for each pixel has no dense layer.
  const hasDense = models[name]!.answersPer?.[0] !== 'pixel';
  (hasDense ? it : it.skip)('integers with a scale for each output of a dense layer: LiteRT alone', async () => {
    const perOutput = new Map([...quantization, ...weightScales(graph, 'channel')]);
    const bytes = exported(graph, { precision: 'integer', quantization: perOutput, batch: ROWS });
    expect(describeTflite(bytes)).toMatchObject({ minimumRuntime: '2.17.0' });
    expect(await both(bytes, randomFeeds(graph, 99, ROWS))).toBeUndefined();
  });
});

it.each([2 ** -9.9, 2 ** -10.1, 2 ** -11, 2 ** -12])(
  'both add a constant of a scale %d times that of the sum, or the native one refuses to',
  async (ratio) => {
    const graph = sketch((g) => {
      const x = g.input('x', { dtype: 'float32', shape: ['batch', 64] });
      return g.op('Add', [x, g.weights([64])]);
    });
    const [name, constant] = [...graph.constants][0]!;
    const data = constant.data as Float32Array;
    const range = Math.max(...data) - Math.min(...data);
    const found = calibrated(graph, [randomFeeds(graph, 0)]);
    const scale = range / 255 / ratio;
    const quantization: Quantization = new Map(
      [...found]
        .filter(([value]) => value !== name)
        .map(([value, q]) => [value, { ...q, scales: [scale], zeroPoints: [3] }]),
    );
    const bytes = exported(graph, { precision: 'integer', quantization, batch: ROWS });
    const x = Float32Array.from({ length: 64 * ROWS }, (_, i) => scale * ((i % 255) - 131));
    const given = await both(bytes, { x });
    expect(given === undefined).toBe(ratio < 2 ** -10);
    if (given !== undefined) expect(distance(given.wasm, given.native)).toBeLessThanOrEqual(1.001 * scale);
  },
);

it.each(Object.keys(integerCases))('both give the same integers: %s', async (name) => {
  const graph = sketch(integerCases[name]!);
  const samples = [0, 1, 2, 3].map((key) => randomFeeds(graph, key));
  const quantization = calibrated(graph, samples);
  const bytes = exported(graph, { precision: 'integer', quantization, batch: ROWS });
  const found = await both(bytes, randomFeeds(graph, 99, ROWS));
  const step = quantization.get(graph.outputs.get('y0')!)!.scales[0]!;
  if (found !== undefined)
    expect(distance(found.wasm, found.native)).toBeLessThanOrEqual(1.001 * Math.max(step, 1 / 128));
});
