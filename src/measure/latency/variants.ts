import path from 'node:path';
import { availableParallelism } from 'node:os';
import { UserError } from '../../base/errors.ts';
import { chooseDevice, devices } from '../../runtime/onnxruntime/devices/devices.ts';
import type { DeviceName } from '../../recipe/engines.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { TfliteRuntime } from '../../runtime/litert.ts';
import { sessionOptions } from '../../runtime/onnxruntime/session-choice.ts';
import { ortTensor, OnnxSession } from '../../runtime/onnxruntime/session.ts';
import { noise, sizes, takesIds, takesIdsInTflite } from '../inputs.ts';
import type { Opened, TimedSource, TimedVariant } from './setting.ts';
import { reasonOf } from '../reason.ts';
import type { Skipped } from '../../base/skipped.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';

export interface VariantOptions {
  readonly batchSizes: readonly number[];
  readonly threads: readonly number[];
  /** Device for ONNX files; `all`: all devices of this machine. Default: cpu. */
  readonly device?: DeviceName | 'auto' | 'all';
  /** Shape of a sample, for inputs with open sizes besides the batch. */
  readonly sampleShape?: readonly number[] | undefined;
  /** Time only this runtime, if several can load the file. */
  readonly runtime?: string;
}

export interface TimedFile {
  readonly name: string;
  /** `.onnx` or `.tflite`, if the name does not end in it. */
  readonly format?: string;
  readonly bytes: OnnxContent;
  /** Shape of a sample, if it differs from other files'. */
  readonly sampleShape?: readonly number[];
}

/** A file to load for each session. */
export function sourceOf(file: TimedFile, options: VariantOptions): TimedSource {
  return { name: file.name, open: () => openVariants(file, options) };
}

/**
 * Opens a file in every available runtime, at all requested batch sizes and numbers of threads; returns a reason if it cannot be opened. `UserError`
 * for an unknown kind of file.
 */
export async function openVariants(file: TimedFile, asked: VariantOptions): Promise<Opened> {
  const options = { ...asked, sampleShape: file.sampleShape ?? asked.sampleShape };
  const extension = file.format ?? path.extname(file.name).toLowerCase();
  const opened: Opening = { variants: [], skipped: [], disposals: [] };
  const cores = availableParallelism();
  for (const threads of options.threads) {
    if (threads > cores) {
      opened.skipped.push({ what: `${file.name} on ${threads} threads`, why: `there are ${cores} cores` });
    } else if (extension === '.onnx') {
      if (options.runtime !== undefined && options.runtime !== ONNX) continue;
      for (const device of devicesOf(options, opened)) {
        await attempt(file, ONNX, device, threads, opened, () => openOnnx(file, threads, device, options, opened));
      }
    } else if (extension === '.tflite') {
      for (const runtime of ['litert', 'native'] as const) {
        const name = TFLITE[runtime];
        if (options.runtime !== undefined && options.runtime !== name) continue;
        await attempt(file, name, 'cpu', threads, opened, () => tflite(file, runtime, threads, options, opened));
      }
    } else {
      throw new UserError(
        `${file.name}: expected a file ending in .onnx, .keras, .h5 or .tflite, received ${extension || 'no ending'}`,
        'Name a file of one of these kinds.',
      );
    }
  }
  const dispose = (): void => opened.disposals.forEach((close) => close());
  return { variants: opened.variants, skipped: opened.skipped, dispose };
}

/** Names of the runtimes in rows. */
const ONNX = 'onnxruntime';
const TFLITE = { litert: 'litert-wasm', native: 'tflite-native' } as const;

interface Opening {
  readonly variants: TimedVariant[];
  readonly skipped: Skipped[];
  readonly disposals: (() => void)[];
}

function devicesOf({ device = 'cpu' }: VariantOptions, { skipped }: Opening): DeviceName[] {
  if (device !== 'all') return [chooseDevice(device)];
  return devices().flatMap(({ name, usable, reason }) => {
    if (usable) return [name];
    const what = `onnxruntime on ${name}`;
    if (!skipped.some((entry) => entry.what === what)) skipped.push({ what, why: reason });
    return [];
  });
}

/** A file that one runtime cannot load may load in another. */
async function attempt(
  { name }: TimedFile,
  runtime: string,
  device: string,
  threads: number,
  { skipped }: Opening,
  open: () => unknown,
): Promise<void> {
  try {
    await open();
  } catch (error) {
    const what = `${name} in ${runtime} on ${device}, ${threads} thread${threads === 1 ? '' : 's'}`;
    skipped.push({ what, why: reasonOf(error, name) });
  }
}

function openOnnx(
  { name, bytes }: TimedFile,
  threads: number,
  device: DeviceName,
  options: VariantOptions,
  opened: Opening,
): void {
  const session = sessionOptions(device, { threads });
  // The model provides checked names, types and shapes of the inputs; the session is timed without the checks of each call.
  const model = new InferenceModel(bytes, name, session);
  const { inputs, outputs } = model;
  model.dispose();
  const timed = new OnnxSession(bytes, session);
  opened.disposals.push(() => timed.dispose());
  const isIds = takesIds(bytes, name);
  const fetches = Object.fromEntries(outputs.map((output) => [output.name, null]));
  for (const batchSize of options.batchSizes) {
    const ends = inputs.map(({ name: input, dtype, shape }) => ({
      name: input,
      dtype,
      shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
    }));
    const sized = sizes(name, ends, batchSize, options.sampleShape, opened.skipped);
    if (sized === undefined) continue;
    const feeds = Object.fromEntries(
      sized.map((end) => [end.name, ortTensor(end.dtype, noise(end.dtype, end.shape, isIds), end.shape)]),
    );
    const run = (): void => void timed.run(feeds, fetches);
    opened.variants.push({ name, runtime: ONNX, device, batchSize, threads, run });
  }
}

async function tflite(
  { name, bytes }: TimedFile,
  runtime: TfliteRuntime,
  threads: number,
  options: VariantOptions,
  opened: Opening,
): Promise<void> {
  const { openTflite } = await import('../../runtime/litert.ts');
  const isIds = await takesIdsInTflite(bytes, name);
  for (const batchSize of options.batchSizes) {
    // A session for each batch size: resizing an input would lay the model out anew.
    const session = await openTflite(inOnePiece(bytes, name, 'TFLite'), { runtime, threads });
    opened.disposals.push(() => session.dispose());
    const sized = sizes(name, session.inputs, batchSize, options.sampleShape, opened.skipped);
    if (sized === undefined) continue;
    const feeds = Object.fromEntries(sized.map((end) => [end.name, noise(end.dtype, end.shape, isIds)]));
    const run = (): Promise<unknown> => session.run(feeds);
    opened.variants.push({ name, runtime: TFLITE[runtime], device: 'cpu', batchSize, threads, run });
  }
}
