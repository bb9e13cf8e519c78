import { UserError } from '../base/errors.ts';
import { unchangedTexts } from '../base/skipped.ts';
import { monotonicMs } from '../base/clock.ts';
import { taskOf } from '../tasks/registry.ts';
import type { DenseScales } from '../graph/quantization.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { fileOf } from '../report/artifact.ts';
import type { Artifact } from '../report/artifact.ts';
import type { Reduced } from '../report/forms.ts';
import type { ParitySummary, QuantizationSensitivity } from '../report/types.ts';
import type { ShipContext } from './context.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import type { ModelFile } from './model-file.ts';
import { progressOf } from '../train/progress.ts';
import { scoreOfFile } from './model-file.ts';
import type { ExportedModel } from './export.ts';
import { checkVariant, DifferentAnswers } from './parity/check-file.ts';
import type { Variant } from './variant.ts';
import { sizedContent } from '../files/onnx-file.ts';
import { loadDescription } from './description.ts';
import { taskRow } from '../recipe/task.ts';
import type { QuantizeRecipe } from '../recipe/schema/compress.ts';

export interface Shipped {
  readonly files: readonly ExportedModel[];
  /** One sentence each: what stays float32, what was not written, and why. */
  readonly notes: readonly string[];
  /** Loss of score that each layer causes in int8. */
  readonly sensitivity?: QuantizationSensitivity | undefined;
}

export type Write = (file: string, bytes: OnnxContent) => Promise<void>;

export interface WriteStep {
  /** Place in the recipe, from 0. */
  readonly number: number;
  /** Scales of dense layers in TFLite files, and in ONNX files that share the result of a search or training on these scales. */
  readonly dense: DenseScales;
  readonly write: Write;
}

export interface FormStep extends WriteStep {
  readonly form: Reduced;
}

export interface Refused {
  readonly file: ModelFile;
  readonly seconds: number;
  readonly validation: number;
  /** Loss of score, as `Score.lost` has it. */
  readonly drop: number;
}

/** Files of `made`, each written unless it loses more than the step allows against the float file `model`. */
export async function writeVariants(
  context: ShipContext,
  model: ExportedModel,
  made: ExportedModel,
  variants: readonly Variant[],
  { number, form, write, hasMore = false }: Omit<FormStep, 'dense'> & { readonly hasMore?: boolean },
): Promise<Shipped & { readonly refused?: Refused }> {
  await loadDescription(taskRow(context.data.validation.task).form);
  const files: ExportedModel[] = [];
  const notes: string[] = [];
  let refused: Refused | undefined;
  for (const variant of variants) {
    if (!context.recipe.export.includes(variant.format)) continue;
    const start = monotonicMs();
    const { artifact, file, skipped } = makeBytes(made, variant, form);
    const trained = form.method === 'qat';
    // Whether it loses too much is part of quantizing it; what follows is about the file.
    const stage = trained ? made.stage : `quantize-${number + 1}`;
    context.onEvent({ type: 'stage', stage });
    const { validation, drop, tooMuch } = await dropOf(context, model, file, stage, number);
    const check = () => checkVariant(context, made, file, variant.make);
    if (tooMuch === undefined) context.onEvent({ type: 'stage', stage: `export ${file.file}` });
    const parity = tooMuch === undefined ? await unlessDifferent(check) : undefined;
    if (typeof parity === 'object') {
      const stage = trained ? made.stage : 'quantize';
      const { make } = variant;
      files.push(
        await finish(context, { ...made, ...file, ...artifact, stage, parity, make }, write, start, { validation }),
      );
      notes.push(...skipped);
      continue;
    }
    const fact = tooMuch ?? parity!;
    const then = whatFollows(context.recipe.quantize[number]!, { trained, hasMore });
    if (then === undefined) {
      const canPass = tooMuch !== undefined && typeof (await unlessDifferent(check)) === 'object';
      throw new UserError(fact, remedyOf(context.recipe.quantize[number]!, number, canPass ? drop : undefined));
    }
    notes.push(`${fact}; ${then}`);
    refused ??= { file, seconds: (monotonicMs() - start) / 1000, validation, drop };
  }
  return { files, notes, ...(refused !== undefined && { refused }) };
}

interface Made {
  readonly artifact: Artifact;
  readonly file: ModelFile;
  /** One sentence each. */
  readonly skipped: readonly string[];
}

function makeBytes({ model, graph }: ExportedModel, variant: Variant, form: Reduced): Made {
  const { format, precision } = variant;
  const artifact = { model, format, precision, ...form };
  const file = fileOf(artifact);
  const { bytes: content, skipped } = variant.make(graph);
  const bytes = sizedContent(file, content);
  return {
    artifact,
    file: { file, bytes, format, precision },
    skipped: unchangedTexts(skipped).map((text) => `${file}: ${text}`),
  };
}

/** A file that was run beside the training graph, not yet written. */
export async function makeFile(
  context: ShipContext,
  model: ExportedModel,
  variant: Variant,
): Promise<{ file: ExportedModel; skipped: readonly string[] }> {
  await loadDescription(taskRow(context.data.validation.task).form);
  const { artifact, file, skipped } = makeBytes(model, variant, {});
  context.onEvent({ type: 'stage', stage: `export ${file.file}` });
  const parity = await checkVariant(context, model, file, variant.make);
  return { file: { ...model, ...file, ...artifact, parity, make: variant.make }, skipped };
}

export async function finish(
  context: ShipContext,
  file: ExportedModel,
  write: Write,
  start = monotonicMs(),
  score?: { readonly validation: number },
): Promise<ExportedModel> {
  await write(file.file, file.bytes);
  const { params, macs, bytes } = file;
  const known = score && { score, params, macs };
  const figures = { file: file.file, sizeBytes: bytes.length, ...known };
  await context.done(`export ${file.file}`, (monotonicMs() - start) / 1000, figures);
  return file;
}

/** Scores of float files on the validation split, by their content: each file of fewer bits is compared with the same one. */
const floatScores = new WeakMap<object, Promise<number>>();

/** Loss of a file with fewer bits on the validation split, and the sentence that it is more than the quantization allows. `stage`: its time is counted for it. */
async function dropOf(
  context: ShipContext,
  model: ExportedModel,
  file: ModelFile,
  stage: string,
  number: number,
): Promise<{ readonly validation: number; readonly drop: number; readonly tooMuch?: string }> {
  const { recipe, data, processes: turns } = context;
  const { maxDrop } = recipe.quantize[number]!;
  const onProgress = progressOf(context, stage);
  const { score } = taskOf(data.validation);
  const scored = async (of: ModelFile): Promise<number> => {
    return scoreOfFile(of, data.validation, { session: sessionOptionsOf(recipe), onProgress, turns });
  };
  const validation = await scored(file);
  const float = floatScores.get(model.bytes) ?? scored(model);
  floatScores.set(model.bytes, float);
  const drop = score.lost(await float, validation);
  if (drop <= maxDrop) return { validation, drop };
  const tooMuch = `${file.file}: ${file.precision} loses ${score.lossText(drop)}, more than quantize[${number}].maxDrop ${maxDrop}`;
  return { validation, drop, tooMuch };
}

/** Result of a check, or the sentence that the file answers otherwise than its training graph. */
async function unlessDifferent(check: () => Promise<ParitySummary>): Promise<ParitySummary | string> {
  return check().catch((error: unknown) => {
    if (error instanceof DifferentAnswers) return error.message;
    throw error;
  });
}

/** The fallback of a file that is refused, as the end of a sentence; undefined where the run stops. */
function whatFollows(
  { fallback }: QuantizeRecipe,
  { trained, hasMore }: { readonly trained: boolean; readonly hasMore: boolean },
): string | undefined {
  if (fallback === 'qat' && !trained) return 'it was not written, and the student is trained with quantization';
  if (hasMore) return 'more layers are kept in float';
  return fallback === 'stop' ? undefined : 'it was not written, and the float files ship alone';
}

/** Changes of the recipe that let the run go on: of keys that this quantization has. `drop`: the loss, if this file may pass with it. */
function remedyOf(settings: QuantizeRecipe, number: number, drop: number | undefined): string {
  const key = `quantize[${number}]`;
  const isByLayer = settings.scheme === 'int8' && settings.method === 'ptq';
  const kept = isByLayer ? 'the most sensitive layers stay in float' : 'the float files ship alone';
  const enough = drop === undefined ? Infinity : Math.ceil(100 * drop) / 100;
  return [
    `Set ${key}.fallback: keep-float, by which ${kept}`,
    ...(enough <= 100 ? [`or ${key}.maxDrop to ${enough} or more`] : []),
    ...('calibrator' in settings ? [`or try another ${key}.calibrator`] : []),
  ]
    .join(', ')
    .concat('.');
}
