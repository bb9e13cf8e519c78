import type { TensorData } from '../../graph/types.ts';
import type { TfliteEnd } from './ends.ts';

/** An opened `.tflite` file. */
export interface TfliteSession {
  readonly runtime: TfliteRuntime;
  readonly inputs: readonly TfliteEnd[];
  readonly outputs: readonly TfliteEnd[];
  /** Runs the model. Values by input name, in row-major order; results by output name, which stay valid. */
  run(feeds: Readonly<Record<string, TensorData>>): Promise<Readonly<Record<string, TensorData>>>;
  dispose(): void;
}

/**
 * - `litert`: Google's LiteRT compiled to WebAssembly, one thread; float32, int32, uint8 and int8 inputs and outputs.
 * - `native`: TensorFlow Lite 2.9 for desktop CPUs with XNNPACK, if the packages `koffi` and `tfjs-tflite-node` are
 * installed; about three times as fast. It lacks newer operators.
 */
export type TfliteRuntime = 'litert' | 'native';
