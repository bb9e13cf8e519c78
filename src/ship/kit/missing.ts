import { UserError } from '../../base/errors.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { fileOf, idOf } from '../../report/artifact.ts';
import type { Artifact, ModelRef } from '../../report/artifact.ts';
import type { ModelRow, ParitySummary } from '../../report/types.ts';
import { convertModel } from '../convert.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import type { ModelFile } from '../model-file.ts';
import { scoreOfFile } from '../model-file.ts';
import { placeOf } from './place.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';

/** A file of a kit, with its row in the model card. */
export interface KitModel {
  readonly row: ModelRow;
  readonly bytes: Uint8Array;
}

export interface Completed {
  readonly models: readonly KitModel[];
  readonly parity: readonly ParitySummary[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}

/** Format and precision of a file. */
export interface WantedFile {
  readonly format: 'onnx' | 'tflite';
  readonly precision: 'fp32' | 'int8' | 'fp16';
}

/** Files that every kit has, as far as the run made them. */
const WANTED: readonly WantedFile[] = (['fp32', 'int8'] as const).flatMap((precision) =>
  (['onnx', 'tflite'] as const).map((format) => ({ format, precision })),
);

/**
 * The files that a kit, or `wanted`, wants and the run did not export, made of its float32 model: calibrated on the recipe's data,
 * compared with the float model there, and measured on the validation split. What the run itself refused is not made.
 */
export async function missingModels(
  run: string,
  model: ModelRef,
  rows: readonly ModelRow[],
  recipe: Recipe,
  validation: Dataset,
  wanted = WANTED,
): Promise<Completed> {
  const float = rows.find(({ format, precision }) => format === 'onnx' && precision === 'fp32');
  const models: KitModel[] = [];
  const parity: ParitySummary[] = [];
  const skipped: { what: string; why: string }[] = [];
  for (const { format, precision } of wanted) {
    if (rows.some((row) => row.format === format && row.precision === precision)) continue;
    const artifact: Artifact = { model, format, precision, ...(precision !== 'fp32' && { method: 'ptq' }) };
    const file = fileOf(artifact);
    const what = placeOf({ file });
    if (float === undefined) {
      skipped.push({ what, why: 'the run has no float32 ONNX file of this model to make it of' });
    } else if (refused(recipe, format, precision)) {
      skipped.push({ what, why: 'the run quantized this model and did not keep the file: see its report' });
    } else {
      try {
        const made = await convertModel(optionsFor({ run, model: float.id, format, precision }, recipe), what);
        const { top1Agreement, largestError, samples } = made;
        const bytes = inOnePiece(made.bytes, what, 'a kit');
        const score = await scoreOfFile({ file, bytes, format, precision }, validation, {
          session: sessionOptionsOf(recipe),
        });
        const figures = { sizeBytes: bytes.length, score: { validation: score, test: null }, latency: [], seconds: 0 };
        const { params, macs } = float;
        models.push({ row: { id: idOf(artifact), ...artifact, stage: 'kit', params, macs, file, ...figures }, bytes });
        if (largestError !== null)
          parity.push({ file, samples, largestError, ...(top1Agreement !== null && { top1Agreement }) });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        skipped.push({ what, why: error.message });
      }
    }
  }
  return { models, parity, skipped };
}

/** True if the run was to make the file, in which case it had a reason not to. */
function refused(recipe: Recipe, format: ModelFile['format'], precision: WantedFile['precision']): boolean {
  return (
    precision === 'int8' && recipe.export.includes(format) && recipe.quantize.some(({ scheme }) => scheme === 'int8')
  );
}

interface Wanted extends Pick<ModelFile, 'format' | 'precision'> {
  readonly run: string;
  readonly model: string;
}

/** Calibrated as the recipe says, if it says anything of int8. */
function optionsFor({ run, model, format, precision }: Wanted, { quantize }: Recipe) {
  const step = quantize.find((one) => one.scheme === 'int8');
  const { calibrator = 'mse' as const, samples = 512, keepFloat = [] } = step ?? {};
  return { from: run, model, format, precision, calibrator, samples, keepFloat, symmetric: false, opset: 17 };
}
