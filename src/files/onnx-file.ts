import { clipped, UserError } from '../base/errors.ts';
import { exists, readBytes } from '../base/files.ts';
import { fileBeside } from '../base/inside.ts';
import { withInputShapes } from '../formats/onnx/sizes.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import { decodeModel, encodeModel, missingFile } from '../formats/onnx/protobuf.ts';

/**
 * The bytes of an ONNX model as one file. PyTorch's exporter writes the weights to `model.onnx.data` beside `model.onnx`;
 * they are put back, so that nothing behind here, hashes of teachers included, needs to know of two files. `shapes`: of inputs that it leaves open.
 */
export async function readOnnx(file: string, shapes: InputShapes = new Map()): Promise<Uint8Array> {
  const { bytes, files } = await onnxParts(file);
  if (files.size === 0 && shapes.size === 0) return bytes;
  return encodeModel(withInputShapes(decodeModel(bytes, file, files), shapes, file));
}

/** The bytes of an ONNX file, and of the files beside it that hold its weights, by their names there. */
export async function onnxParts(
  file: string,
): Promise<{ readonly bytes: Uint8Array; readonly files: ReadonlyMap<string, Uint8Array> }> {
  const bytes = await readBytes(file);
  const files = new Map<string, Uint8Array>();
  for (let name = missingFile(bytes, files); name !== undefined; name = missingFile(bytes, files)) {
    files.set(name, await readBeside(file, name));
  }
  return { bytes, files };
}

async function readBeside(file: string, name: string): Promise<Uint8Array> {
  const target = await fileBeside(file, name);
  if (target === undefined) {
    throw new UserError(
      `${file}: its weights are in ${clipped(name)}, outside the folder of the model`,
      'Save the model as one file: onnx.save_model(model, path, save_as_external_data=False).',
    );
  }
  if (!(await exists(target))) {
    throw new UserError(
      `${file}: its weights are in another file, ${clipped(name)}, which is not there`,
      'Copy that file beside the model, or save the model as one: onnx.save_model(model, path, save_as_external_data=False).',
    );
  }
  return readBytes(target);
}
