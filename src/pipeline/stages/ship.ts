import { UserError } from '../../base/errors.ts';
import { monotonicMs } from '../../base/clock.ts';
import { quantize } from '../../compress/quantize/ptq.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { exportQdq } from '../../formats/onnx/qdq/qdq.ts';
import { lowerReduced } from '../../formats/onnx/reduce.ts';
import type { Reduction } from '../../formats/onnx/reduce.ts';
import type { Skipped } from '../../formats/skipped.ts';
import { exportTflite } from '../../formats/tflite/export.ts';
import type { TfliteOptions } from '../../formats/tflite/export.ts';
import type { Quantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import { agreement } from '../../measure/accuracy.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../engine.ts';
import { onnxOptions } from '../metadata.ts';
import type { ModelFile } from '../model-file.ts';
import { predictionsOfFile } from '../model-file.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { QuantizationSensitivity } from '../../report/types.ts';
import type { Answers } from './answer.ts';
import type { ExportedModel } from './export.ts';
import { checkFile } from './parity.ts';
import { trainForInt8 } from './qat.ts';
import { calibrationSamples, growing, keptFloat, prepareInt8, rankLayers } from './quantize.ts';
import type { QuantizeRecipe } from './quantize.ts';

/** One file to make of an inference graph. */
export interface Variant extends Pick<ModelFile, 'format' | 'precision'> {
  /** What stands behind the model's name in that of the file; the precision, and nothing for fp32. */
  readonly ending?: string;
  readonly make: (graph: Graph) => { readonly bytes: Uint8Array; readonly skipped: readonly Skipped[] };
}

export interface Shipped {
  readonly files: readonly ExportedModel[];
  /** One sentence each: what stays float32, what was not written, and why. */
  readonly notes: readonly string[];
  /** Which layer loses how much in int8. */
  readonly sensitivity?: QuantizationSensitivity | undefined;
}

type Write = (file: string, bytes: Uint8Array) => Promise<void>;

/** The files that the recipe asks for beyond the fp32 ONNX file of every student: TFLite, and both in fewer bits. */
export async function shipModel(
  context: StageContext,
  model: ExportedModel,
  lessons: Answers | undefined,
  write: Write,
): Promise<Shipped> {
  const { recipe } = context;
  const files: ExportedModel[] = [];
  const notes: string[] = [];
  let sensitivity: QuantizationSensitivity | undefined;
  if (recipe.export.includes('tflite')) {
    const { file, skipped } = await makeFile(context, model, tflite(context, 'fp32', { precision: 'float32' }));
    files.push(await finish(context, file, write));
    notes.push(...skipped);
  }
  for (const number of recipe.quantize.keys()) {
    const made = await quantizeModel(context, model, { number, lessons, write });
    files.push(...made.files);
    notes.push(...made.notes);
    sensitivity ??= made.sensitivity;
  }
  for (const message of notes) context.onEvent({ type: 'message', message });
  return { files, notes, sensitivity };
}

interface QuantizeStep {
  /** Place in the recipe, from 0. */
  readonly number: number;
  readonly lessons: Answers | undefined;
  readonly write: Write;
}

/** One quantization of the recipe, from the float weights; after training if it is asked to train, or if it loses too much. */
async function quantizeModel(context: StageContext, model: ExportedModel, step: QuantizeStep): Promise<Shipped> {
  const { recipe } = context;
  const { number } = step;
  const settings = recipe.quantize[number]!;
  if (settings.method === 'qat') return trainAndQuantize(context, model, step);
  const ending = endingOf(recipe, number, 'ptq');
  const ptq =
    settings.scheme === 'int8'
      ? await writeInt8(context, model, { ...step, ending })
      : await writeVariants(context, model, model, reducedVariants(context, settings.scheme), { ...step, ending });
  if (ptq.refused === undefined || settings.fallback !== 'qat') return ptq;
  const { file, seconds, validation, drop } = ptq.refused;
  const figures = { accuracy: { validation }, params: model.params, macs: model.macs, sizeBytes: file.bytes.length };
  const notes = { drop, method: 'ptq', scheme: settings.scheme, shipped: false };
  await context.done(`ptq-${number + 1}`, seconds, figures, notes);
  const qat = await trainAndQuantize(context, model, step);
  return { files: [...ptq.files, ...qat.files], notes: [...ptq.notes, ...qat.notes], sensitivity: ptq.sensitivity };
}

async function trainAndQuantize(context: StageContext, model: ExportedModel, step: QuantizeStep): Promise<Shipped> {
  const { recipe } = context;
  const { number, lessons } = step;
  const settings = recipe.quantize[number]!;
  const kept = keptFloat(settings, model.graph);
  const keepFloat = (layer: string): boolean => kept.includes(layer);
  const trained = await trainForInt8(context, model, {
    ...{ stage: `qat-${number + 1}`, step: settings, number, lessons, keepFloat },
    calibrate: (graph) => calibrate(context, graph, settings),
  });
  const variants = int8Variants(context, trained.quantization, trained.skipped, keepFloat);
  const ending = endingOf(recipe, number, 'qat');
  return writeVariants(context, model, trained.model, variants, { ...step, ending });
}

/**
 * int8 after training, format by format. Where it loses too much, the most sensitive layers stay in float, more and more of
 * them until the drop is within `maxDrop`, if the step falls back so.
 */
async function writeInt8(
  context: StageContext,
  model: ExportedModel,
  step: QuantizeStep & { readonly ending: string },
): Promise<Shipped & { readonly refused?: Refused }> {
  const { recipe } = context;
  const settings = recipe.quantize[step.number]!;
  const asked = keptFloat(settings, model.graph);
  const samples = calibrationSamples(context, model.graph, settings.samples);
  const all: Shipped[] = [];
  let refused: Refused | undefined;
  let sensitivity: QuantizationSensitivity | undefined;
  for (const format of recipe.export) {
    const prepared = await prepareInt8(recipe, model.graph, settings, samples, format);
    const from = { ...model, graph: prepared.graph };
    sensitivity ??= await rankLayers(context, prepared, model);
    const layers = sensitivity.rows.map(({ layer }) => layer);
    const write = async (kept: readonly string[], hasMore: boolean) => {
      const keepFloat = (layer: string): boolean => kept.includes(layer);
      const variants = int8Variants(context, prepared.quantization, prepared.skipped, keepFloat);
      return writeVariants(
        context,
        model,
        from,
        variants.filter((one) => one.format === format),
        { ...step, hasMore },
      );
    };
    const more = settings.fallback === 'keep-float' ? [...growing(layers.length)] : [];
    let made = await write(asked, more.length > 0);
    for (const [i, count] of more.entries()) {
      if (made.refused === undefined) break;
      made = await write([...asked, ...layers.slice(0, count)], i + 1 < more.length);
    }
    all.push(made);
    refused ??= made.refused;
  }
  const [files, notes] = [all.flatMap((made) => made.files), all.flatMap((made) => made.notes)];
  return { files, notes, sensitivity, ...(refused !== undefined && { refused }) };
}

interface Refused {
  readonly file: ModelFile;
  readonly seconds: number;
  readonly validation: number;
  /** In percentage points. */
  readonly drop: number;
}

/** Files of `made`, each written unless it loses more than the step allows against the float file `model`. */
async function writeVariants(
  context: StageContext,
  model: ExportedModel,
  made: ExportedModel,
  variants: readonly Variant[],
  { number, ending, write, hasMore = false }: QuantizeStep & { readonly ending: string; readonly hasMore?: boolean },
): Promise<Shipped & { readonly refused?: Refused }> {
  const files: ExportedModel[] = [];
  const notes: string[] = [];
  let refused: Refused | undefined;
  for (const variant of variants) {
    if (!context.recipe.export.includes(variant.format)) continue;
    const start = monotonicMs();
    const { id, file, skipped } = fileOf(made, { ...variant, ending });
    const trained = made.stage !== undefined;
    const { validation, drop, tooMuch } = await dropOf(context, model, file, { number, trained, hasMore });
    if (tooMuch === undefined) {
      const parity = await checkFile(context, made, file, variant.make);
      files.push(await finish(context, { ...made, ...file, id, parity }, write, start));
      notes.push(...skipped);
      continue;
    }
    notes.push(tooMuch);
    refused ??= { file, seconds: (monotonicMs() - start) / 1000, validation, drop };
  }
  return { files, notes, ...(refused !== undefined && { refused }) };
}

/** What the names of a step's files end with: its scheme, whether it was trained, and a number if others have the same. */
function endingOf({ quantize: steps }: Recipe, number: number, method: QuantizeRecipe['method']): string {
  const { scheme } = steps[number]!;
  const ending = method === 'qat' ? `${scheme}-qat` : scheme;
  const before = steps.slice(0, number).filter((step) => {
    return step.scheme === scheme && (step.method === method || (method === 'qat' && step.fallback === 'qat'));
  }).length;
  return before === 0 ? ending : `${ending}-${before + 1}`;
}

/** Without calibration: in half precision, or with weights of few bits. */
function reducedVariants(context: StageContext, scheme: Reduction): Variant[] {
  const onnx: Variant = {
    ...{ format: 'onnx', precision: scheme },
    make: (graph) => {
      const { result, skipped } = lowerReduced(graph, scheme, onnxOptions(context));
      return { bytes: encodeModel(result), skipped };
    },
  };
  if (scheme === 'int4') return [onnx];
  return [onnx, tflite(context, scheme, { precision: scheme === 'fp16' ? 'float16' : 'dynamic' })];
}

export function int8Variants(
  context: StageContext,
  quantization: Quantization,
  skipped: readonly Skipped[],
  keepFloat: (layer: string) => boolean = () => false,
): Variant[] {
  const onnx: Variant = {
    ...{ format: 'onnx', precision: 'int8' },
    make: (graph) => {
      const made = exportQdq(graph, quantization, { ...onnxOptions(context), keepFloat });
      return { bytes: encodeModel(made.result), skipped: [...skipped, ...made.skipped] };
    },
  };
  return [onnx, tflite(context, 'int8', { precision: 'integer', quantization, keepFloat })];
}

function tflite(context: StageContext, precision: Variant['precision'], options: TfliteOptions): Variant {
  const { recipe, data } = context;
  const description = { name: recipe.name, labels: data.classNames };
  return { format: 'tflite', precision, make: (graph) => exportTflite(graph, { ...options, description }) };
}

/** Ranges of the activations on samples of the training split, drawn once for the recipe, as they are without augmentation. */
export async function calibrate(
  context: StageContext,
  graph: Graph,
  { calibrator, samples }: Pick<QuantizeRecipe, 'calibrator' | 'samples'> = { calibrator: 'mse', samples: 512 },
): Promise<{ result: Quantization; skipped: Skipped[] }> {
  const feeds = calibrationSamples(context, graph, samples);
  return quantize(graph, feeds, { calibrator, session: sessionOptionsOf(context.recipe) });
}

interface Made {
  readonly id: string;
  readonly file: ModelFile;
  /** One sentence each. */
  readonly skipped: readonly string[];
}

function fileOf(model: ExportedModel, variant: Variant): Made {
  const { format, precision } = variant;
  const { bytes, skipped } = variant.make(model.graph);
  const ending = variant.ending ?? (precision === 'fp32' ? '' : precision);
  const name = ending === '' ? model.id : `${model.id}-${ending}`;
  const file = `exports/${name}.${format}`;
  return {
    id: format === 'onnx' ? name : `${name}-${format}`,
    file: { file, bytes, format, precision },
    skipped: skipped.map(({ what, why }) => `${file}: ${what} stays as it was: ${why}`),
  };
}

/** A file that was run beside the training graph, not yet written. */
export async function makeFile(
  context: StageContext,
  model: ExportedModel,
  variant: Variant,
): Promise<{ file: ExportedModel; skipped: readonly string[] }> {
  const { id, file, skipped } = fileOf(model, variant);
  const parity = await checkFile(context, model, file, variant.make);
  return { file: { ...model, ...file, id, parity }, skipped };
}

async function finish(context: StageContext, file: ExportedModel, write: Write, start = monotonicMs()) {
  await write(file.file, file.bytes);
  const figures = { file: file.file, sizeBytes: file.bytes.length };
  await context.done(`export ${file.file}`, (monotonicMs() - start) / 1000, figures);
  return file;
}

/** What a file with fewer bits loses on the validation split, and why it is not shipped if that is too much. */
async function dropOf(
  context: StageContext,
  model: ExportedModel,
  file: ModelFile,
  { number, trained, hasMore }: { readonly number: number; readonly trained: boolean; readonly hasMore: boolean },
): Promise<{ readonly validation: number; readonly drop: number; readonly tooMuch?: string }> {
  const { recipe, data } = context;
  const { maxDrop, fallback } = recipe.quantize[number]!;
  const accuracy = async (of: ModelFile): Promise<number> =>
    agreement(await predictionsOfFile(of, data.validation, sessionOptionsOf(recipe)), data.validation.labels);
  const validation = await accuracy(file);
  const drop = 100 * ((await accuracy(model)) - validation);
  if (drop <= maxDrop) return { validation, drop };
  const fact = `${file.file}: ${file.precision} loses ${drop.toFixed(2)} points of validation accuracy, more than quantize.${number}.maxDrop ${maxDrop}`;
  if (fallback === 'qat' && !trained)
    return { validation, drop, tooMuch: `${fact}; it was not written, and the student is trained with quantization` };
  if (hasMore) return { validation, drop, tooMuch: `${fact}; more layers are kept in float` };
  if (fallback !== 'stop')
    return { validation, drop, tooMuch: `${fact}; it was not written, and the float files ship alone` };
  throw new UserError(fact, 'Choose another calibrator, raise maxDrop, or set fallback to keep-float.');
}
