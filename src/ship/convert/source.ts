import { stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { asUserError } from '../../base/files.ts';
import { isReadAsOnnx } from '../../files/as-onnx.ts';
import { readOnnx } from '../../files/onnx-file.ts';
import { loadTfjsModel } from '../../files/tfjs-file.ts';
import { refuseStream } from '../../files/stated.ts';
import { importOnnx } from '../../formats/onnx/import.ts';
import type { InputShapes } from '../../formats/onnx/sizes.ts';
import type { Model } from '../../formats/onnx/model.ts';
import { decodeModel } from '../../formats/onnx/protobuf.ts';
import { forInference } from '../../graph/passes/inference/for-inference.ts';
import { trimFilters } from '../../graph/passes/inference/trim-filters.ts';
import type { Constant, Graph } from '../../graph/types.ts';
import { layersNetwork } from '../../networks/layers/layers.ts';
import { refuseNaN } from '../../formats/onnx/refuse-nan.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { evaluator } from '../../runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../trace/use.ts';
import { exportedModel } from '../../folder/report/finished.ts';
import { storedRecipe } from '../../folder/folder.ts';
import { inferenceGraph } from '../export.ts';

/** A float model to write in another form. */
export interface ConvertSource {
  readonly file: string;
  readonly graph: Graph;
  readonly metadata: ReadonlyMap<string, string>;
  /** Recipe of the run that the model comes from. */
  readonly recipe?: LoadedRecipe;
  /** Inputs of the file that have a value, and are none of the graph. */
  readonly fixed?: InputShapes;
}

/** The model of a run, an ONNX file or a tfjs layers model, as an inference graph; `shapes`: of inputs that an ONNX file leaves open. */
export async function openSource(
  from: string,
  model: string | undefined,
  shapes: InputShapes = new Map(),
): Promise<ConvertSource> {
  const found = await stat(from).catch((error: unknown) => {
    throw asUserError(error, from, 'read');
  });
  if (found.isDirectory()) {
    const { row, file } = await exportedModel(from, model);
    if (row.format !== 'onnx' || row.precision !== 'fp32')
      throw new UserError(
        `--model: expected a float32 ONNX model of the run, received ${row.id}`,
        'Name it as the report does, e.g. distilled.',
      );
    return { ...(await onnxSource(file)), recipe: await storedRecipe(from) };
  }
  if (await isReadAsOnnx(from)) return onnxSource(from, shapes);
  if (from.endsWith('.json')) return tfjsSource(from);
  throw new UserError(
    `--from: expected the folder of a run, an .onnx, .keras or .h5 file or a model.json, received ${path.basename(from)}`,
    'Name one of those.',
  );
}

async function onnxSource(file: string, shapes: InputShapes = new Map()): Promise<ConvertSource> {
  // A value for each sample needs the number of samples.
  const fixed = [...shapes.values()].some((shape) => 'value' in shape) ? shapes : new Map();
  const model = decodeModel(await readOnnx(file, shapes), file);
  refuseStream(file, model.metadata);
  const source = onnxGraph(model, file);
  return { ...source, graph: withOwnConstants(source.graph), fixed };
}

/** The graph with constants that are no views of the file's bytes: weights that lie at odd places were copied already, and both would stay in memory. */
function withOwnConstants(graph: Graph): Graph {
  const constants = [...graph.constants].map(([name, constant]) => {
    const { data } = constant;
    return [name, data.buffer.byteLength === data.byteLength ? constant : { ...constant, data: data.slice() }] as const;
  });
  return { ...graph, constants: new Map(constants) };
}

/** The inference graph of an ONNX model, with what follows from constants computed. */
export function onnxGraph(model: Model, file: string): ConvertSource {
  const read = forInference(importOnnx(model, file), (part) => evaluator.runSync(part, new Map()));
  const { graph } = trimFilters(read);
  refuseNaN(graph.constants, file);
  return { file, graph, metadata: model.metadata };
}

async function tfjsSource(file: string): Promise<ConvertSource> {
  useLazyBackend(evaluator);
  const model = await loadTfjsModel(file);
  if (model.inputs.length !== 1 || model.outputs.length !== 1)
    throw new UserError(
      `${file}: expected a tfjs model of one input and one output, received ${model.inputs.length} and ${model.outputs.length}`,
      'Save each head as a model of its own, or convert what it was made from to ONNX.',
    );
  const network = layersNetwork(model);
  const weights = new Map<string, Constant>();
  for (const [name, variable] of Object.entries(network.state)) {
    const data = (await variable.data()) as Float32Array;
    weights.set(name, { type: { dtype: 'float32', shape: variable.shape }, data });
  }
  return { file, graph: inferenceGraph({ network, weights }, []), metadata: new Map() };
}
