import { monotonicMs } from '../../base/clock.ts';
import { answers, accuracyOf as accuracyOfLogits } from '../../distill/preflight.ts';
import type { Teacher } from '../../distill/teacher.ts';
import type { Dataset } from '../../data/dataset.ts';
import { accuracyOf } from '../../measure/accuracy.ts';
import type { ModelRow } from '../../report/types.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../engine.ts';
import type { ExportedModel } from './export.ts';

export interface Measured {
  readonly id: string;
  readonly repeat: number;
  readonly row: ModelRow;
  readonly exported?: ExportedModel;
}

/** Accuracy of a file that ships, as it is: on the validation split, and once on the test split. */
export async function measure(context: StageContext, exported: ExportedModel): Promise<Measured> {
  const { data, recipe } = context;
  const start = monotonicMs();
  const { id, repeat, file, bytes, params, macs, trained } = exported;
  const model = new InferenceModel(bytes, file, sessionOptionsOf(recipe));
  const on = (split: Dataset): Promise<number> => accuracyOf(model, split);
  const accuracy = {
    validation: await on(data.validation),
    test: data.test === undefined ? null : await on(data.test),
  };
  model.dispose();
  const figures = { accuracy: given(accuracy), params, macs, sizeBytes: bytes.length, file };
  await context.done(`measure ${file}`, (monotonicMs() - start) / 1000, figures);
  const stage = id === 'distilled' ? 'distill' : id === 'teacher' ? 'teach' : id;
  const row = {
    id,
    stage,
    format: 'onnx',
    precision: 'fp32',
    params,
    macs,
    sizeBytes: bytes.length,
    file,
    accuracy,
    seconds: trained.seconds,
    latency: [],
  };
  return { id, repeat, row, exported };
}

/** Accuracy of a teacher that came as a file. */
export async function measureTeacher(context: StageContext, teacher: Teacher): Promise<Measured> {
  const { data } = context;
  const start = monotonicMs();
  const on = async (split: Dataset): Promise<number> => {
    const rows = Int32Array.from({ length: split.count }, (_, i) => i);
    return accuracyOfLogits(await answers(teacher, split, rows), split.labels, teacher.classes);
  };
  const accuracy = {
    validation: await on(data.validation),
    test: data.test === undefined ? null : await on(data.test),
  };
  const { params, sizeBytes } = teacher;
  const seconds = (monotonicMs() - start) / 1000;
  await context.done('measure teacher', seconds, { accuracy: given(accuracy), params, sizeBytes });
  const row = {
    id: 'teacher',
    stage: 'teach',
    format: 'onnx',
    precision: 'fp32',
    params,
    macs: null,
    sizeBytes,
    file: null,
    accuracy,
    seconds: 0,
    latency: [],
  };
  return { id: 'teacher', repeat: 0, row };
}

function given({ validation, test }: { validation: number; test: number | null }) {
  return test === null ? { validation } : { validation, test };
}
