import { fstatSync, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { readBytes, requireFile } from '../base/files.ts';
import type { FileContent } from '../base/files.ts';
import { writeWholeFile } from '../base/folders/whole-folder.ts';
import { memoryText } from '../base/process/memory.ts';
import { withInputShapes } from '../formats/onnx/sizes.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import { LargeOnnx, ONNX_LIMIT } from '../formats/onnx/large.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { tensorBytes } from '../formats/onnx/model.ts';
import { decodeModel, onnxContent, externalValues, missingFile, separated } from '../formats/onnx/protobuf.ts';
import type { ExternalFile } from '../formats/onnx/protobuf/decode-tensor.ts';
import { OpenFile } from '../data/storage/sample-storage.ts';
import { withoutSoftmax } from '../formats/onnx/rewrite/without-softmax.ts';
import type { Model } from '../formats/onnx/model.ts';
import { findBeside } from './beside.ts';
import { isKerasFile } from './keras-names.ts';
import { isModel2vecFile } from './model2vec-names.ts';

/** Formats that are read as ONNX models. */
const READ_AS_ONNX: readonly {
  readonly isFile: (file: string) => boolean;
  readonly read: (file: string) => Promise<Model>;
}[] = [
  { isFile: isOfKeras, read: async (file) => (await import('./keras-file.ts')).readKeras(file) },
  { isFile: isModel2vecFile, read: async (file) => (await import('./model2vec-file.ts')).model2vecOnnx(file) },
];

const AS_ONE = 'onnx.save_model(model, path, save_as_external_data=False)';

/**
 * Reads an ONNX model. PyTorch's exporter writes weights to `model.onnx.data` beside `model.onnx`; they are merged where one file may hold them, so
 * that no other code, such as hashes of teachers, deals with two files. A file of Keras or of model2vec becomes an ONNX model. `shapes`: of inputs that
 * it leaves open.
 */
export async function readOnnx(file: string, shapes: InputShapes = new Map()): Promise<OnnxContent> {
  for (const { isFile, read } of READ_AS_ONNX)
    if (isFile(file)) return onnxContent(withInputShapes(await read(file), shapes, file));
  const { bytes, files, size } = await onnxParts(file);
  if (files.size === 0 && shapes.size === 0) return bytes;
  const stored = decodeModel(bytes, file, files);
  for (const tensor of stored.graph.initializers)
    refuseLarge(`${file}: its tensor ${tensor.name}`, tensorBytes(tensor), 'which a tensor can have');
  const model = withInputShapes(stored, shapes, file);
  const content = onnxContent(model);
  return content instanceof LargeOnnx ? new LargeOnnx(model, size, model === stored ? file : undefined) : content;
}

/** Reads a model file: one of ONNX as `readOnnx` does. */
export async function readModelFile(file: string): Promise<OnnxContent> {
  return path.extname(file).toLowerCase() === '.onnx' ? readOnnx(file) : readBytes(file);
}

/** The files of an ONNX model by name, which are written together: the weights of a large one are in NAME.data beside it. */
export function onnxFiles(name: string, content: OnnxContent): Map<string, FileContent & { readonly length: number }> {
  if (content instanceof Uint8Array) return new Map([[name, content]]);
  const data = `${name}.data`;
  const made = separated(content, path.basename(data));
  // In this order, so that a model lies nowhere without its weights.
  return new Map<string, FileContent & { readonly length: number }>([
    [data, { length: made.length, [Symbol.iterator]: () => externalValues(made) }],
    [name, made.bytes],
  ]);
}

/** The content with the number of bytes that it takes under this name, which is in a large model. */
export function sizedContent(name: string, content: OnnxContent): OnnxContent {
  if (content instanceof Uint8Array) return content;
  return new LargeOnnx(content.model, bytesIn(onnxFiles(name, content)));
}

function bytesIn(files: ReadonlyMap<string, { readonly length: number }>): number {
  return [...files.values()].reduce((sum, { length }) => sum + length, 0);
}

/** Writes a model with what lies beside it, all or nothing, by `writeWholeFile`. Returns the bytes of the model and its weights. */
export async function writeModel(
  file: string,
  content: OnnxContent,
  beside: ReadonlyMap<string, FileContent> = new Map(),
): Promise<number> {
  const name = path.basename(file);
  const files = onnxFiles(name, content);
  await writeWholeFile(file, files.get(name)!, new Map<string, FileContent>([...files, ...beside]));
  return bytesIn(files);
}

/** True for files that `readOnnx` reads as files of Keras; of a model.json only that of Keras 3 gets there. */
function isOfKeras(file: string): boolean {
  return isKerasFile(file) || file.endsWith('.json');
}

/** A model to train. One that ends in a softmax answers with the logits, as `notes` say. `output`: default the only one. */
export function trainableModel(
  model: Model,
  file: string,
  output?: string,
): { readonly model: Model; readonly notes: readonly string[] } {
  const logits = withoutSoftmax(model, output);
  return {
    model: logits,
    notes: logits === model ? [] : [`${file}: is trained by its logits, without the softmax at its end`],
  };
}

/** Reads an ONNX file, and opens the files beside it that hold its weights, by name. */
export async function onnxParts(file: string) {
  await requireFile(file);
  let { size } = await stat(file);
  refuseLarge(file, size, 'which a model in one piece can have');
  const bytes = await readBytes(file);
  const files = new Map<string, ExternalFile>();
  for (let name = missingFile(bytes, files); name !== undefined; name = missingFile(bytes, files)) {
    const beside = await findBeside(file, name, AS_ONE);
    await requireFile(beside);
    const opened = openExternal(beside);
    size += opened.size;
    files.set(name, opened);
  }
  return { bytes, files, size };
}

function openExternal(file: string): ExternalFile {
  const open = new OpenFile(openSync(file, 'r'));
  return {
    size: fstatSync(open.descriptor).size,
    read: (offset, length) => {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const read = readSync(open.descriptor, bytes, at, length - at, offset + at);
        if (read === 0)
          throw new UserError(
            `${file}: ends at byte ${offset + at}, where it had weights when it was opened`,
            'Leave the files of a model as they are while they are in use, and start again.',
          );
        at += read;
      }
      return bytes;
    },
  };
}

function refuseLarge(what: string, size: number, can: string): void {
  // A limit lowered for a test is for models.
  const most = Math.max(ONNX_LIMIT.bytes, 2 ** 30);
  if (size <= most) return;
  throw new UserError(
    `${what}: takes ${memoryText(size)}, expected at most ${memoryText(most)}, ${can}`,
    'Save the weights beside the model: onnx.save_model(model, path, save_as_external_data=True).',
  );
}
