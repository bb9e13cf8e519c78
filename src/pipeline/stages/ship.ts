import { UserError } from '../../base/errors.ts';
import { monotonicMs } from '../../base/clock.ts';
import { RandomStream } from '../../base/random.ts';
import { quantize } from '../../compress/quantize/ptq.ts';
import { viewOf } from '../../data/batches.ts';
import { halveModel } from '../../formats/onnx/half.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { exportQdq } from '../../formats/onnx/qdq/qdq.ts';
import type { Skipped } from '../../formats/skipped.ts';
import { exportTflite } from '../../formats/tflite/export.ts';
import type { TfliteOptions } from '../../formats/tflite/export.ts';
import type { Quantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import { agreement } from '../../measure/accuracy.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../engine.ts';
import type { ModelFile } from '../model-file.ts';
import { predictionsOfFile } from '../model-file.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Answers } from './answer.ts';
import type { ExportedModel } from './export.ts';
import { checkFile } from './parity.ts';
import { trainForInt8 } from './qat.ts';

type QuantizeRecipe = Recipe['quantize'][number];

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
  if (recipe.export.includes('tflite')) {
    const { file, skipped } = await makeFile(context, model, tflite(context, 'fp32', { precision: 'float32' }));
    files.push(await finish(context, file, write));
    notes.push(...skipped);
  }
  for (const number of recipe.quantize.keys()) {
    const made = await quantizeModel(context, model, { number, lessons, write });
    files.push(...made.files);
    notes.push(...made.notes);
  }
  for (const message of notes) context.onEvent({ type: 'message', message });
  return { files, notes };
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
  const variants = await reducedVariants(context, model.graph, settings);
  const ptq = await writeVariants(context, model, model, variants, { ...step, ending });
  if (ptq.refused === undefined || settings.fallback !== 'qat') return ptq;
  const { file, seconds, validation, drop } = ptq.refused;
  const figures = { accuracy: { validation }, params: model.params, macs: model.macs, sizeBytes: file.bytes.length };
  const notes = { drop, method: 'ptq', scheme: settings.scheme, shipped: false };
  await context.done(`ptq-${number + 1}`, seconds, figures, notes);
  const qat = await trainAndQuantize(context, model, step);
  return { files: [...ptq.files, ...qat.files], notes: [...ptq.notes, ...qat.notes] };
}

async function trainAndQuantize(context: StageContext, model: ExportedModel, step: QuantizeStep): Promise<Shipped> {
  const { recipe } = context;
  const { number, lessons } = step;
  const settings = recipe.quantize[number]!;
  const trained = await trainForInt8(context, model, {
    ...{ stage: `qat-${number + 1}`, step: settings, number, lessons },
    calibrate: (graph) => calibrate(context, graph, settings),
  });
  const variants = int8Variants(context, trained.quantization, trained.skipped);
  const ending = endingOf(recipe, number, 'qat');
  return writeVariants(context, model, trained.model, variants, { ...step, ending });
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
  { number, ending, write }: QuantizeStep & { readonly ending: string },
): Promise<Shipped & { readonly refused?: Refused }> {
  const files: ExportedModel[] = [];
  const notes: string[] = [];
  let refused: Refused | undefined;
  for (const variant of variants) {
    if (!context.recipe.export.includes(variant.format)) continue;
    const start = monotonicMs();
    const { file, skipped } = await makeFile(context, made, { ...variant, ending });
    const { validation, drop, tooMuch } = await dropOf(context, model, file, { number, trained: made !== model });
    if (tooMuch === undefined) {
      files.push(await finish(context, file, write, start));
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

async function reducedVariants(context: StageContext, graph: Graph, step: QuantizeRecipe): Promise<Variant[]> {
  if (step.scheme === 'fp16') return halfVariants(context);
  const { result, skipped } = await calibrate(context, graph, step);
  return int8Variants(context, result, skipped);
}

export function halfVariants(context: StageContext): Variant[] {
  const { name } = context.recipe;
  const onnx: Variant = {
    ...{ format: 'onnx', precision: 'fp16' },
    make: (graph) => {
      const { result, skipped } = halveModel(lowerToOnnx(graph, { name }));
      return { bytes: encodeModel(result), skipped };
    },
  };
  return [onnx, tflite(context, 'fp16', { precision: 'float16' })];
}

export function int8Variants(
  context: StageContext,
  quantization: Quantization,
  skipped: readonly Skipped[],
): Variant[] {
  const { name } = context.recipe;
  const onnx: Variant = {
    ...{ format: 'onnx', precision: 'int8' },
    make: (graph) => {
      const made = exportQdq(graph, quantization, { name });
      return { bytes: encodeModel(made.result), skipped: [...skipped, ...made.skipped] };
    },
  };
  return [onnx, tflite(context, 'int8', { precision: 'integer', quantization })];
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
  const { recipe, data } = context;
  const { train } = data;
  const order = new RandomStream(recipe.seed, 'calibration').permutation(train.count);
  const rows = order.slice(0, Math.min(samples, train.count));
  const [input] = graph.inputs.keys();
  const feeds = Array.from({ length: Math.ceil(rows.length / CALIBRATION_BATCH) }, (_, i) => {
    const some = rows.slice(i * CALIBRATION_BATCH, (i + 1) * CALIBRATION_BATCH);
    const x = viewOf(train, some, { seed: 0, view: 0, augment: [] });
    return { [input!]: { data: x, shape: [some.length, ...train.sampleShape] } };
  });
  return quantize(graph, feeds, { calibrator, session: sessionOptionsOf(recipe) });
}

const CALIBRATION_BATCH = 32;

/** A file that was run beside the training graph, not yet written. */
export async function makeFile(
  context: StageContext,
  model: ExportedModel,
  variant: Variant,
): Promise<{ file: ExportedModel; skipped: string[] }> {
  const { format, precision } = variant;
  const { bytes, skipped } = variant.make(model.graph);
  const ending = variant.ending ?? (precision === 'fp32' ? '' : precision);
  const name = ending === '' ? model.id : `${model.id}-${ending}`;
  const file: ModelFile = { file: `exports/${name}.${format}`, bytes, format, precision };
  const parity = await checkFile(context, model, file, variant.make);
  const id = format === 'onnx' ? name : `${name}-${format}`;
  return {
    file: { ...model, ...file, id, parity },
    skipped: skipped.map(({ what, why }) => `${file.file}: ${what} stays as it was: ${why}`),
  };
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
  { number, trained }: { readonly number: number; readonly trained: boolean },
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
  if (fallback !== 'stop')
    return { validation, drop, tooMuch: `${fact}; it was not written, and the float files ship alone` };
  throw new UserError(fact, 'Choose another calibrator, raise maxDrop, or set fallback to keep-float.');
}
