import { quantize } from '../../src/compress/quantize/ptq.ts';
import type { TfliteOptions } from '../../src/formats/tflite/export.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { simulateTflite } from '../../src/formats/tflite/simulate/simulate.ts';
import type { Rounding } from '../../src/formats/tflite/simulate/kernel.ts';
import type { Quantization, TensorQuantization } from '../../src/graph/quantization.ts';
import { integerRange, symmetric } from '../../src/graph/quantization.ts';
import { withBatch } from '../../src/graph/shapes.ts';
import type { Graph } from '../../src/graph/types.ts';
import { models } from '../../src/models/registry.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime.ts';
import { inferenceGraph, lstmModel, small, trainedModel } from '../formats/tflite/models.ts';
import { random, reference } from '../formats/tflite/support.ts';
import { useCpu } from '../support/cpu.ts';
import type { Case, Verdict } from './python.ts';
import { checkWithPython } from './python.ts';

beforeAll(useCpu);

/** Samples, calibrated with: what lies beyond the ranges is cut off. */
const BATCH = 16;
/** Rows that tfjs' JavaScript kernels compute, which take seconds for the larger nets. */
const FEW = 4;
const NAMES = [...Object.keys(models), 'lstm'];

/**
 * The reference kernels compute a sigmoid or tanh of integers without a table, and the official ones' sum of integers is
 * another than that of every other kernel: those with these are held to the kernels that interpreters use by default alone.
 */
const OTHERWISE = ['gru', 'lstm', 'text-transformer'];

const session = sessionOptions('cpu', { threads: 1 });

/** The same ranges for 16-bit activations beside 8-bit weights. */
function widened(quantization: Quantization, graph: Graph): Quantization {
  const wide = ({ scales, zeroPoints }: TensorQuantization): TensorQuantization => {
    const ends = integerRange.int8.map((end) => Math.abs(end - zeroPoints[0]!) * scales[0]!);
    return symmetric([Math.max(...ends)], 'int16');
  };
  return new Map([...quantization].map(([name, found]) => [name, graph.constants.has(name) ? found : wide(found)]));
}

/** Files of one model, each with what it has to give: tfjs' logits, or our simulation of the integers. */
async function casesOf(name: string): Promise<Case[]> {
  const graph = inferenceGraph(name === 'lstm' ? lstmModel() : trainedModel(name, small[name]!), true);
  const input = graph.inputs.get('x')!;
  const shape = withBatch(input.shape, BATCH);
  const x = random(input, name, BATCH) as Float32Array;
  const few = x.slice(0, (x.length / BATCH) * FEW);
  const logits = reference(graph, { x: few }, FEW).logits!;
  const one = (label: string, bytes: Uint8Array, expected: Float32Array, tolerance: number): Case => {
    const [batch, data] = expected === logits ? [FEW, few] : [BATCH, x];
    return {
      name: `${name} ${label}`,
      bytes,
      inputs: { x: { dtype: input.dtype, shape: withBatch(input.shape, batch), data } },
      outputs: { logits: { dtype: 'float32', shape: [batch, expected.length / batch], data: expected } },
      tolerance,
    };
  };
  const like = (label: string, options: TfliteOptions, tolerance: number): Case =>
    one(label, exportTflite(graph, { ...options, batch: FEW }).bytes, logits, tolerance);
  const calibration = [{ x: { data: x, shape } }];
  const { result: quantization } = await quantize(graph, calibration, { calibrator: 'minmax', session });
  const integer = exportTflite(graph, { precision: 'integer', quantization, batch: BATCH }).bytes;
  const step = quantization.get(graph.outputs.get('logits')!)!.scales[0]!;
  const simulated = (rounding: Rounding): Case => {
    const expected = simulateTflite(integer, { x }, rounding).outputs.logits as Float32Array;
    const referenceKernels = rounding === 'reference';
    return { ...one(`int8 ${rounding}`, integer, expected, 0.5), step, referenceKernels };
  };
  return [
    like('float32', { precision: 'float32' }, 1e-5),
    like('float16', { precision: 'float16' }, 2e-2),
    like('dynamic', { precision: 'dynamic' }, 0.2),
    like('16x8', { precision: 'integer', quantization: widened(quantization, graph) }, 0.2),
    simulated('xnnpack'),
    ...(OTHERWISE.includes(name) ? [] : [simulated('reference')]),
  ];
}

describe('every model of the registry in the official interpreter', () => {
  let verdicts: readonly Verdict[];
  const verdict = (name: string): Verdict => verdicts.find((one) => one.name === name)!;

  beforeAll(async () => {
    const cases: Case[] = [];
    for (const name of NAMES) cases.push(...(await casesOf(name)));
    verdicts = checkWithPython('tflite_check.py', '.tflite', cases);
    const rows = verdicts.map(({ name, error, top1, within }) =>
      [name.padEnd(28), error.toExponential(1), `top1 ${top1}`, within === undefined ? '' : `within ${within}`].join(
        '  ',
      ),
    );
    console.log(rows.join('\n'));
  });

  it('loads and runs', () => expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]));

  it.each(NAMES)('%s: float32 gives every class that tfjs gives', (name) => {
    expect(verdict(`${name} float32`)).toMatchObject({ top1: 1 });
  });

  it.each(NAMES)('%s: int8 is one step from our simulation at most, on 999 values of 1000', (name) => {
    const { top1, within } = verdict(`${name} int8 xnnpack`);
    expect(top1).toBeGreaterThanOrEqual(0.995);
    expect(within).toBeGreaterThanOrEqual(0.999);
  });

  it.each(NAMES.filter((name) => !OTHERWISE.includes(name)))('%s: so it is with the reference kernels', (name) => {
    const { top1, within } = verdict(`${name} int8 reference`);
    expect(top1).toBeGreaterThanOrEqual(0.995);
    expect(within).toBeGreaterThanOrEqual(0.999);
  });

  it.each(NAMES)('%s: 16-bit activations beside 8-bit weights give the classes that tfjs gives', (name) => {
    expect(verdict(`${name} 16x8`)).toMatchObject({ top1: 1 });
  });
});
