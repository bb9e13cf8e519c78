import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type koffi from 'koffi';
import { UserError } from '../../base/errors.ts';
import { installCommand } from '../../base/process/packages.ts';
import type { TensorData } from '../../graph/types.ts';
import type { TfliteSession } from './session.ts';
import { asValues, fed } from './ends.ts';
import type { TfliteEnds } from './ends.ts';

/** A pointer of the C library. */
type Pointer = unknown;
type Native = ReturnType<typeof bind>;

const LIBRARIES: Readonly<Record<string, string>> = {
  'linux x64': 'linux_amd64/libtensorflowlite_c.so',
  'linux arm64': 'linux_arm64/libtensorflowlite_c.so',
  'darwin arm64': 'darwin_arm64/libtensorflowlite_c.dylib',
  'win32 x64': 'windows_amd64/tensorflowlite_c.dll',
};

/** Opens a model with TensorFlow Lite's C library and its XNNPACK delegate. */
export function openNative(bytes: Uint8Array, ends: TfliteEnds, threads: number): TfliteSession {
  const native = (loaded ??= load());
  // Referenced as long as the library reads the model from it.
  const kept = Uint8Array.from(bytes);
  const model = native.modelCreate(kept, kept.length);
  if (model === null) throw new UserError('TensorFlow Lite does not take the file', 'Export the model again.');
  const { interpreter, dispose } = native.quietly(() => interpret(native, model, threads));
  const call = { native, interpreter, ends };
  return {
    ...ends,
    runtime: 'native',
    // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous, the C call is not
    run: async (feeds) => {
      feed(call, feeds);
      if (native.invoke(interpreter) !== 0) throw new Error('TensorFlow Lite failed to run the model');
      return Object.fromEntries(ends.outputs.map((end, i) => [end.name, result(call, i)]));
    },
    dispose: () => {
      dispose();
      native.modelDelete(model);
      kept.fill(0);
    },
  };
}

/** An interpreter with XNNPACK, or without it for models that compute shapes, which this XNNPACK does not support. */
function interpret(native: Native, model: Pointer, threads: number): { interpreter: Pointer; dispose: () => void } {
  for (const accelerated of [true, false]) {
    const options = native.optionsCreate();
    native.optionsThreads(options, threads);
    const delegate = accelerated ? native.xnnpackCreate(Int32Array.of(threads, QUANTIZED_KERNELS)) : null;
    if (delegate !== null) native.optionsDelegate(options, delegate);
    const interpreter = native.create(model, options);
    const dispose = (): void => {
      if (interpreter !== null) native.delete(interpreter);
      if (delegate !== null) native.xnnpackDelete(delegate);
      native.optionsDelete(options);
    };
    if (interpreter !== null && native.allocate(interpreter) === 0) return { interpreter, dispose };
    dispose();
  }
  native.modelDelete(model);
  throw new UserError(
    'TensorFlow Lite 2.9 cannot run the model: an operator, or a version of one, that it does not know',
    'Use the litert runtime.',
  );
}

/** Flags of the delegate: signed and unsigned 8-bit kernels. */
const QUANTIZED_KERNELS = 3;

interface Call {
  readonly native: Native;
  readonly interpreter: Pointer;
  readonly ends: TfliteEnds;
}

function feed({ native, interpreter, ends }: Call, feeds: Readonly<Record<string, TensorData>>): void {
  const values = ends.inputs.map((end) => fed(end, feeds));
  let resized = false;
  values.forEach(({ shape }, i) => {
    const tensor = native.input(interpreter, i);
    if (shape.every((size, axis) => size === native.dim(tensor, axis))) return;
    native.resize(interpreter, i, Int32Array.from(shape), shape.length);
    resized = true;
  });
  if (resized && native.allocate(interpreter) !== 0) throw new Error('TensorFlow Lite cannot take this batch size');
  values.forEach(({ data }, i) => {
    if (native.copyIn(native.input(interpreter, i), data, data.byteLength) !== 0)
      throw new Error(`TensorFlow Lite refused the value of input ${ends.inputs[i]!.name}`);
  });
}

function result({ native, interpreter, ends }: Call, i: number): TensorData {
  const tensor = native.output(interpreter, i);
  const buffer = new ArrayBuffer(native.byteSize(tensor));
  native.copyOut(tensor, new Uint8Array(buffer), buffer.byteLength);
  return asValues(ends.outputs[i]!.dtype, buffer);
}

let loaded: Native | undefined;

function load(): Native {
  const require = createRequire(import.meta.url);
  const library = LIBRARIES[`${process.platform} ${process.arch}`];
  if (library === undefined)
    throw new UserError(`no native TensorFlow Lite for ${process.platform} ${process.arch}`, 'Use the litert runtime.');
  try {
    const folder = path.dirname(require.resolve('tfjs-tflite-node/package.json'));
    return bind(require('koffi') as typeof koffi, path.join(folder, 'cc_deps', library));
  } catch (error) {
    throw new UserError(
      'the native TensorFlow Lite library is not installed',
      `Run: ${installCommand(['koffi', 'tfjs-tflite-node'])}, or use the litert runtime.`,
      { cause: error },
    );
  }
}

/** Declares the functions of the C library. */
function bind(ffi: typeof koffi, file: string) {
  // Pinned (RTLD_NOW | RTLD_NODELETE): at exit koffi unloads it while threads of XNNPACK's pool still run in it.
  if (process.platform === 'linux')
    ffi.load('libc.so.6').func('void *dlopen(const char *file, int flags)')(file, 0x1002);
  const quietly = process.platform === 'linux' ? mutingStderr(ffi) : <T>(action: () => T): T => action();
  const library = ffi.load(file);
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller reads the C declaration
  const f = <T>(declaration: string): T => library.func(declaration) as unknown as T;
  type OnePointer<R> = (pointer: Pointer) => R;
  type Indexed<R> = (pointer: Pointer, index: number) => R;
  return {
    quietly,
    modelCreate: f<(data: Uint8Array, size: number) => Pointer>(
      'void *TfLiteModelCreate(const void *data, size_t size)',
    ),
    modelDelete: f<OnePointer<void>>('void TfLiteModelDelete(void *model)'),
    optionsCreate: f<() => Pointer>('void *TfLiteInterpreterOptionsCreate()'),
    optionsDelete: f<OnePointer<void>>('void TfLiteInterpreterOptionsDelete(void *options)'),
    optionsThreads: f<Indexed<void>>('void TfLiteInterpreterOptionsSetNumThreads(void *options, int32_t n)'),
    optionsDelegate: f<(o: Pointer, d: Pointer) => void>('void TfLiteInterpreterOptionsAddDelegate(void *o, void *d)'),
    // In this build the options are two 32-bit integers, threads and flags; later builds have more.
    xnnpackCreate: f<(options: Int32Array) => Pointer>('void *TfLiteXNNPackDelegateCreate(const void *options)'),
    xnnpackDelete: f<OnePointer<void>>('void TfLiteXNNPackDelegateDelete(void *delegate)'),
    create: f<(model: Pointer, options: Pointer) => Pointer>(
      'void *TfLiteInterpreterCreate(void *model, void *options)',
    ),
    delete: f<OnePointer<void>>('void TfLiteInterpreterDelete(void *interpreter)'),
    allocate: f<OnePointer<number>>('int TfLiteInterpreterAllocateTensors(void *interpreter)'),
    invoke: f<OnePointer<number>>('int TfLiteInterpreterInvoke(void *interpreter)'),
    resize: f<(i: Pointer, index: number, dims: Int32Array, n: number) => number>(
      'int TfLiteInterpreterResizeInputTensor(void *interpreter, int32_t index, const int *dims, int32_t n)',
    ),
    input: f<Indexed<Pointer>>('void *TfLiteInterpreterGetInputTensor(void *interpreter, int32_t index)'),
    output: f<Indexed<Pointer>>('void *TfLiteInterpreterGetOutputTensor(void *interpreter, int32_t index)'),
    dim: f<Indexed<number>>('int32_t TfLiteTensorDim(void *tensor, int32_t axis)'),
    byteSize: f<OnePointer<number>>('size_t TfLiteTensorByteSize(void *tensor)'),
    copyIn: f<(tensor: Pointer, data: TensorData, size: number) => number>(
      'int TfLiteTensorCopyFromBuffer(void *tensor, const void *data, size_t size)',
    ),
    copyOut: f<(tensor: Pointer, data: Uint8Array, size: number) => number>(
      'int TfLiteTensorCopyToBuffer(void *tensor, _Out_ void *data, size_t size)',
    ),
  };
}

/** Mutes the library's announcements on stderr; errors are returned anyway. */
function mutingStderr(ffi: typeof koffi): <T>(action: () => T) => T {
  const libc = ffi.load('libc.so.6');
  const dup = libc.func('int dup(int file)') as unknown as (file: number) => number;
  const dup2 = libc.func('int dup2(int from, int to)') as unknown as (from: number, to: number) => number;
  return (action) => {
    const stderr = dup(2);
    const nowhere = openSync('/dev/null', 'w');
    dup2(nowhere, 2);
    closeSync(nowhere);
    try {
      return action();
    } finally {
      dup2(stderr, 2);
      closeSync(stderr);
    }
  };
}
