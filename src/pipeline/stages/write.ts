import { UserError } from '../../base/errors.ts';
import { monotonicMs } from '../../base/clock.ts';
import { agreement } from '../../measure/accuracy.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { QuantizationSensitivity } from '../../report/types.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../engine.ts';
import type { ModelFile } from '../model-file.ts';
import { predictionsOfFile } from '../model-file.ts';
import type { Answers } from './answer.ts';
import type { ExportedModel } from './export.ts';
import { checkVariant } from './parity.ts';
import type { QuantizeRecipe } from './quantize.ts';
import type { Variant } from './variants.ts';

export interface Shipped {
  readonly files: readonly ExportedModel[];
  /** One sentence each: what stays float32, what was not written, and why. */
  readonly notes: readonly string[];
  /** Which layer loses how much in int8. */
  readonly sensitivity?: QuantizationSensitivity | undefined;
}

export type Write = (file: string, bytes: Uint8Array) => Promise<void>;

export interface QuantizeStep {
  /** Place in the recipe, from 0. */
  readonly number: number;
  readonly lessons: Answers | undefined;
  readonly write: Write;
}

export interface Refused {
  readonly file: ModelFile;
  readonly seconds: number;
  readonly validation: number;
  /** In percentage points. */
  readonly drop: number;
}

/** Files of `made`, each written unless it loses more than the step allows against the float file `model`. */
export async function writeVariants(
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
    // Whether it loses too much is part of quantizing it; what follows is about the file.
    context.onEvent({ type: 'stage', stage: made.stage ?? `quantize-${number + 1}` });
    const { validation, drop, tooMuch } = await dropOf(context, model, file, { number, trained, hasMore });
    if (tooMuch === undefined) {
      context.onEvent({ type: 'stage', stage: `export ${file.file}` });
      const parity = await checkVariant(context, made, file, variant.make);
      files.push(await finish(context, { ...made, ...file, id, parity }, write, start, { validation }));
      notes.push(...skipped);
      continue;
    }
    notes.push(tooMuch);
    refused ??= { file, seconds: (monotonicMs() - start) / 1000, validation, drop };
  }
  return { files, notes, ...(refused !== undefined && { refused }) };
}

/** What the names of a step's files end with: its scheme, whether it was trained, and a number if others have the same. */
export function endingOf({ quantize: steps }: Recipe, number: number, method: QuantizeRecipe['method']): string {
  const { scheme } = steps[number]!;
  const ending = method === 'qat' ? `${scheme}-qat` : scheme;
  const before = steps.slice(0, number).filter((step) => {
    return step.scheme === scheme && (step.method === method || (method === 'qat' && step.fallback === 'qat'));
  }).length;
  return before === 0 ? ending : `${ending}-${before + 1}`;
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
  context.onEvent({ type: 'stage', stage: `export ${file.file}` });
  const parity = await checkVariant(context, model, file, variant.make);
  return { file: { ...model, ...file, id, parity }, skipped };
}

export async function finish(
  context: StageContext,
  file: ExportedModel,
  write: Write,
  start = monotonicMs(),
  accuracy?: { readonly validation: number },
): Promise<ExportedModel> {
  await write(file.file, file.bytes);
  const { params, macs, bytes } = file;
  const known = accuracy && { accuracy, params, macs };
  const figures = { file: file.file, sizeBytes: bytes.length, ...known };
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
