import { atFile, UserError } from '../base/errors.ts';
import { readTflite } from '../formats/tflite/read.ts';
import { wrongInTensorflow29 } from '../formats/tflite/runtime.ts';
import { modelEnds } from './litert/ends.ts';
import type { TfliteEnds } from './litert/ends.ts';
import type { TfliteRuntime, TfliteSession } from './litert/session.ts';
import { openNative } from './litert/native.ts';
import { openWasm } from './litert/wasm.ts';

export { fromStored, modelEnds, toStored } from './litert/ends.ts';
export type { TfliteEnd } from './litert/ends.ts';
export type { TfliteRuntime, TfliteSession } from './litert/session.ts';

export interface TfliteOpenOptions {
  /** Default: litert, or native for a file of more than 512 MiB. */
  readonly runtime?: TfliteRuntime;
  /** Default 1. */
  readonly threads?: number;
  /** Name for messages, such as the path of the file. */
  readonly name?: string;
}

/** Inputs and outputs of a file; `name` is for errors. */
export function endsOfFile(bytes: Uint8Array, name?: string): TfliteEnds {
  return atFile(name, () => modelEnds(readTflite(bytes)));
}

/** Bytes of a file above which the native library runs it: LiteRT for WebAssembly cannot prepare a matrix of more, nor two such files. */
const MOST_IN_WASM = 2 ** 29;

/** Opens a TFLite file. `UserError` for an invalid file, and for a model that the runtime cannot run or would compute wrongly. */
export async function openTflite(bytes: Uint8Array, options: TfliteOpenOptions = {}): Promise<TfliteSession> {
  const { runtime = bytes.length > MOST_IN_WASM ? 'native' : 'litert', threads = 1, name } = options;
  const ends = endsOfFile(bytes, name);
  if (runtime === 'native') {
    const problem = wrongInTensorflow29(readTflite(bytes));
    if (problem === undefined) return openNative(bytes, ends, threads);
    throw new UserError(`TensorFlow Lite 2.9 cannot run the model: ${problem}`, 'Use the litert runtime.');
  }
  if (threads !== 1)
    throw new UserError(`litert runs on 1 thread in Node, received ${threads}`, 'Use the native runtime for more.');
  return openWasm(bytes, ends);
}

/**
 * The native library is about ten times as fast as LiteRT's WebAssembly, which matters for a whole split; LiteRT is used if the library is not
 * installed or lacks an operator. Their outputs differ by rounding.
 */
export async function openFastestTflite(bytes: Uint8Array, name?: string): Promise<TfliteSession> {
  try {
    return await openTflite(bytes, { runtime: 'native', ...(name !== undefined && { name }) });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return openTflite(bytes, name === undefined ? {} : { name });
  }
}
