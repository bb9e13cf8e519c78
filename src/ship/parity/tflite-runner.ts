import { inOnePiece } from '../../formats/onnx/large.ts';
import { openTflite } from '../../runtime/litert.ts';
import type { ModelFile } from '../model-file.ts';
import type { FileRunner } from './file-runner.ts';
import { rowsRunner } from './tflite-rows.ts';

/** The file in LiteRT. */
export async function tfliteRunner({ file, bytes }: Pick<ModelFile, 'file' | 'bytes'>): Promise<FileRunner> {
  return rowsRunner(await openTflite(inOnePiece(bytes, file, 'TFLite')));
}
