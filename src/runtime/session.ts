import { createRequire } from 'node:module';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import type { DType, TensorData } from '../graph/types.ts';

/** The part of onnxruntime-node's own binding that we use: it runs at once, where the public `run` waits a turn. */
interface NativeSession {
  loadModel(bytes: ArrayBufferLike, offset: number, length: number, options: ort.InferenceSession.SessionOptions): void;
  run(
    feeds: Readonly<Record<string, ort.Tensor>>,
    fetches: Readonly<Record<string, ort.Tensor | null>>,
    options: ort.InferenceSession.RunOptions,
  ): Readonly<Record<string, ort.Tensor>>;
  readonly inputMetadata: readonly NativeValue[];
  readonly outputMetadata: readonly NativeValue[];
  dispose(): void;
}

interface NativeValue {
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

function nativeBinding(): Binding {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  const found = require('onnxruntime-node/dist/binding.js') as Partial<Binding>;
  if (typeof found.binding?.InferenceSession !== 'function' || typeof found.initOrt !== 'function')
    throw new Error('onnxruntime-node has no binding of the known form: this version of it is not supported');
  // What fails is thrown; the library's own log would write to the terminal.
  ort.env.logLevel = 'fatal';
  found.initOrt();
  return (loaded = found as Binding);
}

export type SessionOptions = ort.InferenceSession.SessionOptions;
export type Tensor = ort.Tensor;

/** A loaded ONNX model. Calls block until the result is there. */
export class Session {
  readonly #native: NativeSession;
  #disposed = false;

  constructor(bytes: Uint8Array, options: SessionOptions) {
    const { binding } = nativeBinding();
    this.#native = new binding.InferenceSession();
    this.#native.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, options);
  }

  get inputs(): readonly NativeValue[] {
    return this.#native.inputMetadata;
  }

  get outputs(): readonly NativeValue[] {
    return this.#native.outputMetadata;
  }

  /** A tensor in `fetches` is filled in place; null makes a new one. */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: Readonly<Record<string, Tensor | null>>,
  ): Readonly<Record<string, Tensor>> {
    if (this.#disposed) throw new Error('the session is disposed');
    return this.#native.run(feeds, fetches, {});
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#native.dispose();
  }
}

type Half = new (buffer: ArrayBufferLike, offset: number, length: number) => ArrayBufferView;

/** A tensor over `data`, without a copy. Where JavaScript has a Float16Array, onnxruntime wants that for float16. */
export function ortTensor(dtype: DType, data: TensorData, dims: readonly number[]): Tensor {
  const Half = (globalThis as { Float16Array?: Half }).Float16Array;
  const view = dtype === 'float16' && Half ? new Half(data.buffer, data.byteOffset, data.length) : data;
  return new ort.Tensor(dtype, view as Float32Array, dims);
}

/** The elements of a result; float16 as bits. */
export function tensorValues({ data }: Tensor): TensorData {
  const view = data as unknown as TensorData;
  if (view.constructor.name !== 'Float16Array') return view;
  return new Uint16Array(view.buffer, view.byteOffset, view.length);
}

const arrays = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

export function allocate(dtype: DType, elements: number): TensorData {
  return new arrays[dtype](elements);
}

/** Whether `data` is the kind of array that holds `dtype`. */
export function holds(dtype: DType, data: TensorData): boolean {
  return data instanceof arrays[dtype];
}

/** Where onnxruntime-node's libraries for this machine lie. */
export function nativeFolder(): string {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  return path.join(path.dirname(main), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

export function listBundledBackends(): readonly { readonly name: string; readonly bundled: boolean }[] {
  return ort.listSupportedBackends();
}
