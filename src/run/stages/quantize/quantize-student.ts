import { keptFloat } from '../../../compress/quantize/float-layers.ts';
import { prepareInt8, withDenseScales } from '../../../compress/quantize/prepare.ts';
import { openerFor } from '../../../runtime/recipe-options.ts';
import { monotonicMs } from '../../../base/clock.ts';
import type { OnProgress } from '../../../base/progress.ts';
import { withFloatLayers } from '../../../compress/quantize/kept.ts';
import type { Calibrated } from '../../../compress/quantize/ptq.ts';
import { quantize } from '../../../compress/quantize/ptq.ts';
import type { DenseScales } from '../../../graph/quantization.ts';
import type { Graph } from '../../../graph/types.ts';
import { idOf } from '../../../report/artifact.ts';
import { qatStage, reducedForm } from '../../../report/forms.ts';
import type { QuantizationSensitivity } from '../../../report/types.ts';
import { NEEDS_STRONG } from '../../../recipe/schema/loss.ts';
import type { Int16Recipe, Int8AfterTraining, Int8Recipe, QuantizeRecipe } from '../../../recipe/schema/compress.ts';
import type { Recipe } from '../../../recipe/schema.ts';
import type { FitContext, StageContext } from '../../context.ts';
import type { ShipContext } from '../../../ship/context.ts';
import { taskOf } from '../../../tasks/registry.ts';
import { progressOf } from '../../../train/progress.ts';
import type { Answers } from '../teacher/answer.ts';
import type { ExportedModel } from '../../../ship/export.ts';
import { lossOf, trainForInt8 } from './qat.ts';
import { chooseDenseScales } from './dense-scales.ts';
import type { DenseChoice } from './dense-scales.ts';
import { calibrationSamples, growing, rankLayers } from '../../../ship/quantize.ts';
import { tflite } from '../../../ship/tflite-variant.ts';
import { int8Variants, reducedVariants } from '../../../ship/variants.ts';
import { writeVariants } from '../../../ship/write.ts';
import type { FormStep, Refused, Shipped, Write, WriteStep } from '../../../ship/write.ts';

/** One quantization of the recipe. */
interface QuantizeStep extends WriteStep {
  readonly lessons: Answers | undefined;
}

/** Writes the files of all quantizations of the recipe. */
export async function quantizeStudent(
  context: FitContext & ShipContext,
  model: ExportedModel,
  lessons: Answers | undefined,
  write: Write,
): Promise<Shipped> {
  const files: ExportedModel[] = [];
  let sensitivity: QuantizationSensitivity | undefined;
  const { dense, notes: chosen } = await denseScalesOf(context, model);
  const notes = [...chosen];
  for (const number of context.recipe.quantize.keys()) {
    const made = await quantizeModel(context, model, { number, lessons, dense, write });
    files.push(...made.files);
    notes.push(...made.notes);
    sensitivity ??= made.sensitivity;
  }
  return { files, notes, sensitivity };
}

/** Only TFLite files need the choice: ONNX Runtime always accepts a scale for each output. */
async function denseScalesOf(
  context: Pick<StageContext, 'recipe' | 'data' | 'processes' | 'onEvent' | 'done'>,
  model: ExportedModel,
): Promise<DenseChoice> {
  const { export: formats, quantize: steps } = context.recipe;
  const isAsked =
    formats.includes('tflite') && steps.some(({ scheme }) => scheme.includes('int8') || scheme === 'int16x8');
  if (!isAsked) return { dense: 'channel', notes: [] };
  const stage = 'dense-scales';
  context.onEvent({ type: 'stage', stage, title: 'choosing the scales of dense layers' });
  const start = monotonicMs();
  const choice = await chooseDenseScales(context, model);
  await context.done(stage, (monotonicMs() - start) / 1000, {}, { dense: choice.dense });
  return choice;
}

/** One quantization of the recipe: from the float weights, or after training if the recipe asks for training or the score drops too much. */
async function quantizeModel(
  context: FitContext & ShipContext,
  model: ExportedModel,
  step: QuantizeStep,
): Promise<Shipped> {
  const { recipe } = context;
  const { number } = step;
  const settings = recipe.quantize[number]!;
  if (settings.scheme === 'int8' && settings.method === 'qat') return trainAndQuantize(context, model, step, settings);
  const stage = `quantize-${number + 1}`;
  context.onEvent({ type: 'stage', stage, title: `quantizing ${idOf(model)} to ${settings.scheme}` });
  const form = reducedForm(recipe.quantize, number, 'ptq');
  const ptq = await afterTraining(context, model, { ...step, form }, settings);
  // Writing the files was a stage of its own, so the ledger needs a row for this stage.
  await context.done(stage, undefined, {}, { method: 'ptq', scheme: settings.scheme });
  if (ptq.refused === undefined || settings.fallback !== 'qat') return ptq;
  const { file, seconds, validation, drop } = ptq.refused;
  const figures = { score: { validation }, params: model.params, macs: model.macs, sizeBytes: file.bytes.length };
  const notes = { drop, method: 'ptq', scheme: settings.scheme, shipped: false };
  await context.done(`ptq-${number + 1}`, seconds, figures, notes);
  const qat = await trainAndQuantize(context, model, step, settings);
  return { files: [...ptq.files, ...qat.files], notes: [...ptq.notes, ...qat.notes], sensitivity: ptq.sensitivity };
}

/** Writes the files of a quantization without training. */
function afterTraining(
  context: ShipContext,
  model: ExportedModel,
  step: FormStep,
  settings: Exclude<QuantizeRecipe, { method: 'qat' }>,
): Promise<Shipped & { readonly refused?: Refused }> {
  if (settings.scheme === 'int16x8') return writeInt16(context, model, step, settings);
  if (settings.scheme === 'int8') return writeInt8(context, model, step, settings);
  return writeVariants(context, model, model, reducedVariants(context, settings.scheme, step.dense), step);
}

async function trainAndQuantize(
  context: FitContext & ShipContext,
  model: ExportedModel,
  step: QuantizeStep,
  settings: Int8Recipe,
): Promise<Shipped> {
  const { recipe } = context;
  const { number, lessons, dense } = step;
  const kept = keptFloat(settings, model.graph, taskOf(context.data.train));
  const keepFloat = (layer: string): boolean => kept.includes(layer);
  const trained = await trainForInt8(context, model, {
    stage: qatStage(number),
    step: settings,
    number,
    lessons,
    keepFloat,
    calibrate: (graph) => calibrate(context, graph, { ...settings, dense }, progressOf(context, qatStage(number))),
  });
  const variants = int8Variants(context, trained.quantization, trained.skipped, keepFloat);
  const form = reducedForm(recipe.quantize, number, 'qat');
  const made = await writeVariants(context, model, trained.model, variants, { ...step, form });
  return { ...made, notes: [...lossNote(recipe, lessons, qatStage(number)), ...made.notes] };
}

/** Note for a quantization that is trained with another loss than the student. */
function lossNote(recipe: Recipe, lessons: Answers | undefined, stage: string): string[] {
  const [asked, used] = [recipe.distill.loss, lossOf(recipe, lessons)];
  if (lessons === undefined || used === asked) return [];
  const why = NEEDS_STRONG.has(asked)
    ? 'which needs a second view of each sample'
    : 'whose inner tensors are folded away before quantization';
  return [`${stage}: trained by ${used} instead of ${asked}, ${why}`];
}

/**
 * Writes int8 files after training, format by format. If the score drops by more than `maxDrop` and the step has a fallback, more and more of the
 * most sensitive layers stay in float.
 */
async function writeInt8(
  context: ShipContext,
  model: ExportedModel,
  step: FormStep,
  settings: Int8AfterTraining,
): Promise<Shipped & { readonly refused?: Refused }> {
  const { recipe } = context;
  const requested = keptFloat(settings, model.graph, taskOf(context.data.train));
  const samples = calibrationSamples(context, model.graph, settings.samples);
  const onProgress = progressOf(context, `quantize-${step.number + 1}`);
  // ONNX files always have a scale for each output of a dense layer.
  const dense = recipe.export.includes('onnx') ? 'channel' : step.dense;
  const asked = { ...settings, biasCorrection: true, kept: requested };
  const prepared = await prepareInt8(openerFor(recipe), model.graph, { ...asked, dense }, samples, onProgress);
  const onTflite =
    dense === step.dense
      ? prepared
      : await withDenseScales(openerFor(recipe), prepared, { ...asked, dense: step.dense }, samples);
  const sensitivity = await rankLayers(context, prepared, model, onProgress);
  const layers = sensitivity.rows.map(({ layer }) => layer);
  const all: Shipped[] = [];
  let refused: Refused | undefined;
  for (const format of recipe.export.filter((one) => typeof one === 'string')) {
    const { graph, float, quantization, skipped } = format === 'tflite' ? onTflite : prepared;
    const write = async (kept: readonly string[], hasMore: boolean) => {
      const keepFloat = (layer: string): boolean => kept.includes(layer);
      const variants = int8Variants(context, quantization, skipped, keepFloat);
      return writeVariants(
        context,
        model,
        { ...model, graph: withFloatLayers(graph, float, keepFloat) },
        variants.filter((one) => one.format === format),
        { ...step, hasMore },
      );
    };
    const more = settings.fallback === 'keep-float' ? [...growing(layers.length)] : [];
    let made = await write(requested, more.length > 0);
    for (const [i, count] of more.entries()) {
      if (made.refused === undefined) break;
      made = await write([...requested, ...layers.slice(0, count)], i + 1 < more.length);
    }
    all.push(made);
    refused ??= made.refused;
  }
  const files = all.flatMap((made) => made.files);
  const notes = all.flatMap((made) => made.notes);
  return { files, notes, sensitivity, ...(refused !== undefined && { refused }) };
}

/** Writes 16-bit activations with 8-bit weights: TFLite only. */
async function writeInt16(
  context: ShipContext,
  model: ExportedModel,
  step: FormStep,
  settings: Int16Recipe,
): Promise<Shipped> {
  const kept = keptFloat(settings, model.graph, taskOf(context.data.train));
  const keepFloat = (layer: string): boolean => kept.includes(layer);
  const samples = calibrationSamples(context, model.graph, settings.samples);
  const onProgress = progressOf(context, `quantize-${step.number + 1}`);
  const ptq = { ...settings, dense: step.dense, kept };
  const prepared = await prepareInt8(openerFor(context.recipe), model.graph, ptq, samples, onProgress);
  const { graph, float, quantization, skipped } = prepared;
  const file = tflite(context, 'int16x8', { precision: 'integer', quantization, keepFloat });
  const make: typeof file.make = (...from) => {
    const made = file.make(...from);
    return { ...made, skipped: [...skipped, ...made.skipped] };
  };
  const ready = { ...model, graph: withFloatLayers(graph, float, keepFloat) };
  return writeVariants(context, model, ready, [{ ...file, make }], step);
}

/** Measures ranges of activations on samples of the training split without augmentation, drawn once for the recipe. */
async function calibrate(
  context: Pick<StageContext, 'recipe' | 'data'>,
  graph: Graph,
  { calibrator, samples, dense }: Pick<Int8Recipe, 'calibrator' | 'samples'> & { readonly dense: DenseScales },
  onProgress: OnProgress,
): Promise<Calibrated> {
  const feeds = calibrationSamples(context, graph, samples);
  return quantize(graph, feeds, { calibrator, open: openerFor(context.recipe), dense, onProgress });
}
