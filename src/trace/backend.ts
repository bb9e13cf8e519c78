import * as tf from '@tensorflow/tfjs-core';
import type { TensorData } from '../graph/types.ts';
import { evaluate } from './evaluate.ts';
import { isTracing } from './scope.ts';
import type { Value } from './value.ts';
import { leaf, op } from './value.ts';

export const BACKEND_NAME = 'limbeck';

interface Entry {
  refCount: number;
  readonly dtype: tf.DataType;
  /** Absent for strings and complex numbers. */
  readonly value?: Value;
  readonly strings?: Uint8Array[];
  readonly complex?: { readonly real: tf.TensorInfo; readonly imag: tf.TensorInfo };
}

/** Maximum chain of pending nodes before they are computed, which bounds a long eager loop. */
const MAX_DEPTH = 500;

/**
 * A tfjs backend that records kernels instead of computing them. So a program can be traced into a graph; reading a value outside of a trace computes
 * what it depends on.
 */
export class LazyBackend extends tf.KernelBackend {
  readonly #data: tf.DataStorage<Entry> = new tf.DataStorage<Entry>(this, tf.engine());

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const dataId = {};
    this.#data.set(dataId, this.#entry(values, shape, dtype, 1));
    return dataId;
  }

  override move(
    dataId: tf.DataId,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    this.#data.set(dataId, this.#entry(values, shape, dtype, refCount));
  }

  #entry(values: tf.BackendValues, shape: number[], dtype: tf.DataType, refCount: number): Entry {
    if (dtype === 'string') return { refCount, dtype, strings: values as Uint8Array[] };
    if (dtype === 'complex64') throw new Error('complex values are made from a real and an imaginary part');
    const value = leaf(typed(values, dtype), { dtype, shape: [...shape] });
    value.holders = 1;
    return { refCount, dtype, value };
  }

  /** Tensor info for a recorded value. */
  hold(value: Value): tf.TensorInfo {
    const dtype = value.type.dtype as tf.DataType;
    // Never during a trace, however deep: placeholders of feeds cannot be computed.
    if (!isTracing() && value.node !== undefined && value.node.depth > MAX_DEPTH) evaluate([value]);
    value.holders++;
    const dataId = {};
    this.#data.set(dataId, { refCount: 1, dtype, value });
    return { dataId, shape: [...value.type.shape], dtype };
  }

  holdComplex(real: tf.TensorInfo, imag: tf.TensorInfo): tf.TensorInfo {
    const dataId = {};
    this.#data.set(dataId, { refCount: 1, dtype: 'complex64', complex: { real, imag } });
    return { dataId, shape: real.shape, dtype: 'complex64' };
  }

  /** Value of a tensor, reshaped if the tensor shares its data with one of another shape. */
  lookup({ dataId, shape, dtype }: tf.TensorInfo): Value {
    const { value } = this.#data.get(dataId);
    if (value === undefined) throw new Error(`${dtype} tensors are not supported by this kernel on ${BACKEND_NAME}`);
    const same = value.type.shape.length === shape.length && shape.every((size, i) => size === value.type.shape[i]);
    return same ? value : op('Reshape', [value], { shape: [...shape] });
  }

  /** Real and imaginary part of a complex tensor, in its shape. */
  partsOf({ dataId, shape }: tf.TensorInfo): { readonly real: tf.TensorInfo; readonly imag: tf.TensorInfo } {
    const { complex } = this.#data.get(dataId);
    if (complex === undefined) throw new Error('this tensor is not complex');
    return { real: { ...complex.real, shape }, imag: { ...complex.imag, shape } };
  }

  override async read(dataId: tf.DataId): Promise<tf.BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override readSync(dataId: tf.DataId): tf.BackendValues {
    const { value, strings, complex } = this.#data.get(dataId);
    if (strings !== undefined) return strings;
    if (complex !== undefined) {
      const [real, imag] = [this.readSync(complex.real.dataId), this.readSync(complex.imag.dataId)];
      return tf.backend_util.mergeRealAndImagArrays(real as Float32Array, imag as Float32Array);
    }
    if (value!.data === undefined) evaluate([value!]);
    return value!.data as tf.BackendValues;
  }

  override refCount(dataId: tf.DataId): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).refCount : 0;
  }

  override incRef(dataId: tf.DataId): void {
    this.#data.get(dataId).refCount++;
  }

  decRef(dataId: tf.DataId): void {
    if (this.#data.has(dataId)) this.#data.get(dataId).refCount--;
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    if (!this.#data.has(dataId)) return true;
    const entry = this.#data.get(dataId);
    entry.refCount--;
    if (!force && entry.refCount > 0) return false;
    if (entry.complex !== undefined) {
      this.disposeData(entry.complex.real.dataId, true);
      this.disposeData(entry.complex.imag.dataId, true);
    }
    if (entry.value !== undefined) entry.value.holders--;
    this.#data.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.#data.numDataIds();
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: true, reasons: ['Values are computed when they are read and freed by garbage collection.'] };
  }

  override timerAvailable(): boolean {
    return true;
  }

  override async time(run: () => void): Promise<tf.BackendTimingInfo> {
    const start = tf.util.now();
    run();
    return Promise.resolve({ kernelMs: tf.util.now() - start });
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override dispose(): void {
    // Data are freed with their tensors.
  }
}

/** A copy: the caller may reuse its array before the value is needed. */
function typed(values: tf.BackendValues, dtype: 'float32' | 'int32' | 'bool'): TensorData {
  const source = values as ArrayLike<number>;
  switch (dtype) {
    case 'float32':
      return Float32Array.from(source);
    case 'int32':
      return Int32Array.from(source);
    case 'bool':
      return Uint8Array.from(source);
  }
}

/** The backend, registered on first use. */
export function lazyBackend(): LazyBackend {
  const engine = tf.engine();
  if (!engine.backendNames().includes(BACKEND_NAME)) tf.registerBackend(BACKEND_NAME, () => new LazyBackend(), 0);
  const backend: unknown = engine.findBackend(BACKEND_NAME);
  if (!(backend instanceof LazyBackend)) throw new Error(`the tfjs backend ${BACKEND_NAME} is not ours`);
  return backend;
}
