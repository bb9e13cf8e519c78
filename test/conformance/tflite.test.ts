import { withChangedConstants } from '../../src/compress/quantize/rounding.ts';
import type { TfliteOptions } from '../../src/formats/tflite/export.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { tensorTypes } from '../../src/formats/tflite/schema/tensor-types.ts';
import type { Rounding } from '../support/tflite-simulate/kernel.ts';
import { simulatedOperators, simulateTflite } from '../support/tflite-simulate/simulate.ts';
import { withBatch } from '../../src/graph/shapes.ts';
import type { Graph, TensorData, TensorType } from '../../src/graph/types.ts';
import { modelEnds } from '../../src/runtime/litert.ts';
import { calibrated } from '../formats/tflite/calibrate.ts';
import { cases } from '../formats/tflite/cases.ts';
import { integerCases } from '../formats/tflite/integer-cases.ts';
import { inferenceGraph, small, trainedModel } from '../formats/tflite/models.ts';
import type { Sketch, Values } from '../formats/tflite/support.ts';
import { exported, floats, operators, randomFeeds, reference, sketch } from '../formats/tflite/support.ts';
import { useCpu } from '../support/cpu.ts';
import type { Case, Verdict } from './python.ts';
import { checkWithPython } from './python.ts';

beforeAll(useCpu);

/** Samples of what is compared integer by integer: a thousand values and more. */
const ROWS = 64;

interface Given {
  readonly feeds: Values;
  readonly batch?: number;
  readonly tolerance?: number;
  /** Instead of what tfjs gives. */
  readonly expected?: Values;
}

/** A file of a graph beside what tfjs makes of the graph. */
function caseOf(name: string, graph: Graph, bytes: Uint8Array, given: Given): Case {
  const { feeds, batch = 1, tolerance = 1e-5, expected = reference(graph, feeds, batch) } = given;
  const tensors = (values: Values, typeOf: (label: string) => TensorType) =>
    Object.fromEntries(
      Object.entries(values).map(([label, data]) => {
        const { dtype, shape } = typeOf(label);
        return [
          label,
          { dtype, shape: withBatch(shape, batch), data: dtype === 'int32' ? Int32Array.from(data, Number) : data },
        ];
      }),
    );
  return {
    ...{ name, bytes, tolerance },
    inputs: tensors(feeds, (label) => graph.inputs.get(label)!),
    outputs: tensors(expected, (label) => graph.types.get(graph.outputs.get(label)!)!),
  };
}

function expectAll(list: readonly Case[]): readonly Verdict[] {
  const verdicts = checkWithPython('tflite_check.py', '.tflite', list);
  expect(verdicts).toHaveLength(list.length);
  expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]);
  return verdicts;
}

/** Has the file weights of this type? */
function stores(bytes: Uint8Array, dtype: string): boolean {
  const { subgraphs, buffers } = readTflite(bytes);
  return subgraphs[0]!.tensors.some(
    ({ type, buffer }) => tensorTypes[type] === dtype && buffers[buffer]!.data !== undefined,
  );
}

describe('the official interpreter gives what tfjs gives', () => {
  it('for each op', () => {
    const list = Object.entries(cases).map(([name, build]) => {
      const graph = sketch(build);
      return caseOf(name, graph, exported(graph), { feeds: randomFeeds(graph, 7) });
    });
    expectAll(list);
  });

  it('for each op with any number of samples', () => {
    const list = Object.entries(cases).flatMap(([name, build]) => {
      const graph = sketch(build);
      if (![...graph.inputs.values()].some(({ shape }) => shape.includes('batch'))) return [];
      const bytes = exported(graph, { batch: 'dynamic' });
      return [1, 3].map((batch) =>
        caseOf(`${name} × ${batch}`, graph, bytes, { feeds: randomFeeds(graph, 7, batch), batch }),
      );
    });
    expect(list.length).toBeGreaterThan(200);
    expectAll(list);
  });

  it('for layers whose weights are stored as int8, or as halves', () => {
    const same = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
    const layers: Record<string, (g: Sketch) => string> = {
      conv: (g) => g.op('Conv2D', [g.input('x', floats('batch', 6, 6, 8)), g.weights([3, 3, 8, 16])], same),
      depthwise: (g) =>
        g.op('DepthwiseConv2dNative', [g.input('x', floats('batch', 6, 6, 160)), g.weights([3, 3, 160, 1])], same),
      dense: (g) =>
        g.op('BatchMatMul', [g.input('x', floats('batch', 40)), g.weights([40, 50])], {
          transposeA: false,
          transposeB: false,
        }),
      transposed: (g) =>
        g.op('Conv2DBackpropInput', [g.input('x', floats('batch', 4, 4, 16)), g.weights([3, 3, 12, 16])], {
          strides: [2, 2],
          dilations: [1, 1],
          pads: [0, 1, 0, 1],
          inputShape: ['batch', 8, 8, 12] as const,
        }),
    };
    const list = Object.entries(layers).flatMap(([name, build]) => {
      const graph = sketch(build);
      return (['dynamic', 'float16'] as const).map((precision) => {
        const bytes = exported(graph, { precision });
        expect([name, precision, stores(bytes, precision === 'dynamic' ? 'int8' : 'float16')]).toEqual([
          name,
          precision,
          true,
        ]);
        const tolerance = precision === 'dynamic' ? 0.02 : 1e-3;
        return caseOf(`${name} ${precision}`, graph, bytes, { feeds: randomFeeds(graph, 7), tolerance });
      });
    });
    expectAll(list);
  });

  it('for sparse filters', () => {
    const graph = inferenceGraph(trainedModel('mobilenet-v2', small['mobilenet-v2']!), true);
    const pruned = [...graph.constants].flatMap(([name, { type, data }]): [string, Float32Array][] =>
      type.shape.length === 4 ? [[name, (data as Float32Array).map((value, i) => (i % 10 === 3 ? 3 * value : 0))]] : [],
    );
    const sparse = withChangedConstants(graph, new Map(pruned));
    const bytes = exported(sparse, { sparse: true });
    expect(operators(bytes).filter((op) => op === 'DENSIFY').length).toBeGreaterThan(10);
    expectAll([caseOf('sparse', sparse, bytes, { feeds: randomFeeds(sparse, 7) })]);
  });
});

/** So small that neither they nor what is computed of them lies beyond the ranges that were found. */
function smaller(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, data]) => [name, (data as Float32Array).map((x) => 0.6 * x)]),
  );
}

/** Simulation of an integer file, or what tfjs gives where it has an operator that is not simulated. */
function expectedOf(
  graph: Graph,
  bytes: Uint8Array,
  feeds: Values,
  rounding: Rounding,
): { expected: Values; tolerance: number; step?: number } {
  if (operators(bytes).every((op) => simulatedOperators.includes(op.split('+')[0]!))) {
    const { outputs, steps } = simulateTflite(bytes, feeds, rounding);
    return { expected: outputs, tolerance: 1, step: steps.y0! };
  }
  // Without positions, which are others wherever two values round to the same. Operands and results are rounded to 256 steps.
  const y0 = reference(graph, feeds, ROWS).y0!;
  return { expected: { y0 }, tolerance: 0.03 };
}

describe('the official interpreter gives the integers that we simulate', () => {
  /** A file of each operator with an integer kernel, with ranges that were found on other samples. */
  const filesOf = (rounding: Rounding): Case[] =>
    Object.entries(integerCases).map(([name, build]): Case => {
      const graph = sketch(build);
      const quantization = calibrated(
        graph,
        Array.from({ length: 16 }, (_, i) => randomFeeds(graph, i)),
      );
      const bytes = exported(graph, { precision: 'integer', quantization, batch: ROWS });
      const feeds = smaller(randomFeeds(graph, 99, ROWS));
      const { expected, step, tolerance } = expectedOf(graph, bytes, feeds, rounding);
      const made = caseOf(name, graph, bytes, { feeds, batch: ROWS, expected, tolerance });
      return { ...made, ...(step && { step }), referenceKernels: rounding === 'reference' };
    });
  const off = (verdicts: readonly Verdict[]): string[] =>
    verdicts.filter(({ within = 1 }) => within < 0.999).map(({ name }) => name);

  it('for each operator with an integer kernel', () => expect(off(expectAll(filesOf('xnnpack')))).toEqual([]));

  it('for each with the reference kernels, but for those that are known to be otherwise', () => {
    const verdicts = checkWithPython('tflite_check.py', '.tflite', filesOf('reference'));
    const problems = verdicts.filter(({ problem }) => problem !== '');
    const missing = problems.filter(({ problem }) => problem.includes("Didn't find op"));
    expect(missing.map(({ name }) => name)).toEqual(['Elu', 'Tile', 'DepthToSpace']);
    // Off by more than the largest sum that there is; the kernels used by default are right.
    const wrong = problems.filter((one) => !missing.includes(one));
    expect(wrong.map(({ name }) => name)).toEqual(['Sum']);
    expect(off(verdicts.filter((one) => !problems.includes(one)))).toEqual([]);
  });

  it.each(['int8', 'uint8'] as const)('with %s ends', (ends) => {
    const list = ['mlp', 'lenet', 'ds-cnn', 'resnet'].map((name): Case => {
      const graph = inferenceGraph(trainedModel(name, { ...small[name]!, classes: 20 }), true);
      const quantization = calibrated(
        graph,
        Array.from({ length: 4 }, (_, i) => randomFeeds(graph, i)),
      );
      const options: TfliteOptions = { precision: 'integer', quantization, batch: ROWS };
      const bytes = exportTflite(graph, { ...options, ends }).bytes;
      const { inputs, outputs } = modelEnds(readTflite(bytes));
      const [x, y] = [inputs[0]!.quantization!, outputs[0]!.quantization!];
      const typed = (values: ArrayLike<number>, { scale, zeroPoint }: typeof x): TensorData => {
        const [low, high] = ends === 'int8' ? [-128, 127] : [0, 255];
        const stored = Array.from(values, (value) =>
          Math.min(high, Math.max(low, Math.round(value / scale) + zeroPoint)),
        );
        return ends === 'int8' ? Int8Array.from(stored) : Uint8Array.from(stored);
      };
      const feeds = randomFeeds(graph, 99, ROWS) as { x: Float32Array };
      const { logits } = simulateTflite(exportTflite(graph, options).bytes, feeds).outputs as { logits: Float32Array };
      return {
        ...{ name, bytes, tolerance: 1, step: 1 },
        inputs: { x: { dtype: ends, shape: withBatch(graph.inputs.get('x')!.shape, ROWS), data: typed(feeds.x, x) } },
        outputs: { logits: { dtype: ends, shape: [ROWS, 20], data: typed(logits, y) } },
      };
    });
    for (const { name, within } of expectAll(list))
      expect({ name, within: within! >= 0.999 }).toEqual({ name, within: true });
  });
});
