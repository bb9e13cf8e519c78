import { UserError } from '../base/errors.ts';
import { readTflite } from '../formats/tflite/read.ts';
import type { TensorData } from '../graph/types.ts';
import { modelEnds } from './litert/ends.ts';
import type { End } from './litert/ends.ts';
import { openNative } from './litert/native.ts';
import { openWasm } from './litert/wasm.ts';

export type { End } from './litert/ends.ts';

/** A `.tflite` file ready to run. */
export interface TfliteSession {
  readonly runtime: TfliteRuntime;
  readonly inputs: readonly End[];
  readonly outputs: readonly End[];
  /** Values by input name, in row-major order; results by output name, valid for good. */
  run(feeds: Readonly<Record<string, TensorData>>): Promise<Readonly<Record<string, TensorData>>>;
  dispose(): void;
}

/**
 * - `litert`: Google's LiteRT compiled to WebAssembly, one thread; float32, int32 and uint8 at the ends.
 * - `native`: TensorFlow Lite 2.9 for desktop CPUs with XNNPACK, where the packages `koffi` and `tfjs-tflite-node` are
 *   installed; about three times as fast. Operators that came later are unknown to it.
 */
export type TfliteRuntime = 'litert' | 'native';

export interface OpenOptions {
  readonly runtime?: TfliteRuntime;
  /** 1 by default. */
  readonly threads?: number;
}

/** Throws a `UserError` for a file that is none, and for a model that the runtime cannot run. */
export async function openTflite(bytes: Uint8Array, options: OpenOptions = {}): Promise<TfliteSession> {
  const { runtime = 'litert', threads = 1 } = options;
  const ends = modelEnds(readTflite(bytes));
  if (runtime === 'native') return openNative(bytes, ends, threads);
  if (threads !== 1)
    throw new UserError(`litert runs on 1 thread in Node, received ${threads}`, 'Use the native runtime for more.');
  return openWasm(bytes, ends);
}
