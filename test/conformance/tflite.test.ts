import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Precision } from '../../src/formats/tflite/export.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { withBatch } from '../../src/graph/shapes.ts';
import type { Graph, TensorData } from '../../src/graph/types.ts';
import type { Comparison, Pair } from '../../bench/tflite-cases.ts';
import { writeConversion } from '../../bench/tflite-cases.ts';
import { calibrated } from '../formats/tflite/calibrate.ts';
import type { ModelCase } from '../formats/tflite/models.ts';
import { inferenceGraph, trainedModel } from '../formats/tflite/models.ts';
import { cases } from '../formats/tflite/cases.ts';
import { exported, randomFeeds, reference, sketch } from '../formats/tflite/support.ts';
import { useCpu } from '../support/cpu.ts';
import type { Case } from './python.ts';
import { checkWithPython, runPython } from './python.ts';

beforeAll(useCpu);

const models: Readonly<Record<string, ModelCase>> = {
  mlp: { inputShape: [28, 28, 1], options: {}, classes: 10 },
  lenet: { inputShape: [28, 28, 1], options: {}, classes: 10 },
  'ds-cnn': { inputShape: [28, 28, 1], options: { width: 0.5 }, classes: 10 },
  resnet: { inputShape: [32, 32, 3], options: { depth: 8 }, classes: 10 },
  'mobilenet-v2': { inputShape: [96, 96, 3], options: {}, classes: 10 },
};
/** tfjs' cpu backend takes minutes to calibrate this one. */
const LARGE = ['mobilenet-v2'];
const SAMPLES = 16;

const graphs = new Map<string, { bare: Graph; prepared: Graph }>();
function graphsOf(name: string): { bare: Graph; prepared: Graph } {
  let found = graphs.get(name);
  if (found === undefined) {
    const model = trainedModel(name, models[name]!);
    graphs.set(name, (found = { bare: inferenceGraph(model, false), prepared: inferenceGraph(model, true) }));
  }
  return found;
}

function samplesOf(graph: Graph): { x: TensorData }[] {
  return Array.from({ length: SAMPLES }, (_, i) => ({ x: randomFeeds(graph, i).x! }));
}

describe('the official interpreter', () => {
  it('gives for each op what tfjs gives', () => {
    const list = Object.entries(cases).map(([name, build]): Case => {
      const graph = sketch(build);
      const feeds = randomFeeds(graph, 7);
      const tensors = (entries: [string, TensorData][], types: Graph['types']): Case['inputs'] =>
        Object.fromEntries(
          entries.map(([label, data]) => {
            const { dtype, shape } = types.get(label)!;
            return [label, { dtype, shape: withBatch(shape, 1), data }];
          }),
        );
      const types = new Map([...graph.outputs].map(([label, value]) => [label, graph.types.get(value)!]));
      const results = Object.entries(reference(graph, feeds)).map(([label, data]): [string, TensorData] => [
        label,
        types.get(label)!.dtype === 'int32' ? Int32Array.from(data) : data,
      ]);
      return {
        name,
        bytes: exported(graph),
        inputs: tensors(Object.entries(feeds), graph.inputs),
        outputs: tensors(results, types),
        tolerance: 1e-5,
      };
    });
    const verdicts = checkWithPython('tflite_check.py', '.tflite', list);
    expect(verdicts).toHaveLength(list.length);
    expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]);
  });

  it('loads every float32 and float16 export and gives what tfjs gives', () => {
    const cases = Object.keys(models).flatMap((name): Case[] => {
      const { prepared } = graphsOf(name);
      const { x } = samplesOf(prepared)[0]!;
      const shape = withBatch(prepared.inputs.get('x')!.shape, 1);
      const logits = reference(prepared, { x }).logits!;
      const one = (precision: Precision, tolerance: number): Case => ({
        name: `${name} ${precision}`,
        bytes: exportTflite(prepared, { precision }).bytes,
        inputs: { x: { dtype: 'float32', shape, data: x } },
        outputs: { logits: { dtype: 'float32', shape: [1, logits.length], data: logits } },
        tolerance,
      });
      return [one('float32', 1e-5), one('float16', 1e-2)];
    });
    const verdicts = checkWithPython('tflite_check.py', '.tflite', cases);
    expect(verdicts).toHaveLength(10);
    expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]);
  });
});

const PRECISIONS = ['float32', 'float16', 'dynamic', 'integer'] as const;

function pairsOf(result: Comparison): [Precision, Pair][] {
  return PRECISIONS.flatMap((precision): [Precision, Pair][] => {
    const pair = result[precision];
    return pair === undefined ? [] : [[precision, pair]];
  });
}

describe('beside tf.lite.TFLiteConverter, on the same weights', () => {
  let results: readonly Comparison[];
  const folder = mkdtempSync(path.join(tmpdir(), 'tflite-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(() => {
    const manifest = Object.keys(models).map((name) => {
      const { bare, prepared } = graphsOf(name);
      const samples = samplesOf(prepared);
      const quantization = LARGE.includes(name) ? undefined : calibrated(prepared, samples);
      return writeConversion(folder, { name, bare, prepared, samples: samples.map(({ x }) => x), quantization });
    });
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    results = runPython('tflite_convert.py', folder) as Comparison[];
    console.log(table(results));
  });

  it.each(Object.keys(models))('%s: no larger, no more operators, no less exact', (name) => {
    const pairs = pairsOf(results.find((result) => result.name === name)!);
    expect(pairs).toHaveLength(LARGE.includes(name) ? 3 : 4);
    for (const [, { ours, theirs }] of pairs) {
      expect(ours.bytes).toBeLessThanOrEqual(theirs.bytes);
      expect(ours.operators).toBeLessThanOrEqual(theirs.operators);
      // Float results differ in the order of their sums; integers by a rounding here and there.
      expect(ours.error).toBeLessThanOrEqual(theirs.error * 1.1 + 1e-5);
    }
  });
});

function table(results: readonly Comparison[]): string {
  return results
    .flatMap((result) =>
      pairsOf(result).map(([precision, { ours, theirs }]) =>
        [
          `${result.name} ${precision}`.padEnd(24),
          `${ours.bytes} / ${theirs.bytes} bytes`.padEnd(28),
          `${ours.operators} / ${theirs.operators} operators`.padEnd(24),
          `error ${ours.error.toExponential(2)} / ${theirs.error.toExponential(2)}`,
        ].join(''),
      ),
    )
    .join('\n');
}
