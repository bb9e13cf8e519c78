import { UserError } from '../../base/errors.ts';
import { memoryText } from '../../base/numbers.ts';
import type { Model } from './model.ts';

/**
 * Maximum bytes of an ONNX file: those of a message of protobuf (protobuf.dev/programming-guides/proto-limits), as which ONNX Runtime is given models.
 * Weights of a larger model are in a file beside it. Tests lower it.
 */
export const ONNX_LIMIT = { bytes: 2 ** 31 - 1 };

/** A model that takes more than a file may have. Its weights are read from the disk where they lie there, each time that they are asked for. */
export class LargeOnnx {
  readonly model: Model;
  /** Bytes of the file and of the weights beside it; of a model that is not written yet, of the weights. */
  readonly length: number;
  /** The file that holds this very model. */
  readonly path: string | undefined;

  constructor(model: Model, length: number, path?: string) {
    this.model = model;
    this.length = length;
    this.path = path;
  }
}

/** Content of an ONNX file. */
export type OnnxContent = Uint8Array | LargeOnnx;

/** The content for a purpose that takes files in one piece. `UserError` for a larger one. */
export function inOnePiece(content: OnnxContent, file: string, purpose: string): Uint8Array {
  if (content instanceof Uint8Array) return content;
  throw new UserError(
    `${file}: takes ${memoryText(content.length)}, and ${purpose} takes models of one file, which has at most ${memoryText(ONNX_LIMIT.bytes)}`,
    'Save its weights in float16, or take a smaller model.',
  );
}
