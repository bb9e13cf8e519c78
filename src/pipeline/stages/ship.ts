import { withFloatLayers } from '../../compress/quantize/kept.ts';
import { quantize } from '../../compress/quantize/ptq.ts';
import type { Skipped } from '../../formats/skipped.ts';
import type { Quantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import { idOf } from '../../report/artifact.ts';
import { qatStage, reducedForm } from '../../report/forms.ts';
import type { QuantizationSensitivity } from '../../report/types.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import type { Answers } from './answer.ts';
import type { ExportedModel } from './export.ts';
import { trainForInt8 } from './qat.ts';
import { prepareStep } from './adaround.ts';
import { calibrationSamples, growing, keptFloat, prepareInt8, rankLayers } from './quantize.ts';
import type { QuantizeRecipe } from './quantize.ts';
import { int8Variants, reducedVariants, tflite } from './variants.ts';
import { finish, makeFile, writeVariants } from './write.ts';
import type { FormStep, Refused, Shipped, Write, WriteStep } from './write.ts';

/** One quantization of the recipe. */
interface QuantizeStep extends WriteStep {
  readonly lessons: Answers | undefined;
}

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

/** One quantization of the recipe, from the float weights; after training if it is asked to train, or if it loses too much. */
async function quantizeModel(context: StageContext, model: ExportedModel, step: QuantizeStep): Promise<Shipped> {
  const { recipe } = context;
  const { number } = step;
  const settings = recipe.quantize[number]!;
  const { scheme } = settings;
  context.onEvent({
    ...{ type: 'stage', stage: `quantize-${number + 1}` },
    ...(settings.method === 'ptq' && { title: `quantizing ${idOf(model)} to ${scheme}` }),
  });
  if (settings.method === 'qat') return trainAndQuantize(context, model, step);
  const form = reducedForm(recipe.quantize, number, 'ptq');
  if (scheme === 'int16x8') return writeInt16(context, model, { ...step, form });
  const ptq =
    scheme === 'int8'
      ? await writeInt8(context, model, { ...step, form })
      : await writeVariants(context, model, model, reducedVariants(context, scheme), { ...step, form });
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
    ...{ stage: qatStage(number), step: settings, number, lessons, keepFloat },
    calibrate: (graph) => calibrate(context, graph, settings),
  });
  const variants = int8Variants(context, trained.quantization, trained.skipped, keepFloat);
  const form = reducedForm(recipe.quantize, number, 'qat');
  return writeVariants(context, model, trained.model, variants, { ...step, form });
}

/**
 * int8 after training, format by format. Where it loses too much, the most sensitive layers stay in float, more and more of
 * them until the drop is within `maxDrop`, if the step falls back so.
 */
async function writeInt8(
  context: StageContext,
  model: ExportedModel,
  step: FormStep,
): Promise<Shipped & { readonly refused?: Refused }> {
  const { recipe } = context;
  const settings = recipe.quantize[step.number]!;
  const asked = keptFloat(settings, model.graph);
  const samples = calibrationSamples(context, model.graph, settings.samples);
  const { prepared, notes: said } = await prepareStep(context, model.graph, { number: step.number, samples });
  // Rounding is a stage of its own; what follows is not part of it.
  context.onEvent({ type: 'stage', stage: `quantize-${step.number + 1}` });
  const sensitivity = await rankLayers(context, prepared, model);
  const layers = sensitivity.rows.map(({ layer }) => layer);
  const all: Shipped[] = [];
  let refused: Refused | undefined;
  for (const format of recipe.export) {
    const write = async (kept: readonly string[], hasMore: boolean) => {
      const keepFloat = (layer: string): boolean => kept.includes(layer);
      const variants = int8Variants(context, prepared.quantization, prepared.skipped, keepFloat);
      return writeVariants(
        context,
        model,
        { ...model, graph: withFloatLayers(prepared.graph, prepared.float, keepFloat) },
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
  const files = all.flatMap((made) => made.files);
  const notes = [...said, ...all.flatMap((made) => made.notes)];
  return { files, notes, sensitivity, ...(refused !== undefined && { refused }) };
}

/** Activations of 16 bits, weights of 8: a TFLite file alone. */
async function writeInt16(context: StageContext, model: ExportedModel, step: FormStep): Promise<Shipped> {
  const settings = context.recipe.quantize[step.number]!;
  const kept = keptFloat(settings, model.graph);
  const keepFloat = (layer: string): boolean => kept.includes(layer);
  const samples = calibrationSamples(context, model.graph, settings.samples);
  const { graph, float, quantization, skipped } = await prepareInt8(context.recipe, model.graph, settings, samples);
  const file = tflite(context, 'int16x8', { precision: 'integer', quantization, keepFloat });
  const make: typeof file.make = (from) => {
    const made = file.make(from);
    return { ...made, skipped: [...skipped, ...made.skipped] };
  };
  const ready = { ...model, graph: withFloatLayers(graph, float, keepFloat) };
  return writeVariants(context, model, ready, [{ ...file, make }], step);
}

/** Ranges of the activations on samples of the training split, drawn once for the recipe, as they are without augmentation. */
async function calibrate(
  context: StageContext,
  graph: Graph,
  { calibrator, samples }: Pick<QuantizeRecipe, 'calibrator' | 'samples'> = { calibrator: 'mse', samples: 512 },
): Promise<{ result: Quantization; skipped: Skipped[] }> {
  const feeds = calibrationSamples(context, graph, samples);
  return quantize(graph, feeds, { calibrator, session: sessionOptionsOf(context.recipe) });
}
