import { stat } from 'node:fs/promises';
import { clipped, UserError } from '../base/errors.ts';
import { readBytes, requireFile } from '../base/files.ts';
import { memoryText } from '../base/process/memory.ts';
import { withInputShapes } from '../formats/onnx/sizes.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import { decodeModel, encodeModel, missingFile, MOST_ONNX_BYTES } from '../formats/onnx/protobuf.ts';
import { withoutSoftmax } from '../formats/keras/logits.ts';
import type { Model } from '../formats/onnx/model.ts';
import { findBeside } from './beside.ts';
import { isKerasFile, readKeras } from './keras-file.ts';
import { isModel2vecFile, model2vecOnnx } from './model2vec-file.ts';

const AS_ONE = 'onnx.save_model(model, path, save_as_external_data=False)';

/**
 * Reads an ONNX model as one file. PyTorch's exporter writes weights to `model.onnx.data` beside `model.onnx`; they are merged, so that no other
 * code, such as hashes of teachers, deals with two files. A file of Keras or of model2vec becomes an ONNX model. `shapes`: of inputs that it leaves open.
 */
export async function readOnnx(file: string, shapes: InputShapes = new Map()): Promise<Uint8Array> {
  if (isOfKeras(file)) return encodeModel(withInputShapes(await readKeras(file), shapes, file));
  if (isModel2vecFile(file)) return encodeModel(withInputShapes(await model2vecOnnx(file), shapes, file));
  const { bytes, files } = await onnxParts(file);
  if (files.size === 0 && shapes.size === 0) return bytes;
  return encodeModel(withInputShapes(decodeModel(bytes, file, files), shapes, file));
}

/** True for files that `readOnnx` reads as files of Keras; of a model.json only that of Keras 3 gets there. */
function isOfKeras(file: string): boolean {
  return isKerasFile(file) || file.endsWith('.json');
}

/** A model to train. One of Keras that ends in a softmax answers with the logits, as `notes` say. */
export function trainableModel(
  model: Model,
  file: string,
): { readonly model: Model; readonly notes: readonly string[] } {
  const logits = isOfKeras(file) ? withoutSoftmax(model) : model;
  return {
    model: logits,
    notes: logits === model ? [] : [`${file}: is trained by its logits, without the softmax at its end`],
  };
}

/** Reads an ONNX file, and the files beside it that hold its weights, by name. */
export async function onnxParts(
  file: string,
): Promise<{ readonly bytes: Uint8Array; readonly files: ReadonlyMap<string, Uint8Array> }> {
  await requireFile(file);
  let { size } = await stat(file);
  refuseLarge(file, size);
  const bytes = await readBytes(file);
  const files = new Map<string, Uint8Array>();
  for (let name = missingFile(bytes, files); name !== undefined; name = missingFile(bytes, files)) {
    const beside = await findBeside(file, name, AS_ONE);
    size += (await stat(beside)).size;
    refuseLarge(file, size, ` with its weights in ${clipped(name)}`);
    files.set(name, await readBytes(beside));
  }
  return { bytes, files };
}

function refuseLarge(file: string, size: number, parts = ''): void {
  if (size <= MOST_ONNX_BYTES) return;
  throw new UserError(
    `${file}: takes ${memoryText(size)}${parts}, expected at most ${memoryText(MOST_ONNX_BYTES)}, which a model in one piece can have`,
    'Save its weights in float16, or take a smaller model.',
  );
}
