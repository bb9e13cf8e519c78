import { gzipSync } from 'node:zlib';
import { monotonicMs } from '../../base/clock.ts';
import { answers } from '../../distill/preflight.ts';
import type { Teacher } from '../../distill/teacher.ts';
import type { Dataset } from '../../data/dataset.ts';
import { agreement, classesOf, confusionOf, perClassOf } from '../../measure/accuracy.ts';
import { calibrationOf } from '../../measure/calibration.ts';
import type { ModelRow } from '../../report/types.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../engine.ts';
import { logitsOfFile } from '../model-file.ts';
import { teacherFigures } from '../teacher-figures.ts';
import type { ExportedModel } from './export.ts';

export interface Measured {
  readonly id: string;
  readonly repeat: number;
  readonly row: ModelRow;
  /** What it says about the samples of the split that figures are from. */
  readonly predicted: Int32Array;
  readonly exported?: ExportedModel;
}

/** Accuracy of a file that ships, as it is: on the validation split, and once on the test split. */
export async function measure(context: StageContext, exported: ExportedModel): Promise<Measured> {
  const { recipe } = context;
  const start = monotonicMs();
  const { id, repeat, file, bytes, format, precision, params, macs, trained } = exported;
  context.onEvent({ type: 'stage', stage: `measure ${file}` });
  const session = sessionOptionsOf(recipe);
  const { accuracy, predicted, ...quality } = await evaluate(context, (split) =>
    logitsOfFile(exported, split, session),
  );
  const figures = { accuracy: given(accuracy), params, macs, sizeBytes: bytes.length, file };
  await context.done(`measure ${file}`, (monotonicMs() - start) / 1000, figures);
  const made = id.replace(/-tflite$/, '');
  const trainedBy = made === 'distilled' ? 'distill' : made === 'teacher' ? 'teach' : made.replace(/^pruned/, 'prune');
  const stage = exported.stage ?? (precision === 'fp32' ? trainedBy : 'quantize');
  const row = {
    id,
    stage,
    format,
    precision,
    params,
    macs,
    sizeBytes: bytes.length,
    gzipBytes: gzipSync(bytes, { level: 9 }).length,
    file,
    accuracy,
    seconds: trained.seconds,
    latency: [],
    ...quality,
  };
  return { id, repeat, row, predicted, exported };
}

/** Accuracy of a teacher that came as a file. */
export async function measureTeacher(context: StageContext, teacher: Teacher): Promise<Measured> {
  context.onEvent({ type: 'stage', stage: 'measure teacher' });
  const start = monotonicMs();
  const { accuracy, predicted, ...quality } = await evaluate(context, async (split) => {
    const rows = Int32Array.from({ length: split.count }, (_, i) => i);
    return answers(teacher, split, rows);
  });
  const { params, sizeBytes } = teacher;
  const { format, macs } = await teacherFigures(context.recipe.teacher!);
  const seconds = (monotonicMs() - start) / 1000;
  await context.done('measure teacher', seconds, { accuracy: given(accuracy), params, sizeBytes });
  const row = {
    id: 'teacher',
    stage: 'teach',
    format,
    precision: 'fp32',
    params,
    macs,
    sizeBytes,
    file: null,
    accuracy,
    seconds: 0,
    latency: [],
    ...quality,
  };
  return { id: 'teacher', repeat: 0, row, predicted };
}

/** With more classes a confusion matrix is larger than anybody reads, and than the rest of the report. */
const MOST_CLASSES = 40;

async function evaluate({ data }: StageContext, logitsOf: (split: Dataset) => Promise<Float32Array>) {
  const classes = data.classNames.length;
  const onValidation = await logitsOf(data.validation);
  const onTest = data.test && (await logitsOf(data.test));
  const right = (logits: Float32Array, { labels }: Dataset): number => agreement(classesOf(logits, classes), labels);
  const accuracy = {
    validation: right(onValidation, data.validation),
    test: onTest === undefined ? null : right(onTest, data.test!),
  };
  const split = onTest === undefined ? ('validation' as const) : ('test' as const);
  const [logits, { labels }] = [onTest ?? onValidation, data[split]!];
  const predicted = classesOf(logits, classes);
  return {
    accuracy,
    predicted,
    calibration: { split, ...calibrationOf(logits, labels, classes) },
    ...(classes <= MOST_CLASSES
      ? { confusion: { split, counts: confusionOf(predicted, labels, classes) } }
      : { perClass: { split, ...perClassOf(predicted, labels, classes) } }),
  };
}

function given({ validation, test }: { validation: number; test: number | null }) {
  return test === null ? { validation } : { validation, test };
}
