import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { writeSynced } from '../base/files.ts';
import { collectGarbage } from '../base/process/memory.ts';
import type { Graph } from '../graph/types.ts';
import type { Skipped } from '../base/skipped.ts';
import { temporaryFolder } from '../base/folders/temporary.ts';
import { onnxFiles, readOnnx, writeModel } from '../files/onnx-file.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { decodeModel, onnxContent } from '../formats/onnx/protobuf.ts';
import { OPSETS } from '../recipe/schema/parts.ts';
import { formName } from '../report/artifact.ts';
import { withCheck } from './convert/card.ts';
import { checkConversion, NO_BYTES } from './convert/check.ts';
import { make, nameOfSource } from './convert/make.ts';
import type { Made } from '../convert/write.ts';
import { CONVERT_DEFAULTS } from './convert/options.ts';
import type { ConvertOptions } from './convert/options.ts';
import { openSource } from './convert/source.ts';
import type { ConvertSource } from './convert/source.ts';
import { samplesFor } from './convert/samples.ts';
import type { ConvertSamples } from './convert/samples.ts';
import type { OutputLikeness } from '../convert/likeness.ts';
import { STREAMS } from '../base/streams.ts';
import { STREAM_CHECK } from './convert/streams.ts';
import type { CheckedStream } from './convert/streams.ts';

export interface Converted {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  readonly skipped: readonly Skipped[];
  /** Likeness of each output to that of the source file, which ONNX Runtime (for a tfjs model: tfjs) ran on the same samples. */
  readonly outputs: readonly OutputLikeness[];
  /** Share of samples with the same class, for the first output of classes; null where the task has none. */
  readonly top1Agreement: number | null;
  /** Largest difference of a number of an output; null where nothing was compared. */
  readonly largestError: number | null;
  readonly samples: number;
  /** The samples were made up, as none were given. */
  readonly isMadeUp: boolean;
  /** The samples in words: held out, left out once each, or made up. */
  readonly kind: string;
  /** Preparation of the samples that came from a recipe. */
  readonly preparation?: string | undefined;
  /** Metadata entry of a stream, and what it says in a sentence. */
  readonly stream?: object;
  readonly streamText?: string;
  /** Reasons why the file was beyond the budget of its precision, if it was accepted all the same. */
  readonly accepted: readonly string[];
  /** Oddities, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * A model file in another format or in fewer bits, without a recipe. The new file is run beside the source file on the
 * samples, made-up ones where none are given, and is not written if it answers too differently, unless `accept` says so.
 * `UserError` for what cannot be read or written, and for int8 without samples.
 */
export async function convertFile(given: Partial<ConvertOptions> & Pick<ConvertOptions, 'from'>): Promise<Converted> {
  const options: ConvertOptions = { ...CONVERT_DEFAULTS, ...given };
  const form = formName(nameOfSource(options.from), options);
  const to = options.out ?? `${form}${options.stream === true ? '-stream' : ''}.${options.format}`;
  refuse(options, to);
  const { bytes, ...converted } = await convertModel(options, to, path.dirname(path.resolve(to)));
  return { ...converted, bytes: await writeModel(to, bytes) };
}

/** Bytes from which a file is compared from the disk, so that it is in memory once. */
const LARGE = 2 ** 26;

/** `convertFile` without writing: `to` is the name of the file in messages. `folder`: for temporary files. */
export async function convertModel(
  options: ConvertOptions,
  to: string,
  folder?: string,
): Promise<Omit<Converted, 'bytes'> & { readonly bytes: OnnxContent }> {
  const { format, precision } = options;
  const { source, weighted, samples, made, stream, path: stored, remove } = await madeFrom(options, folder);
  try {
    if (stored !== undefined) collectGarbage();
    const checked = await checkConversion(
      source,
      { file: to, format, precision, path: stored, ...made, ...(stream && { open: stream.open }) },
      stream === undefined ? samples : hopByHop(samples, stream),
      options.accept === true,
      weighted,
      async (calibration) => make(await weighted(), calibration, options),
      options.onProgress,
    );
    const { accepted, isUncorrected, ...found } = checked;
    const chosen = isUncorrected ? made.uncorrected! : made;
    if (stored !== undefined) collectGarbage();
    const written = stored === undefined ? chosen.bytes : await readOnnx(stored);
    const bytes = accepted.length === 0 ? written : chosen.write(withCheck(source.metadata, accepted), written);
    const { skipped } = chosen;
    const said = stream && { stream: stream.stated, streamText: stream.text };
    return { from: source.file, to, bytes, skipped, ...found, accepted, preparation: samples.preparation, ...said };
  } finally {
    await remove?.();
  }
}

interface MadeOnDisk {
  readonly source: ConvertSource;
  /** The source with its weights. */
  readonly weighted: () => Promise<ConvertSource>;
  readonly samples: ConvertSamples;
  readonly made: Made;
  readonly stream?: CheckedStream | undefined;
  readonly path?: string;
  readonly remove?: () => Promise<void>;
}

/** The file made from the source. A large ONNX file lies in a temporary folder, and the weights of neither are in memory. */
async function madeFrom(options: ConvertOptions, folder: string | undefined): Promise<MadeOnDisk> {
  const opened = await openSource(options.from, options.model, options.shapes);
  const stream = options.stream === true ? (await STREAM_CHECK.load(STREAMS))(opened.graph, options.format) : undefined;
  const samples = await samplesFor(opened, options);
  const source = { ...opened, metadata: samples.metadata ?? opened.metadata };
  if (weightBytes(source.graph) >= LARGE) collectGarbage();
  const made = await make(source, samples.calibration, options);
  const { bytes, layers, skipped, uncorrected } = made;
  const isSmall = options.format !== 'onnx' || uncorrected !== undefined || bytes.length < LARGE;
  if (folder === undefined || isSmall)
    return { source, weighted: () => Promise.resolve(source), samples, made, stream };
  const { path: place, remove } = await temporaryFolder('.limbeck-export-', folder);
  const file = path.join(place, 'model.onnx');
  for (const [name, content] of onnxFiles('model.onnx', bytes)) await writeSynced(path.join(place, name), content);
  return {
    source: { ...source, graph: { ...source.graph, constants: new Map() } },
    samples,
    stream,
    path: file,
    remove,
    weighted: openedAgain(options, source.metadata),
    made: { layers, skipped, bytes: NO_BYTES, write: withMetadata(file) },
  };
}

/** Samples that a stream is compared on. Its answers to windows that follow others have no label. */
function hopByHop(samples: ConvertSamples, { windows }: CheckedStream): ConvertSamples {
  return { ...samples, check: windows(samples.check), isStream: true, labels: undefined };
}

/** Opens the source again, with its weights. A separate function, because a closure in the caller would keep the weights that the caller has read. */
function openedAgain({ from, model, shapes }: ConvertOptions, metadata: ConvertSource['metadata']) {
  return async (): Promise<ConvertSource> => ({ ...(await openSource(from, model, shapes)), metadata });
}

function withMetadata(file: string): Made['write'] {
  return (metadata, written) => onnxContent({ ...decodeModel(written, file), metadata });
}

function weightBytes({ constants }: Graph): number {
  return [...constants.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}

const WITH_INT8_WEIGHTS: readonly string[] = ['int8', 'dynamic-int8', 'int16x8'];

function refuse(options: ConvertOptions, to: string): void {
  const { from, format, precision, sparse, ends, batch, dense, samples, opset } = options;
  if (!Number.isInteger(samples) || samples < 1)
    throw new UserError(
      `--samples: expected a whole number of 1 or more, received ${samples}`,
      'Leave it out, or give a whole number of 1 or more.',
    );
  const [oldest, newest] = OPSETS;
  if (!Number.isInteger(opset) || opset < oldest || opset > newest)
    throw new UserError(
      `--opset: expected a whole number from ${oldest} to ${newest}, received ${opset}`,
      'Leave it out: a file has the operator set 17, or a newer one where it needs that.',
    );
  if (format === 'onnx' && precision === 'int16x8')
    throw new UserError('--precision int16x8: expected --format tflite, received onnx', 'Choose int8 for ONNX.');
  if ((ends ?? 'float32') !== 'float32' && !(format === 'tflite' && precision === 'int8'))
    throw new UserError(
      `--ends ${ends}: expected --format tflite --precision int8, received ${format} and ${precision}`,
      'Leave it out: all other files take and give float32.',
    );
  if (dense !== undefined && !(format === 'tflite' && WITH_INT8_WEIGHTS.includes(precision)))
    throw new UserError(
      `--dense-scales ${dense}: expected --format tflite and a --precision with int8 weights, received ${format} and ${precision}`,
      'Leave it out: ONNX files have a scale for each output, others have none.',
    );
  if (options.stream === true && (batch === 'dynamic' || sparse === true))
    throw new UserError(
      `--${sparse === true ? 'sparse' : 'batch dynamic'}: expected no --stream beside it`,
      'Leave one of them out: the past of a stream has the size of one sample, and its filters are stored whole.',
    );
  if (batch === 'dynamic' && format === 'onnx')
    throw new UserError(
      '--batch dynamic: expected --format tflite, received onnx',
      'Leave it out: ONNX files take batches of any size.',
    );
  if (format === 'tflite' && precision === 'int4')
    throw new UserError('--precision int4: expected --format onnx, received tflite', 'Choose int8 for TFLite.');
  if (sparse === true && !(format === 'tflite' && precision === 'fp32'))
    throw new UserError(
      `--sparse: expected --format tflite --precision fp32, received ${format} and ${precision}`,
      'Leave it out: other files cannot hold sparse weights.',
    );
  const others = (['onnx', 'tflite'] as const).filter((one) => one !== format && to.toLowerCase().endsWith(`.${one}`));
  if (others.length > 0)
    throw new UserError(
      `--out: expected a name that ends in .${format}, as --format is ${format}, received ${to}`,
      `Name it so, or add --format ${others[0]!}.`,
    );
  if (options.out === undefined && path.resolve(from) === path.resolve(to))
    throw new UserError(
      `--out: expected a name, received none: without one the file would be written over the one that is read, ${from}`,
      'Name the file to write, or choose another --format or --precision.',
    );
  if (path.resolve(from) === path.resolve(to))
    throw new UserError(
      `--out: expected another file than the one that is read, received ${to}`,
      'Choose another name.',
    );
}
