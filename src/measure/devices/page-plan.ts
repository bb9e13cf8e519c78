import { readEntries } from '../../formats/tflite/metadata/entries.ts';
import { readTflite } from '../../formats/tflite/read.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import { modelEnds } from '../../runtime/litert.ts';
import { sessionOptions } from '../../runtime/onnxruntime/session-choice.ts';
import { MOST_BATCH } from './device-rows.ts';
import { sizes, takesIds } from '../inputs.ts';
import type { ModelInput } from '../inputs.ts';
import { reasonOf } from '../reason.ts';
import type { Skipped } from '../../base/skipped.ts';
import type { Plan, PlannedModel } from '../page/protocol.ts';
import type { TimedFile } from '../latency/variants.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';

export interface PlanOptions {
  readonly title: string;
  readonly batchSizes: readonly number[];
  readonly threads: readonly number[];
  readonly seconds: number;
  readonly sampleShape?: readonly number[] | undefined;
}

/** The plan of measurements for a page; files are named by the ids of their models. Unreadable files are skipped. */
export function pagePlanOf(files: readonly TimedFile[], options: PlanOptions): { plan: Plan; skipped: Skipped[] } {
  const skipped: Skipped[] = [];
  const models = files.flatMap((file, i): PlannedModel[] => {
    try {
      return [planned(file, i, options, skipped)];
    } catch (error) {
      skipped.push({ what: file.name, why: reasonOf(error, file.name) });
      return [];
    }
  });
  const { title, threads, seconds } = options;
  return { plan: { title, models, threads, seconds }, skipped };
}

function planned(file: TimedFile, i: number, options: PlanOptions, skipped: Skipped[]): PlannedModel {
  const format = (file.format ?? file.name).endsWith('.onnx') ? 'onnx' : 'tflite';
  const bytes = inOnePiece(file.bytes, file.name, 'a page');
  const ends = format === 'onnx' ? onnxInputs(file) : modelEnds(readTflite(bytes)).inputs;
  const isIds = format === 'onnx' ? takesIds(file.bytes, file.name) : readEntries(readTflite(bytes), bytes).has('text');
  const settings = options.batchSizes.flatMap((batchSize) => {
    if (batchSize > MOST_BATCH) {
      skipped.push({
        what: `${file.name} at batch ${batchSize}`,
        why: `a page measures batches of at most ${MOST_BATCH}`,
      });
      return [];
    }
    const inputs = sizes(file.name, ends, batchSize, options.sampleShape, skipped)?.map((end) => ({
      ...end,
      ...(isIds && { isIds }),
    }));
    return inputs === undefined ? [] : [{ batchSize, inputs }];
  });
  return { id: file.name, format, url: `models/${i}`, settings };
}

function onnxInputs({ name, bytes }: TimedFile): ModelInput[] {
  const model = new InferenceModel(bytes, name, sessionOptions('cpu', { threads: 1 }));
  model.dispose();
  return model.inputs.map((input) => ({
    name: input.name,
    dtype: input.dtype,
    shape: input.shape.map((size) => (typeof size === 'number' ? size : -1)),
  }));
}
