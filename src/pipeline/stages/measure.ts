import { monotonicMs } from '../../base/clock.ts';
import { answers } from '../../distill/preflight.ts';
import type { Teacher } from '../../distill/teacher.ts';
import type { Dataset } from '../../data/dataset.ts';
import { agreement, classesOf, confusionOf } from '../../measure/accuracy.ts';
import type { ModelRow } from '../../report/types.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../engine.ts';
import { predictionsOfFile } from '../model-file.ts';
import type { ExportedModel } from './export.ts';

export interface Measured {
  readonly id: string;
  readonly repeat: number;
  readonly row: ModelRow;
  readonly exported?: ExportedModel;
}

/** Accuracy of a file that ships, as it is: on the validation split, and once on the test split. */
export async function measure(context: StageContext, exported: ExportedModel): Promise<Measured> {
  const { recipe } = context;
  const start = monotonicMs();
  const { id, repeat, file, bytes, format, precision, params, macs, trained } = exported;
  const session = sessionOptionsOf(recipe);
  const { accuracy, confusion } = await evaluate(context, (split) => predictionsOfFile(exported, split, session));
  const figures = { accuracy: given(accuracy), params, macs, sizeBytes: bytes.length, file };
  await context.done(`measure ${file}`, (monotonicMs() - start) / 1000, figures);
  const made = id.replace(/-tflite$/, '');
  const trainedBy = made === 'distilled' ? 'distill' : made === 'teacher' ? 'teach' : made.replace(/^pruned/, 'prune');
  const stage = precision === 'fp32' ? trainedBy : 'quantize';
  const row = {
    id,
    stage,
    format,
    precision,
    params,
    macs,
    sizeBytes: bytes.length,
    file,
    accuracy,
    seconds: trained.seconds,
    latency: [],
    ...confusion,
  };
  return { id, repeat, row, exported };
}

/** Accuracy of a teacher that came as a file. */
export async function measureTeacher(context: StageContext, teacher: Teacher): Promise<Measured> {
  const start = monotonicMs();
  const { accuracy, confusion } = await evaluate(context, async (split) => {
    const rows = Int32Array.from({ length: split.count }, (_, i) => i);
    return classesOf(await answers(teacher, split, rows), teacher.classes);
  });
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
    ...confusion,
  };
  return { id: 'teacher', repeat: 0, row };
}

/** With more classes a confusion matrix is larger than anybody reads, and than the rest of the report. */
const MOST_CLASSES = 40;

async function evaluate({ data }: StageContext, predict: (split: Dataset) => Promise<Int32Array>) {
  const validation = await predict(data.validation);
  const test = data.test && (await predict(data.test));
  const accuracy = {
    validation: agreement(validation, data.validation.labels),
    test: test === undefined || data.test === undefined ? null : agreement(test, data.test.labels),
  };
  const classes = data.classNames.length;
  if (classes > MOST_CLASSES) return { accuracy };
  const [split, predicted] = test === undefined ? (['validation', validation] as const) : (['test', test] as const);
  const counts = confusionOf(predicted, data[split]!.labels, classes);
  return { accuracy, confusion: { confusion: { split, counts } } };
}

function given({ validation, test }: { validation: number; test: number | null }) {
  return test === null ? { validation } : { validation, test };
}
