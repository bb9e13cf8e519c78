import type { TensorData } from '../../graph/types.ts';
import type { TfliteEnd } from './ends.ts';

/** A `.tflite` file ready to run. */
export interface TfliteSession {
  readonly runtime: TfliteRuntime;
  readonly inputs: readonly TfliteEnd[];
  readonly outputs: readonly TfliteEnd[];
  /** Values by input name, in row-major order; results by output name, valid for good. */
  run(feeds: Readonly<Record<string, TensorData>>): Promise<Readonly<Record<string, TensorData>>>;
  dispose(): void;
}

/**
 * - `litert`: Google's LiteRT compiled to WebAssembly, one thread; float32, int32, uint8 and int8 at the ends.
 * - `native`: TensorFlow Lite 2.9 for desktop CPUs with XNNPACK, where the packages `koffi` and `tfjs-tflite-node` are
 *   installed; about three times as fast. Operators that came later are unknown to it.
 */
export type TfliteRuntime = 'litert' | 'native';
