import { createRequire } from 'node:module';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { preventTelemetry } from '../../base/process/environment.ts';
import type { SessionOptions } from './session-options.ts';

/** The used part of onnxruntime-node's native binding, which is synchronous; the public `run` is not. */
export interface NativeSession {
  loadModel(path: string, options: SessionOptions): void;
  loadModel(bytes: ArrayBufferLike, offset: number, length: number, options: SessionOptions): void;
  run(
    feeds: Readonly<Record<string, ort.Tensor>>,
    fetches: Readonly<Record<string, ort.Tensor | null>>,
    options: ort.InferenceSession.RunOptions,
  ): Readonly<Record<string, ort.Tensor>>;
  readonly inputMetadata: readonly NativeValue[];
  readonly outputMetadata: readonly NativeValue[];
  dispose(): void;
}

export interface NativeValue {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: number;
  readonly shape: readonly number[];
  readonly symbolicDimensions: readonly string[];
}

interface Binding {
  readonly binding: { readonly InferenceSession: new () => NativeSession };
  initOrt(): void;
}

let loaded: Binding | undefined;

export function nativeBinding(): Binding {
  if (loaded !== undefined) return loaded;
  preventTelemetry();
  const require = createRequire(import.meta.url);
  const found = require('onnxruntime-node/dist/binding.js') as Partial<Binding>;
  if (typeof found.binding?.InferenceSession !== 'function' || typeof found.initOrt !== 'function')
    throw new Error('onnxruntime-node has no binding of the known form: this version of it is not supported');
  // Failures are thrown; the library's own log would go to the terminal.
  ort.env.logLevel = 'fatal';
  found.initOrt();
  return (loaded = found as Binding);
}

export type Tensor = ort.Tensor;

/** A tensor over `data`, whose typed array must match `type`. */
export function makeTensor(type: ort.Tensor.Type, data: ArrayBufferView, dims: readonly number[]): Tensor {
  return new ort.Tensor(type, data as Float32Array, dims);
}

/** Folder of onnxruntime-node's libraries for this machine. */
export function nativeFolder(): string {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  return path.join(path.dirname(main), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

export function listBundledBackends(): readonly { readonly name: string; readonly bundled: boolean }[] {
  preventTelemetry();
  return ort.listSupportedBackends();
}
