import { UserError } from '../base/errors.ts';
import { importOnnx } from '../formats/onnx/import.ts';
import { lowerToOnnx, outputName } from '../formats/onnx/lower.ts';
import { inOnePiece } from '../formats/onnx/large.ts';
import type { Model } from '../formats/onnx/model.ts';
import { decodeModel, missingFile, onnxContent } from '../formats/onnx/protobuf.ts';
import type { ExternalFile } from '../formats/onnx/protobuf/decode-tensor.ts';
import { refuseNaN } from '../formats/onnx/refuse-nan.ts';
import { withInputShapes } from '../formats/onnx/sizes.ts';
import type { InputShape, InputShapes } from '../formats/onnx/sizes.ts';
import { forInferenceBy } from '../graph/passes/inference/for-inference.ts';
import { trimFilters } from '../graph/passes/inference/trim-filters.ts';
import type { Graph, TensorData } from '../graph/types.ts';
import { noRuntime, openerIn } from './runtime.ts';
import type { OrtModule } from './runtime.ts';

export interface ReadOptions {
  /** Name of the file, for messages. Default `model`. */
  readonly name?: string | undefined;
  /** Files that hold weights of an ONNX model, such as `model.onnx.data`, by the names by which the model refers to them. */
  readonly files?: Readonly<Record<string, Uint8Array>> | undefined;
  /** Shapes of inputs that the file leaves open, by name; `batch` for a number of samples that stays open. */
  readonly shape?: Readonly<Record<string, readonly (number | 'batch')[]>> | undefined;
  /** Numbers that inputs always have, by name. They are no inputs of the new file. */
  readonly fix?: Readonly<Record<string, number>> | undefined;
}

/** Maximum bytes of a file without a data file: protobuf limits a message to 2 GiB. */
const MOST = 2 ** 31 - 1;

/** Format of a file by its first bytes; an ONNX file has no mark of its own. */
export function formatOf(bytes: Uint8Array): 'keras' | 'h5' | 'tflite' | 'onnx' {
  const starts = (text: string, at = 0): boolean =>
    Array.from(text).every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
  if (starts('PK\x03\x04')) return 'keras';
  if (starts('\x89HDF')) return 'h5';
  return starts('TFL3', 4) ? 'tflite' : 'onnx';
}

/** Reads an ONNX or Keras file as an ONNX model. `UserError` for other files, for damaged ones, and for missing weights. */
export async function sourceModel(bytes: Uint8Array, options: ReadOptions): Promise<Model> {
  const { name: file = 'model', files = {}, shape = {}, fix = {} } = options;
  if (bytes.length > MOST)
    throw new UserError(
      `${file}: has ${bytes.length} bytes, expected at most ${MOST}, which a file of a model in one piece can have`,
      'Save the weights beside the model: onnx.save_model(model, path, save_as_external_data=True).',
    );
  const format = formatOf(bytes);
  if (format === 'tflite')
    throw new UserError(
      `${file}: is a TFLite file, which is the end of a conversion`,
      'Convert the ONNX or Keras file that it was made from.',
    );
  const values = Object.entries(fix).map(([name, value]) => [name, { value }] as const);
  const shapes: InputShapes = new Map<string, InputShape>([...Object.entries(shape), ...values]);
  const model =
    format === 'onnx'
      ? readOnnx(bytes, file, files)
      : await (await import('./keras.ts')).readKeras(bytes, file, format === 'keras');
  return withInputShapes(model, shapes, file);
}

function readOnnx(bytes: Uint8Array, file: string, files: Readonly<Record<string, Uint8Array>>): Model {
  const given = new Map(
    Object.entries(files).map(([name, content]): [string, ExternalFile] => [
      name,
      { size: content.length, read: (offset, length) => content.slice(offset, offset + length) },
    ]),
  );
  const missing = missingFile(bytes, given);
  if (missing !== undefined)
    throw new UserError(
      `${file}: its weights are in another file, ${missing}, which was not given`,
      'Give that file too, or save the model as one: onnx.save_model(model, path, save_as_external_data=False).',
    );
  return decodeModel(bytes, file, given);
}

/** The file for a runtime, with the weights that lay beside it: an ONNX file as it is, a model of Keras as ONNX. */
export function sourceFile(bytes: Uint8Array, model: Model, file: string): Uint8Array {
  const isWhole = formatOf(bytes) === 'onnx' && missingFile(bytes, new Map()) === undefined;
  return isWhole ? bytes : inOnePiece(onnxContent(model), file, 'a conversion in memory');
}

/** The inference graph of a model, with what follows from constants computed by the runtime. */
export async function sourceGraph(model: Model, file: string, runtime: OrtModule | undefined): Promise<Graph> {
  const read = await forInferenceBy(importOnnx(model, file), async (part) => {
    if (runtime === undefined)
      throw noRuntime(file, `some of its constants have to be computed (${opsOf(part).join(', ')})`);
    return evaluated(part, runtime);
  });
  const { graph } = trimFilters(read);
  refuseNaN(graph.constants, file);
  return graph;
}

const opsOf = ({ nodes }: Graph): string[] => [...new Set(nodes.map(({ op }) => op))];

/** Results of a graph without inputs. Empty ones, which runtimes refuse, need none. */
async function evaluated(part: Graph, runtime: OrtModule): Promise<ReadonlyMap<string, TensorData>> {
  const model = await openerIn(runtime, true)(onnxContent(lowerToOnnx(part, { exactNaN: true })), 'constants');
  try {
    const results = await model.run({});
    return new Map([...part.outputs.keys()].map((name) => [name, results[outputName(part, name)]!.data]));
  } finally {
    model.dispose();
  }
}
