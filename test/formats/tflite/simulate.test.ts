import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { fixedPoint, multiply, multiplyOnce, roundHalfEven } from '../../support/tflite-simulate/fixed-point.ts';
import { simulatedOperators, simulateTflite } from '../../support/tflite-simulate/simulate.ts';
import { builtinOperators } from '../../../src/formats/tflite/schema/operators.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { useCpu } from '../../support/cpu.ts';
import { calibrated } from './calibrate.ts';
import { cases } from './cases.ts';
import { integerCases } from './integer-cases.ts';
import { inferenceGraph, small, trainedModel } from './models.ts';
import { expectClose, exported, operators, randomFeeds, reference, run, sketch } from './support.ts';

beforeAll(useCpu);

describe('fixed-point factors', () => {
  const random = new RandomStream('fixed point');
  const draws = Array.from({ length: 2000 }, () => ({
    x: random.below(2 ** 31) * (random.uniform() < 0 ? -1 : 1),
    value: 2 ** (-20 * Math.abs(random.uniform())),
  }));

  it('have 31 bits', () => {
    for (const { value } of draws) {
      const { multiplier, shift } = fixedPoint(value);
      expect(multiplier).toBeGreaterThanOrEqual(2 ** 30);
      expect(multiplier).toBeLessThan(2 ** 31);
      expect(Math.abs(multiplier * 2 ** (shift - 31) - value)).toBeLessThanOrEqual(value * 2 ** -31);
    }
    expect(fixedPoint(0)).toEqual({ multiplier: 0, shift: 0 });
    expect(fixedPoint(1 - 2 ** -53)).toEqual({ multiplier: 2 ** 30, shift: 1 });
  });

  it('multiply like 64-bit integers', () => {
    for (const { x, value } of draws) {
      const { multiplier, shift } = fixedPoint(value);
      const product = BigInt(x) * BigInt(multiplier);
      const nudge = product < 0n ? 1n - 2n ** 30n : 2n ** 30n;
      // BigInt division goes towards zero, as C's does.
      const high = (product + nudge) / 2n ** 31n;
      const bits = BigInt(-shift);
      const half = bits === 0n ? 0n : 2n ** (bits - 1n);
      const expected = high < 0n ? -((-high + half) >> bits) : (high + half) >> bits;
      expect(multiply(x, { multiplier, shift })).toBe(Number(expected));
      const once = (product + (1n << (30n + bits))) >> (31n + bits);
      expect(multiplyOnce(x, { multiplier, shift })).toBe(Number(once));
    }
  });

  it('round halves to even', () => {
    expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, 2.6].map((value) => roundHalfEven(value) + 0)).toEqual([
      -2, -2, 0, 0, 2, 2, 2, 3,
    ]);
  });
});

/** How many values differ, and by how many steps at most. */
function steps(a: ArrayLike<number>, b: ArrayLike<number>, step: number): { share: number; worst: number } {
  const distances = Array.from(a, (value, i) => Math.round(Math.abs(value - b[i]!) / step));
  return { share: distances.filter((distance) => distance > 0).length / a.length, worst: Math.max(...distances) };
}

describe('integers of LiteRT', () => {
  it.each(Object.keys(integerCases))('%s', async (name) => {
    const net = sketch(integerCases[name]!);
    const feeds = randomFeeds(net, 1);
    const quantization = calibrated(net, [feeds]);
    const { bytes } = exportTflite(net, { precision: 'integer', quantization });
    const missing = operators(bytes).filter((op) => !simulatedOperators.includes(op.split('+')[0]!));
    if (missing.length > 0) {
      expect(() => simulateTflite(bytes, feeds)).toThrow(`${missing[0]} is not simulated`);
      return;
    }
    const simulation = simulateTflite(bytes, feeds);
    const results = (await run(bytes, feeds)).y0!;
    const { share, worst } = steps(simulation.outputs.y0 as Float32Array, results, simulation.steps.y0!);
    expect(worst).toBeLessThanOrEqual(1);
    expect(share).toBeLessThanOrEqual(0.02);
  });

  // The two mobilenets, which take seconds, are simulated by the conformance tests.
  it.each(Object.keys(small).filter((name) => !name.startsWith('mobilenet')))('of a whole model: %s', async (name) => {
    const graph = inferenceGraph(trainedModel(name, small[name]!), true);
    const samples = [0, 1, 2].map((i) => randomFeeds(graph, i));
    const quantization = calibrated(graph, samples);
    const { bytes } = exportTflite(graph, { precision: 'integer', quantization });
    for (const feeds of samples) {
      const simulation = simulateTflite(bytes, feeds);
      expect(simulation.steps.logits).toBe(quantization.get(graph.outputs.get('logits')!)!.scales[0]);
      const [ours, theirs] = [simulation.outputs.logits as Float32Array, (await run(bytes, feeds)).logits!];
      expect(steps(ours, theirs, simulation.steps.logits!).worst).toBeLessThanOrEqual(1);
    }
  });

  it('are not those of the rounding that TFLite documents, for some value of a deep net', () => {
    const graph = inferenceGraph(trainedModel('resnet', small.resnet!), true);
    const samples = [0, 1, 2].map((i) => randomFeeds(graph, i));
    const { bytes } = exportTflite(graph, { precision: 'integer', quantization: calibrated(graph, samples) });
    const [first, second] = (['reference', 'xnnpack'] as const).map((rounding) =>
      simulateTflite(bytes, samples[0]!, rounding).computed.map(({ data }) => Array.from(data, Number)),
    );
    expect(first).not.toEqual(second);
  });
});

describe('a float32 model is simulated as tfjs computes it', () => {
  const known = Object.keys(cases).filter((name) => {
    const ops = operators(exported(sketch(cases[name]!)));
    return ops.every((op) => simulatedOperators.includes(op.split('+')[0]!));
  });

  it('most operators', () => expect(known.length).toBeGreaterThan(100));

  it.each(known)('%s', (name) => {
    const graph = sketch(cases[name]!);
    const feeds = randomFeeds(graph, 7);
    const { outputs } = simulateTflite(exported(graph), feeds);
    for (const [label, expected] of Object.entries(reference(graph, feeds)))
      expectClose(Float32Array.from(outputs[label]!, Number), expected);
  });
});

it('knows only names of operators', () => {
  const names: readonly string[] = builtinOperators;
  expect(simulatedOperators.filter((op) => !names.includes(op))).toEqual([]);
});

it('refuses a file without fixed shapes, and an input that is missing', () => {
  const graph = sketch(integerCases.Relu!);
  const dynamic = exported(graph, { batch: 'dynamic' });
  expect(() => simulateTflite(dynamic, randomFeeds(graph))).toThrow('has no fixed shape');
  expect(() => simulateTflite(exported(graph), {})).toThrow('input x is not fed');
});
