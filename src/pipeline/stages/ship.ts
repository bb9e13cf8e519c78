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
import type { ExportedModel } from './export.ts';
import { checkFile } from './parity.ts';

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
export async function shipModel(context: StageContext, model: ExportedModel, write: Write): Promise<Shipped> {
  const { recipe } = context;
  const files: ExportedModel[] = [];
  const notes: string[] = [];
  if (recipe.export.includes('tflite')) {
    const { file, skipped } = await makeFile(context, model, tflite(context, 'fp32', { precision: 'float32' }));
    files.push(await finish(context, file, write));
    notes.push(...skipped);
  }
  for (const number of recipe.quantize.keys()) {
    const made = await quantizeModel(context, model, number, write);
    files.push(...made.files);
    notes.push(...made.notes);
  }
  for (const message of notes) context.onEvent({ type: 'message', message });
  return { files, notes };
}

/** Quantization `number` (from 0) of the recipe, from the float weights. */
async function quantizeModel(
  context: StageContext,
  model: ExportedModel,
  number: number,
  write: Write,
): Promise<Shipped> {
  const { recipe } = context;
  const step = recipe.quantize[number]!;
  const files: ExportedModel[] = [];
  const notes: string[] = [];
  for (const variant of await reducedVariants(context, model.graph, step)) {
    if (!recipe.export.includes(variant.format)) continue;
    const start = monotonicMs();
    const made = await makeFile(context, model, { ...variant, ending: endingOf(recipe, number) });
    const tooMuch = await excessDrop(context, model, made.file, number);
    if (tooMuch !== undefined) notes.push(tooMuch);
    else {
      files.push(await finish(context, made.file, write, start));
      notes.push(...made.skipped);
    }
  }
  return { files, notes };
}

/** What the names of a step's files end with: its scheme, and a number if others have the same. */
function endingOf({ quantize: steps }: Recipe, number: number): string {
  const { scheme } = steps[number]!;
  const before = steps.slice(0, number).filter((step) => step.scheme === scheme).length;
  return before === 0 ? scheme : `${scheme}-${before + 1}`;
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

/** Why a file with fewer bits is not shipped: it loses more on the validation split than the recipe allows. */
async function excessDrop(
  context: StageContext,
  model: ExportedModel,
  file: ModelFile,
  number: number,
): Promise<string | undefined> {
  const { recipe, data } = context;
  const { maxDrop, fallback } = recipe.quantize[number]!;
  const accuracy = async (of: ModelFile): Promise<number> =>
    agreement(await predictionsOfFile(of, data.validation, sessionOptionsOf(recipe)), data.validation.labels);
  const drop = 100 * ((await accuracy(model)) - (await accuracy(file)));
  if (drop <= maxDrop) return undefined;
  const fact = `${file.file}: ${file.precision} loses ${drop.toFixed(2)} points of validation accuracy, more than quantize.${number}.maxDrop ${maxDrop}`;
  if (fallback !== 'stop') return `${fact}; it was not written, and the float files ship alone`;
  throw new UserError(fact, 'Choose another calibrator, raise maxDrop, or set fallback to keep-float.');
}
