import { monotonicMs } from '../base/clock.ts';
import { samplesAtOnce } from '../data/batches/at-once.ts';
import { viewOf } from '../data/batches/batches.ts';
import { lowerToOnnx } from '../formats/onnx/lower.ts';
import type { Options } from '../formats/onnx/lower.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { onnxContent } from '../formats/onnx/protobuf.ts';
import { forInference } from '../graph/passes/inference/for-inference.ts';
import { freezeState } from '../graph/passes/constants/freeze-state.ts';
import type { Graph } from '../graph/types.ts';
import { macsOf } from '../graph/macs.ts';
import { networkParameters } from '../networks/network.ts';
import type { Network, Weights } from '../networks/network.ts';
import { fileOf, stageOf } from '../report/artifact.ts';
import type { Artifact, ModelRef } from '../report/artifact.ts';
import type { ParitySummary } from '../report/types.ts';
import { evaluator } from '../runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../runtime/inference.ts';
import { modelFeeds } from '../runtime/feeds.ts';
import { withInt64Inputs } from '../graph/passes/inputs/int64-inputs.ts';
import { traceWithBatch } from '../trace/batch.ts';
import { predictionProgram } from '../train/evaluate/inference.ts';
import { predictions } from '../train/evaluate/predict.ts';
import type { ShipContext } from './context.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import { joinedValues } from '../tasks/fields.ts';
import { taskOf } from '../tasks/registry.ts';
import type { Fitted } from '../train/training.ts';
import { onnxOptions } from './metadata.ts';
import { logitsOfFile } from './model-file.ts';
import type { ModelFile } from './model-file.ts';
import { checkFile, differs } from './parity/check-file.ts';
import type { OutputValues } from '../convert/likeness.ts';
import type { Reference } from './parity/check-file.ts';
import type { MakeFile } from './variant.ts';
import { sizedContent } from '../files/onnx-file.ts';

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
  /** Makes a file like it of another graph. */
  readonly make: MakeFile;
  readonly reference: Reference;
  /** See `ShipContext`. */
  readonly threshold: number | undefined;
}

const SAMPLES = 512;

/** Write a model as fp32 ONNX, after it has given the same answers as the graph it was trained in. */
export async function exportModel(
  whole: ShipContext,
  { model, trained }: TrainedModel,
  write: (file: string, bytes: OnnxContent) => Promise<void>,
): Promise<ExportedModel> {
  const artifact = { model, format: 'onnx', precision: 'fp32' } as const;
  const file = fileOf(artifact);
  whole.onEvent({ type: 'stage', stage: `export ${file}` });
  const start = monotonicMs();
  const graph = inferenceGraph(trained, []);
  const threshold = await thresholdOf(whole, { ...artifact, file, bytes: encode(graph, onnxOptions(whole)) });
  const context = { ...whole, threshold };
  const make: MakeFile = (of, ...as) => ({ bytes: encode(of, onnxOptions(context, ...as)), skipped: [] });
  const bytes = sizedContent(file, make(graph).bytes);
  const reference = await referenceOf(context, trained);
  const made = { file, bytes, format: 'onnx', precision: 'fp32' } as const;
  const parity = await checkFile(context, reference, made, () => firstOfTraining(context, trained, reference, file));
  await write(file, bytes);
  await context.done(`export ${file}`, (monotonicMs() - start) / 1000, { file, sizeBytes: bytes.length });
  const params = networkParameters(trained.network);
  const exported = { ...artifact, stage: stageOf(model), trained, ...made };
  return { ...exported, macs: macsOf(graph), params, parity, graph, make, reference, threshold };
}

/** Score from which the boxes of a file are shown, by its answers to the validation split; undefined for other answers. */
async function thresholdOf(
  { recipe, data: { validation }, processes }: ShipContext,
  file: ModelFile,
): Promise<number | undefined> {
  const { boxes } = taskOf(validation);
  if (boxes === undefined) return undefined;
  const answers = await logitsOfFile(file, validation, { session: sessionOptionsOf(recipe), turns: processes });
  return boxes.threshold(answers, validation.targets);
}

/** Inference graph from the inputs [batch, ...] to the outputs by name and those of the named layers. */
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
  const graph = forInference(freezeState(traced, weights), (part) => evaluator.runSync(part, new Map()));
  const wide = Object.entries(network.inputs).filter(([, { dtype }]) => dtype === 'int64');
  return wide.length === 0 ? graph : withInt64Inputs(graph, new Set(wide.map(([name]) => name)));
}

function encode(graph: Graph, options: Options): OnnxContent {
  return onnxContent(lowerToOnnx(graph, options));
}

/** Outputs of the training graph for the first samples of the validation split. */
async function referenceOf(context: ShipContext, trained: Fitted): Promise<Reference> {
  const { validation } = context.data;
  const n = Math.min(SAMPLES, validation.count);
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  const x = viewOf(validation, rows, { seed: 0, view: 0, augment: [] });
  const { fields, targetWidth } = taskOf(validation);
  const all = await predictions(context.engine, trained, { x, n, inputs: validation.inputs });
  const answers = joinedValues(all, fields, n);
  const rest = Object.entries(all).filter(([name]) => !fields.some((field) => field.name === name));
  const { sampleShape, inputs } = validation;
  const others = rest.map(([name, data]): [string, OutputValues] => {
    const { dtype, shape } = trained.network.outputs[name]!;
    return [name, { data, shape: [n, ...shape.slice(1).map(Number)], isInteger: dtype !== 'float32' }];
  });
  const targets = validation.targets.slice(0, n * targetWidth);
  return { x, shape: [n, ...sampleShape], inputs, answers, others: Object.fromEntries(others), targets };
}

/** The first layer that the exported graph computes otherwise than the training graph. */
async function firstOfTraining(
  context: ShipContext,
  trained: Fitted,
  reference: Reference,
  file: string,
): Promise<string | undefined> {
  // Every layer of every sample is kept: of few samples where they are large.
  const n = samplesAtOnce(reference.shape.slice(1), reference.shape[0]!);
  const shape = [n, ...reference.shape.slice(1)];
  const x = reference.x.subarray(0, (reference.x.length / reference.shape[0]!) * n);
  const layers = Object.keys(trained.network.layers);
  const bytes = encode(inferenceGraph(trained, layers), onnxOptions(context));
  const session = new InferenceModel(bytes, file, sessionOptionsOf(context.recipe));
  const actual = await session.run(modelFeeds(session, x, shape, reference.inputs));
  session.dispose();
  const expected = await predictions(
    context.engine,
    { ...trained, features: layers },
    { x, n, inputs: reference.inputs },
  );
  return layers.find((name) => differs(expected[name]!, actual[name]!.data as Float32Array, 'fp32'));
}
