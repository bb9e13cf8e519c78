import { monotonicMs } from '../../base/clock.ts';
import { viewOf } from '../../data/batches.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import type { Options } from '../../formats/onnx/lower.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { forInference } from '../../graph/passes/for-inference.ts';
import { freezeState } from '../../graph/passes/freeze-state.ts';
import type { Graph } from '../../graph/types.ts';
import { macsOf } from '../../graph/macs.ts';
import { modelInfo } from '../../models/info.ts';
import type { ParitySummary } from '../../report/types.ts';
import { evaluator } from '../../runtime/evaluator.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import { traceWithBatch } from '../../trace/batch.ts';
import { predictionProgram } from '../../train/step.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../engine.ts';
import type { Fitted } from '../fit.ts';
import { onnxOptions } from '../metadata.ts';
import type { ModelFile } from '../model-file.ts';
import { checkFile, differs } from './parity.ts';
import type { Diverging, Reference } from './parity.ts';

export interface TrainedModel {
  readonly id: string;
  readonly repeat: number;
  readonly trained: Fitted;
}

export interface ExportedModel extends TrainedModel, ModelFile {
  readonly macs: number;
  readonly params: number;
  readonly parity: ParitySummary;
  /** The inference graph that the file was written from. */
  readonly graph: Graph;
  readonly reference: Reference;
  /** The stage that made its weights, where it is not the one its id tells. */
  readonly stage?: string;
}

const SAMPLES = 512;

/** Write a model as fp32 ONNX, after it has given the same answers as the graph it was trained in. */
export async function exportModel(
  context: StageContext,
  model: TrainedModel,
  write: (file: string, bytes: Uint8Array) => Promise<void>,
): Promise<ExportedModel> {
  const { id, repeat, trained } = model;
  // A teacher is a tool of the run, not a result of it: it lies apart from what ships.
  const file = id === 'teacher' ? 'teacher.onnx' : `exports/${id}${repeat === 0 ? '' : `-${repeat + 1}`}.onnx`;
  context.onEvent({ type: 'stage', stage: `export ${file}` });
  const start = monotonicMs();
  const graph = inferenceGraph(trained, []);
  const bytes = encode(graph, onnxOptions(context));
  const reference = await referenceOf(context, trained);
  const made = { file, bytes, format: 'onnx', precision: 'fp32' } as const;
  const parity = await checkFile(context, reference, made, () => firstOfTraining(context, trained, reference, file));
  await write(file, bytes);
  await context.done(`export ${file}`, (monotonicMs() - start) / 1000, { file, sizeBytes: bytes.length });
  const params = modelInfo(trained.model).parameters;
  return { ...model, ...made, macs: macsOf(graph), params, parity, graph, reference };
}

/** From `input` [batch, ...sampleShape] to `logits` [batch, classes] and the outputs of the layers named. */
export function inferenceGraph(
  { model, weights }: Pick<Fitted, 'model' | 'weights'>,
  features: readonly string[],
): Graph {
  const traced = traceWithBatch((batchSize) => {
    const { feeds, state, run } = predictionProgram({ model, batchSize, features });
    return { feeds: { input: feeds['x']! }, state, run: ({ input }) => run({ x: input! }) };
  });
  return forInference(freezeState(traced, weights), (graph) => evaluator.runSync(graph, new Map()));
}

function encode(graph: Graph, options: Options): Uint8Array {
  return encodeModel(lowerToOnnx(graph, options));
}

/** What the training graph says of the first samples of the validation split. */
async function referenceOf(context: StageContext, trained: Fitted): Promise<Reference> {
  const { validation } = context.data;
  const n = Math.min(SAMPLES, validation.count);
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  const x = viewOf(validation, rows, { seed: 0, view: 0, augment: [] });
  const { logits } = await asTrained(context, trained, x, n, []);
  return { x, shape: [n, ...validation.sampleShape], logits: logits!, labels: validation.labels.slice(0, n) };
}

async function asTrained(
  { engine }: StageContext,
  { model, weights }: Fitted,
  x: Float32Array,
  n: number,
  features: readonly string[],
): Promise<Record<string, Float32Array>> {
  const step = await engine.compile(predictionProgram({ model, batchSize: n, features }));
  await step.load(weights);
  const results = Object.entries(await step.run({ x })).map(([name, values]) => [name, values.slice()] as const);
  await step.dispose();
  return Object.fromEntries(results) as Record<string, Float32Array>;
}

/** The first layer that the exported graph computes otherwise than the training graph. */
async function firstOfTraining(
  context: StageContext,
  trained: Fitted,
  { x, shape }: Reference,
  file: string,
): Promise<Diverging> {
  const ends = new Set([...trained.model.inputLayers, ...trained.model.outputLayers].map(({ name }) => name));
  const layers = modelInfo(trained.model).outputs.flatMap(({ name }) => (ends.has(name) ? [] : [name]));
  const bytes = encode(inferenceGraph(trained, layers), onnxOptions(context));
  const session = new InferenceModel(bytes, file, sessionOptionsOf(context.recipe));
  const actual = await session.run({ input: { data: x, shape } });
  session.dispose();
  const expected = await asTrained(context, trained, x, shape[0]!, layers);
  const layer = layers.find((name) => differs(expected[name]!, actual[name]!.data as Float32Array, 'fp32'));
  return { layer, cause: '' };
}
