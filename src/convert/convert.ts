import { UserError } from '../base/errors.ts';
import { STREAMS } from '../base/streams.ts';
import type { Feeds } from '../compress/quantize/observe.ts';
import { inOnePiece } from '../formats/onnx/large.ts';
import { describeTflite } from '../formats/tflite/describe/describe.ts';
import type { Model } from '../formats/onnx/model.ts';
import type { Graph } from '../graph/types.ts';
import type { TracedFile } from './first-layer.ts';
import { layersIn } from './inspect.ts';
import type { Layer } from './inspect.ts';
import { sourceGraph, sourceModel } from './read.ts';
import type { ReadOptions } from './read.ts';
import { noRuntime, openerIn } from './runtime.ts';
import type { OrtModule } from './runtime.ts';
import { STREAM_FORM } from './streams.ts';
import { writeFrom } from './write.ts';
import type { Made, WriteOptions } from './write.ts';

/** Inputs of one call of a model, by name. */
export type Sample = Feeds;

export interface ConversionOptions extends ReadOptions {
  readonly to: 'tflite' | 'onnx';
  /** Default fp32. `int8` and `int16x8` need samples and a runtime; `int4` is for ONNX, `int16x8` for TFLite. */
  readonly precision?: 'fp32' | 'fp16' | 'int8' | 'int8-weights' | 'int16x8' | 'int4';
  /** Inputs of the model, on which the converter measures the ranges of activations: 128 samples or more, of every kind that the model will be asked about. */
  readonly samples?: readonly Sample[];
  /** `onnxruntime-node` or `onnxruntime-web`: calibrates, and computes constants of models that need that. */
  readonly runtime?: OrtModule | undefined;
  /** Takes the mean error of rounding back from the biases of int8 layers. Default true. */
  readonly correctBiases?: boolean;
  readonly calibrator?: WriteOptions['calibrator'];
  /** Layers that stay in float. */
  readonly keepFloat?: readonly string[];
  /** Operator set of an ONNX file. Default 17. */
  readonly opset?: number;
  /** Samples that a TFLite file takes at once. Default 1. */
  readonly batch?: 1 | 'dynamic';
  /** The new file takes a hop at a time and keeps its past. */
  readonly stream?: boolean;
  readonly onProgress?: WriteOptions['onProgress'];
}

export interface Conversion {
  /** Bytes by the name of the file. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Sentences on where the files differ from the options, such as a layer that stays float32. */
  readonly notes: readonly string[];
  readonly layers: readonly Layer[];
}

/**
 * Converts an ONNX or Keras file to TFLite or ONNX, in memory. `UserError` with a remedy for what cannot be read or written. The new file is not
 * compared with its source: `compare` does that.
 */
export async function convert(bytes: Uint8Array, options: ConversionOptions): Promise<Conversion> {
  refuse(options);
  const source = await readSource(bytes, options);
  const { corrected, uncorrected } = await conversionsOf(source, options);
  return (options.correctBiases === false ? (uncorrected ?? corrected) : corrected).conversion;
}

/** A file that was read, with its inference graph. */
export interface ReadSource {
  readonly file: string;
  readonly model: Model;
  readonly graph: Graph;
}

export async function readSource(
  bytes: Uint8Array,
  options: ReadOptions & Pick<ConversionOptions, 'runtime'>,
): Promise<ReadSource> {
  const { name: file = 'model', runtime } = options;
  const model = await sourceModel(bytes, options);
  return { file, model, graph: await sourceGraph(model, file, runtime) };
}

/** A conversion, with the tensors by which `firstLayer` finds a difference. */
export interface TracedConversion {
  readonly conversion: Conversion;
  readonly traced: TracedFile;
}

/** The new file, and the same with biases that were not corrected; that is absent where none was. */
export async function conversionsOf(
  { file, model, graph }: ReadSource,
  options: ConversionOptions,
): Promise<{ readonly corrected: TracedConversion; readonly uncorrected: TracedConversion | undefined }> {
  const { to, precision: asked = 'fp32', runtime, samples = [] } = options;
  const precision = asked === 'int8-weights' ? 'dynamic-int8' : asked;
  const name = file.replace(/^.*[/\\]/, '').replace(/\.(onnx|keras|h5|hdf5)$/i, '');
  if (isCalibrated(asked)) for (const sample of samples) refuseSample(sample, graph, file);
  const written = await writeFrom(
    { graph, metadata: model.metadata },
    samples,
    {
      name,
      format: to,
      precision,
      calibrator: options.calibrator ?? 'mse',
      keepFloat: options.keepFloat ?? [],
      symmetric: false,
      opset: options.opset ?? 17,
      batch: options.batch ?? 1,
      stream: options.stream === true ? await STREAM_FORM.load(STREAMS) : undefined,
      onProgress: options.onProgress,
    },
    {
      open: (content, label) => {
        if (runtime === undefined) throw noRuntime(file, `${precision} has to be calibrated`);
        return openerIn(runtime)(content, label);
      },
      describe: (metadata) => {
        const entries = [...metadata].filter(([key]) => key === 'stream');
        return { name, description: 'Made by limbeck.', ...(entries.length > 0 && { entries: new Map(entries) }) };
      },
      answers: 'logits',
      fields: [],
    },
  );
  const lost = to === 'tflite' ? [...model.metadata.keys()].filter((key) => DESCRIBED.includes(key)) : [];
  const traced = ({ bytes: content, skipped, tensors }: Made): TracedConversion => {
    const made = inOnePiece(content, file, 'a conversion in memory');
    const conversion = {
      files: new Map([[`${fileName(name, options)}.${to}`, made]]),
      notes: [
        ...skipped.map(({ what, why }) => `${what}: ${why}`),
        ...(lost.length > 0
          ? [
              `The metadata ${lost.join(', ')} of the source are not in the TFLite file: limbeck export --from writes them.`,
            ]
          : []),
      ],
      layers: to === 'tflite' ? describeTflite(made).layers : layersIn(graph),
    };
    return { conversion, traced: { bytes: made, precision, tensors } };
  };
  const { uncorrected } = written;
  return { corrected: traced(written), uncorrected: uncorrected && traced(uncorrected) };
}

function fileName(name: string, { precision = 'fp32', stream = false }: ConversionOptions): string {
  return [name, ...(precision === 'fp32' ? [] : [precision]), ...(stream ? ['stream'] : [])].join('-');
}

/** Keys of ONNX metadata that `limbeck export --from` writes into the metadata of a TFLite file, and this function does not. */
const DESCRIBED: readonly string[] = [
  'author',
  'check',
  'classOutput',
  'columns',
  'inputs',
  'labels',
  'license',
  'output',
  'preprocessing',
  'recipeSha256',
  'sound',
  'targets',
  'text',
  'threshold',
];

const isCalibrated = (precision: ConversionOptions['precision']): boolean =>
  precision === 'int8' || precision === 'int16x8';

const FORMATS: readonly string[] = ['tflite', 'onnx'];
const PRECISIONS: readonly string[] = ['fp32', 'fp16', 'int8', 'int8-weights', 'int16x8', 'int4'];

function refuse(options: ConversionOptions): void {
  const { to, precision = 'fp32', samples = [], runtime, name: file = 'model' } = options;
  if (!FORMATS.includes(to)) throw new UserError(`to: expected tflite or onnx, received ${to}`, 'Choose one of them.');
  if (!PRECISIONS.includes(precision))
    throw new UserError(
      `precision: expected one of ${PRECISIONS.join(', ')}, received ${precision}`,
      'Choose one of them.',
    );
  if (precision === 'int16x8' && to === 'onnx')
    throw new UserError('precision int16x8: expected tflite, received onnx', 'Choose int8 for ONNX.');
  if (precision === 'int4' && to === 'tflite')
    throw new UserError('precision int4: expected onnx, received tflite', 'Choose int8 for TFLite.');
  if (options.stream === true && options.batch === 'dynamic')
    throw new UserError(
      'batch dynamic: expected 1 for a stream, received dynamic',
      'Leave it out: a past has one size.',
    );
  if (!isCalibrated(precision)) return;
  if (samples.length === 0)
    throw new UserError(
      `${file}: ${precision} needs samples that calibrate it, received none`,
      'Give `samples` as the model is fed: [{ input: { data: Float32Array, shape: [1, 3, 224, 224] } }]; int8-weights needs none.',
    );
  if (runtime === undefined) throw noRuntime(file, `${precision} has to be calibrated`);
}

/** Throws a `UserError` for a sample that the model cannot be fed, or that holds a number that is none. */
function refuseSample(sample: Sample, { inputs }: Graph, file: string): void {
  for (const [name, { shape }] of inputs) {
    const given = sample[name];
    const fits =
      given !== undefined &&
      given.shape.length === shape.length &&
      shape.every((size, i) => typeof size === 'string' || size === given.shape[i]) &&
      given.data.length === given.shape.reduce((product, size) => product * size, 1);
    const expected = `${file}: expected samples of the input ${name} [${shape.join(', ')}]`;
    if (!fits)
      throw new UserError(
        `${expected}, received ${given === undefined ? Object.keys(sample).join(', ') || 'none' : `[${given.shape.join(', ')}] with ${given.data.length} numbers`}`,
        'Give them as the model is fed: names, layout, size and normalization included.',
      );
    if (given.data instanceof Float32Array && !given.data.every(Number.isFinite))
      throw new UserError(
        `${expected}, received numbers that are infinite or NaN`,
        'Leave such samples out: they would decide the ranges of all layers.',
      );
  }
}
