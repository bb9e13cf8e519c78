import path from 'node:path';
import { availableParallelism } from 'node:os';
import { RandomStream } from '../base/random.ts';
import { UserError } from '../base/errors.ts';
import type { DType, TensorData } from '../graph/types.ts';
import { chooseDevice } from '../runtime/devices.ts';
import type { DeviceName } from '../runtime/devices.ts';
import { InferenceModel } from '../runtime/inference.ts';
import { openTflite } from '../runtime/litert.ts';
import type { TfliteRuntime } from '../runtime/litert.ts';
import { sessionOptions } from '../runtime/onnxruntime.ts';
import { allocate, ortTensor, Session } from '../runtime/session.ts';
import type { Opened, Skipped, Source, Variant } from './latency.ts';

export interface VariantOptions {
  readonly batchSizes: readonly number[];
  readonly threads: readonly number[];
  readonly device?: DeviceName | 'auto';
  /** Sizes of one sample, for inputs that leave other sizes open than that of the batch. */
  readonly sampleShape?: readonly number[] | undefined;
  /** Only this one, where several runtimes take the file. */
  readonly runtime?: string;
}

export interface ModelFile {
  readonly name: string;
  /** `.onnx` or `.tflite`, where the name does not end in it. */
  readonly format?: string;
  readonly bytes: Uint8Array;
}

/** A file to load for each session anew. */
export function sourceOf(file: ModelFile, options: VariantOptions): Source {
  return { name: file.name, open: () => openVariants(file, options) };
}

/** A file in every runtime that takes it here, at all batch sizes and threads asked for. `UserError` for an unknown kind. */
export async function openVariants(file: ModelFile, options: VariantOptions): Promise<Opened> {
  const extension = file.format ?? path.extname(file.name).toLowerCase();
  const opened: Opening = { variants: [], skipped: [], disposals: [] };
  const cores = availableParallelism();
  for (const threads of options.threads) {
    if (threads > cores) {
      opened.skipped.push({ what: `${file.name} on ${threads} threads`, why: `there are ${cores} cores` });
    } else if (extension === '.onnx') openOnnx(file, threads, options, opened);
    else if (extension === '.tflite') {
      for (const runtime of ['litert', 'native'] as const) await tryTflite(file, runtime, threads, options, opened);
    } else {
      throw new UserError(
        `${file.name}: expected a file ending in .onnx or .tflite, received ${extension || 'no ending'}`,
        'Name a file of one of these kinds.',
      );
    }
  }
  const dispose = (): void => opened.disposals.forEach((close) => close());
  const wanted = opened.variants.filter(({ runtime }) => runtime === (options.runtime ?? runtime));
  return { variants: wanted, skipped: opened.skipped, dispose };
}

interface Opening {
  readonly variants: Variant[];
  readonly skipped: Skipped[];
  readonly disposals: (() => void)[];
}

function openOnnx({ name, bytes }: ModelFile, threads: number, options: VariantOptions, opened: Opening): void {
  const device = chooseDevice(options.device ?? 'cpu');
  const session = sessionOptions(device, { threads });
  // Names, types and shapes of the inputs, checked; timed is the session itself, without the checks of each call.
  const model = new InferenceModel(bytes, name, session);
  const { inputs, outputs } = model;
  model.dispose();
  const timed = new Session(bytes, session);
  opened.disposals.push(() => timed.dispose());
  const fetches = Object.fromEntries(outputs.map((output) => [output.name, null]));
  for (const batchSize of options.batchSizes) {
    const ends = inputs.map(({ name: input, dtype, shape }) => ({
      name: input,
      dtype,
      shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
    }));
    const sized = sizes(name, ends, batchSize, options, opened);
    if (sized === undefined) continue;
    const feeds = Object.fromEntries(
      sized.map((end) => [end.name, ortTensor(end.dtype, noise(end.dtype, end.shape), end.shape)]),
    );
    const run = (): void => void timed.run(feeds, fetches);
    opened.variants.push({ name, runtime: 'onnxruntime', device, batchSize, threads, run });
  }
}

async function tryTflite(
  { name, bytes }: ModelFile,
  runtime: TfliteRuntime,
  threads: number,
  options: VariantOptions,
  opened: Opening,
): Promise<void> {
  const what = `${name} in ${runtime} on ${threads} thread${threads === 1 ? '' : 's'}`;
  for (const batchSize of options.batchSizes) {
    // A session per batch size: changing the size of an input lays the model out anew.
    const session = await openTflite(bytes, { runtime, threads }).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      return error;
    });
    if (session instanceof UserError) {
      opened.skipped.push({ what, why: session.message });
      return;
    }
    opened.disposals.push(() => session.dispose());
    const sized = sizes(name, session.inputs, batchSize, options, opened);
    if (sized === undefined) continue;
    const feeds = Object.fromEntries(sized.map((end) => [end.name, noise(end.dtype, end.shape)]));
    const label = runtime === 'litert' ? 'litert-wasm' : 'tflite-native';
    const run = (): Promise<unknown> => session.run(feeds);
    opened.variants.push({ name, runtime: label, device: 'cpu', batchSize, threads, run });
  }
}

interface End {
  readonly name: string;
  readonly dtype: DType;
  /** -1 where the size is open. */
  readonly shape: readonly number[];
}

/** The inputs with all sizes known at this batch size; nothing, with a reason noted, where the file has another one. */
function sizes(
  file: string,
  ends: readonly End[],
  batchSize: number,
  { sampleShape }: VariantOptions,
  { skipped }: Opening,
): End[] | undefined {
  const sized: End[] = [];
  for (const end of ends) {
    const [first = batchSize, ...rest] = end.shape;
    if (first !== -1 && first !== batchSize) {
      const what = `${file} at batch ${batchSize}`;
      if (!skipped.some((entry) => entry.what === what)) skipped.push({ what, why: `the file has batch ${first}` });
      return undefined;
    }
    const sample = rest.map((size, i) => (size >= 0 ? size : (sampleShape?.[i] ?? -1)));
    if (sample.includes(-1) || (rest.includes(-1) && sampleShape?.length !== rest.length)) {
      throw new UserError(
        `${file}: input ${end.name} leaves sizes open: [${end.shape.map((size) => (size < 0 ? '?' : size)).join(', ')}]`,
        'Say the sizes of one sample: --shape 224x224x3.',
      );
    }
    sized.push({ ...end, shape: [batchSize, ...sample] });
  }
  return sized;
}

/** Values as normalized data has them; whole numbers stay 0 and 1, which are indexes of any table. */
function noise(dtype: DType, shape: readonly number[]): TensorData {
  const data = allocate(
    dtype,
    shape.reduce((product, size) => product * size, 1),
  );
  const random = new RandomStream('latency');
  if (data instanceof Float32Array) for (let i = 0; i < data.length; i++) data[i] = random.normal();
  // 1.0 as half-precision bits.
  else if (dtype === 'float16') data.fill(0x3c00 as never);
  else if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(random.below(2));
  else for (let i = 0; i < data.length; i++) data[i] = random.below(2);
  return data;
}
