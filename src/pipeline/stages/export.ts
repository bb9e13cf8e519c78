import { monotonicMs } from '../../base/clock.ts';
import { UserError } from '../../base/errors.ts';
import { viewOf } from '../../data/batches.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import type { Options } from '../../formats/onnx/lower.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { forInference } from '../../graph/passes/for-inference.ts';
import { freezeState } from '../../graph/passes/freeze-state.ts';
import type { Graph } from '../../graph/types.ts';
import { agreement, classesOf } from '../../measure/accuracy.ts';
import { macsOf } from '../../graph/macs.ts';
import { parametersOf } from '../../networks/network.ts';
import type { Network, Weights } from '../../networks/network.ts';
import { fileOf, stageOf } from '../../report/artifact.ts';
import type { Artifact, ModelRef } from '../../report/artifact.ts';
import type { ParitySummary } from '../../report/types.ts';
import { evaluator } from '../../runtime/evaluator.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import { traceWithBatch } from '../../trace/batch.ts';
import { predictionProgram } from '../../train/inference.ts';
import type { ShipContext } from '../ship-context.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import type { Fitted } from '../training.ts';
import { onnxOptions } from '../metadata.ts';
import type { ModelFile } from '../model-file.ts';

export interface TrainedModel {
  readonly model: ModelRef;
  readonly trained: Fitted;
}

export interface ExportedModel extends TrainedModel, ModelFile, Artifact {
  /** The stage that made its weights. */
  readonly stage: string;
  readonly macs: number;
  readonly params: number;
  readonly parity: ParitySummary;
  /** The inference graph that the file was written from. */
  readonly graph: Graph;
  readonly reference: Reference;
}

/** Samples, and what the training graph says about them. */
export interface Reference {
  readonly x: Float32Array;
  /** [n, ...sampleShape] */
  readonly shape: readonly number[];
  /** [n, classes] */
  readonly logits: Float32Array;
}

/** What a file may differ by from its training graph: in the class it gives, and in a logit, relative to the largest. */
const BUDGET = { top1Agreement: 0.998, error: 1e-3 };
const SAMPLES = 512;

/** Write a model as fp32 ONNX, after it has given the same answers as the graph it was trained in. */
export async function exportModel(
  context: ShipContext,
  { model, trained }: TrainedModel,
  write: (file: string, bytes: Uint8Array) => Promise<void>,
): Promise<ExportedModel> {
  const artifact = { model, format: 'onnx', precision: 'fp32' } as const;
  const file = fileOf(artifact);
  context.onEvent({ type: 'stage', stage: `export ${file}` });
  const start = monotonicMs();
  const graph = inferenceGraph(trained, []);
  const bytes = encode(graph, onnxOptions(context));
  const { parity, reference } = await checkParity(context, trained, bytes, file);
  await write(file, bytes);
  await context.done(`export ${file}`, (monotonicMs() - start) / 1000, { file, sizeBytes: bytes.length });
  const params = parametersOf(trained.network);
  const made = { ...artifact, stage: stageOf(model), trained, file, bytes };
  return { ...made, macs: macsOf(graph), params, parity, graph, reference };
}

/** From the inputs [batch, ...] to the outputs by name and those of the layers named. */
export function inferenceGraph(
  { network, weights }: { readonly network: Network; readonly weights: Weights },
  features: readonly string[],
): Graph {
  const traced = traceWithBatch((batchSize) => {
    const { feeds, state, run } = predictionProgram({ network, batchSize, features });
    // A training step calls its only input x; in a file it has the name that the network gives it.
    const named = Object.entries(feeds).map(
      ([feed, type], i) => [Object.keys(network.inputs)[i]!, feed, type] as const,
    );
    return {
      feeds: Object.fromEntries(named.map(([name, , type]) => [name, type])),
      state,
      run: (inputs) => run(Object.fromEntries(named.map(([name, feed]) => [feed, inputs[name]!]))),
    };
  });
  return forInference(freezeState(traced, weights), (graph) => evaluator.runSync(graph, new Map()));
}

function encode(graph: Graph, options: Options): Uint8Array {
  return encodeModel(lowerToOnnx(graph, options));
}

async function checkParity(
  context: ShipContext,
  trained: Fitted,
  bytes: Uint8Array,
  file: string,
): Promise<{ parity: ParitySummary; reference: Reference }> {
  const { data, engine, recipe } = context;
  const { validation } = data;
  const n = Math.min(SAMPLES, validation.count);
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  const x = viewOf(validation, rows, { seed: 0, view: 0, augment: [] });
  const shape = [n, ...validation.sampleShape];
  const classes = data.classNames.length;

  const layers = Object.keys(trained.network.layers);
  const reference = async (features: readonly string[]): Promise<Record<string, Float32Array>> => {
    const step = await engine.compile(predictionProgram({ network: trained.network, batchSize: n, features }));
    await step.load(trained.weights);
    const results = Object.entries(await step.run({ x })).map(([name, values]) => [name, values.slice()] as const);
    await step.dispose();
    return Object.fromEntries(results) as Record<string, Float32Array>;
  };
  const exported = async (onnx: Uint8Array): Promise<Record<string, Float32Array>> => {
    const session = new InferenceModel(onnx, file, sessionOptionsOf(recipe));
    const results = await session.run({ input: { data: x, shape } });
    session.dispose();
    return Object.fromEntries(
      Object.entries(results).map(([name, { data: values }]) => [name, values as Float32Array]),
    );
  };

  const [expected, actual] = [(await reference([]))['logits']!, (await exported(bytes))['logits']!];
  const top1Agreement = agreement(classesOf(expected, classes), classesOf(actual, classes));
  const largestError = largestDifference(expected, actual);
  if (top1Agreement >= BUDGET.top1Agreement && largestError <= BUDGET.error * scaleOf(expected)) {
    const parity = { file, samples: n, top1Agreement, largestError };
    return { parity, reference: { x, shape, logits: expected } };
  }
  const [expectedAll, actualAll] = [
    await reference(layers),
    await exported(encode(inferenceGraph(trained, layers), onnxOptions(context))),
  ];
  const diverging = layers.find((layer) => {
    const [a, b] = [expectedAll[layer]!, actualAll[layer]!];
    return largestDifference(a, b) > BUDGET.error * scaleOf(a);
  });
  throw new UserError(
    `${file}: does not answer as the graph it was trained in: same class on ${(100 * top1Agreement).toFixed(2)} % of ${n} samples, ` +
      `largest error of a logit ${largestError.toExponential(2)}; the first layer that differs is ${diverging ?? 'the last one'}`,
    'The file was not written. Please report this with the recipe: an export must not change a model.',
  );
}

export function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    // NaN compares false with everything: it must not pass as no difference.
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

export function scaleOf(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
}
