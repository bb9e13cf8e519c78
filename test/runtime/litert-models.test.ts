import { quantize } from '../../src/compress/quantize/ptq.ts';
import { describeTflite } from '../../src/formats/tflite/describe.ts';
import type { Quantization } from '../../src/graph/quantization.ts';
import { withBatch } from '../../src/graph/shapes.ts';
import type { Graph } from '../../src/graph/types.ts';
import { models } from '../../src/models/registry.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime.ts';
import { inferenceGraph, small, trainedModel } from '../formats/tflite/models.ts';
import { calibrated } from '../formats/tflite/calibrate.ts';
import { integerCases } from '../formats/tflite/integer-cases.ts';
import type { Values } from '../formats/tflite/support.ts';
import { exported, randomFeeds, run, sketch } from '../formats/tflite/support.ts';
import { useCpu } from '../support/cpu.ts';

beforeAll(useCpu);

const session = sessionOptions('cpu', { threads: 1 });
const ROWS = 16;

/** What the native library of 2022 does not know: later versions of operators. */
const TOO_NEW = ['FULLY_CONNECTED 12', 'EXP 2'];
/** Its sums of integers are wrong, by more than the largest one that there is; those of LiteRT are right. */
const WRONG = 'SUM int8';

function operatorsOf(bytes: Uint8Array): { refused: boolean; wrong: boolean } {
  const { layers } = describeTflite(bytes);
  return {
    refused: layers.some(({ op, version }) => TOO_NEW.includes(`${op} ${version}`)),
    wrong: layers.some(({ op, precision }) => `${op} ${precision}` === WRONG),
  };
}

/** Runs a file in both runtimes; gives the largest difference of an output, unless the native library refuses the file. */
async function difference(bytes: Uint8Array, feeds: Values): Promise<{ worst: number; largest: number } | undefined> {
  const [a] = Object.values(await run(bytes, feeds));
  if (operatorsOf(bytes).refused) {
    await expect(run(bytes, feeds, 'native')).rejects.toThrow('TensorFlow Lite 2.9 cannot run the model');
    return undefined;
  }
  const [b] = Object.values(await run(bytes, feeds, 'native'));
  const most = (values: Float32Array): number => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return { worst: most(a!.map((value, i) => value - b![i]!)), largest: most(a!) };
}

describe.each(Object.keys(models))('LiteRT.js and the native library give the same: %s', (name) => {
  let graph: Graph;
  let quantization: Quantization;
  beforeAll(async () => {
    graph = inferenceGraph(trainedModel(name, small[name]!), true);
    const input = graph.inputs.get('x')!;
    const calibration = { data: randomFeeds(graph, 1, 16).x!, shape: withBatch(input.shape, 16) };
    ({ result: quantization } = await quantize(graph, [{ x: calibration }], { calibrator: 'minmax', session }));
  });

  // Weights of 8 bits beside floats: each kernel rounds the activations in its own way.
  it.each([
    ['float32', 2e-5],
    ['float16', 2e-5],
    ['dynamic', 2e-2],
  ] as const)('%s', async (precision, tolerance) => {
    const bytes = exported(graph, { precision, batch: ROWS });
    const found = await difference(bytes, randomFeeds(graph, 99, ROWS));
    if (found !== undefined) expect(found.worst).toBeLessThanOrEqual(tolerance * found.largest);
  });

  it('integers, to one step', async () => {
    const bytes = exported(graph, { precision: 'integer', quantization, batch: ROWS });
    const found = await difference(bytes, randomFeeds(graph, 99, ROWS));
    const step = quantization.get(graph.outputs.get('logits')!)!.scales[0]!;
    if (found === undefined) return;
    if (operatorsOf(bytes).wrong) expect(found.worst).toBeGreaterThan(2 * step);
    else expect(found.worst).toBeLessThanOrEqual(1.001 * step);
  });
});

it.each(Object.keys(integerCases))('both give the same integers: %s', async (name) => {
  const graph = sketch(integerCases[name]!);
  const samples = [0, 1, 2, 3].map((key) => randomFeeds(graph, key));
  const quantization = calibrated(graph, samples);
  const bytes = exported(graph, { precision: 'integer', quantization, batch: ROWS });
  const found = await difference(bytes, randomFeeds(graph, 99, ROWS));
  const step = quantization.get(graph.outputs.get('y0')!)!.scales[0]!;
  if (found === undefined) return;
  if (operatorsOf(bytes).wrong) expect(found.worst).toBeGreaterThan(found.largest);
  else expect(found.worst).toBeLessThanOrEqual(1.001 * Math.max(step, 1 / 128));
});
