import { LargeOnnx } from '../../formats/onnx/large.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';
import { separated } from '../../formats/onnx/protobuf.ts';
import type { DType, TensorData } from '../../graph/types.ts';
import { WITHOUT_PAD_FUSION } from '../../formats/onnx/pad-fusion.ts';
import { arrays } from '../../graph/arrays.ts';
import type { NativeSession, NativeValue, Tensor } from './binding.ts';
import { makeTensor, nativeBinding } from './binding.ts';
import type { SessionOptions } from './session-options.ts';

export { listBundledBackends, nativeFolder } from './binding.ts';
export type { Tensor } from './binding.ts';
export type { SessionOptions } from './session-options.ts';

/** A loaded ONNX model. Calls block until the result is ready. */
export class OnnxSession {
  readonly #native: NativeSession;
  #disposed = false;

  /** `model`: its content, or the path of a file, which ONNX Runtime then reads itself: a large model is in memory once, not twice. */
  constructor(model: OnnxContent | string, options: SessionOptions) {
    const { binding } = nativeBinding();
    this.#native = new binding.InferenceSession();
    const path = model instanceof LargeOnnx ? model.path : model;
    if (typeof path === 'string') {
      this.#native.loadModel(path, withoutPadFusion(options));
      return;
    }
    const [bytes, asked] = model instanceof LargeOnnx ? inPartsOf(model, options) : [model as Uint8Array, options];
    this.#native.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, checkedOptions(bytes, asked));
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  get inputs(): readonly NativeValue[] {
    return this.#native.inputMetadata;
  }

  get outputs(): readonly NativeValue[] {
    return this.#native.outputMetadata;
  }

  /** Runs the model. A tensor in `fetches` is filled in place; null creates a new one. */
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

/** A large model that lies in no file: each of its large tensors is handed over as the content of a file of its own. */
function inPartsOf(model: LargeOnnx, options: SessionOptions): [Uint8Array, SessionOptions] {
  const { bytes, places } = separated(model);
  const externalData = Array.from(places, ([tensor, { location }]) => ({ path: location, data: tensor.raw }));
  return [bytes, { ...options, externalData }];
}

/** Op types of nodes as protobuf writes them: the field, the length, the letters. */
const [PAD, MAX_POOL] = ['Pad', 'MaxPool'].map((op) => Buffer.from(`\x22${String.fromCodePoint(op.length)}${op}`)) as [
  Buffer,
  Buffer,
];

/** The options, without the fusion of pads if the model may have one. */
function checkedOptions(bytes: Uint8Array, options: SessionOptions): SessionOptions {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!content.includes(MAX_POOL) || !content.includes(PAD)) return options;
  return withoutPadFusion(options);
}

function withoutPadFusion(options: SessionOptions): SessionOptions {
  return { ...options, extra: { ...options.extra, ...WITHOUT_PAD_FUSION } };
}

/**
 * A tensor over `data`, without a copy. With JavaScript's Float16Array (Node 24), onnxruntime's constructor demands one for float16, but its native
 * part finds no bytes in it, because Node-API does not know the type: so the bits are passed as uint16.
 */
export function ortTensor(dtype: DType, data: TensorData, dims: readonly number[]): Tensor {
  if (dtype !== 'float16') return makeTensor(dtype, data, dims);
  return Object.assign(makeTensor('uint16', data, dims), { type: dtype });
}

/** Elements of a result; float16 as bits. */
export function tensorValues({ data }: Tensor): TensorData {
  const view = data as unknown as TensorData;
  if (view.constructor.name !== 'Float16Array') return view;
  return new Uint16Array(view.buffer, view.byteOffset, view.length);
}

export function allocate(dtype: DType, elements: number): TensorData {
  return new arrays[dtype](elements);
}

/** True if `data` is the typed array of `dtype`. */
export function holds(dtype: DType, data: TensorData): boolean {
  return data instanceof arrays[dtype];
}
