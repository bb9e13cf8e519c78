import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { monotonicMs } from '../../../base/clock.ts';
import { freeBuffers } from '../../../base/process/memory.ts';
import type { Teacher } from '../../../distill/teachers/teacher.ts';
import type { Dataset } from '../../../data/dataset.ts';
import { usualAnswers } from '../../../measure/usual-answers.ts';
import type { Described } from '../../../tasks/described.ts';
import { taskOf } from '../../../tasks/registry.ts';
import { taskOfWidth } from '../../../tasks/task.ts';
import { idOf, nameOf, stageOf, TEACHER } from '../../../report/artifact.ts';
import type { ModelRow } from '../../../report/types.ts';
import type { StageContext } from '../../context.ts';
import { sessionOptionsOf } from '../../../runtime/recipe-options.ts';
import { logitsOfFile } from '../../../ship/model-file.ts';
import type { ExportedModel } from '../../../ship/export.ts';
import { keptAnswers } from './kept-answers.ts';
import { contentBytes } from '../../../formats/onnx/protobuf.ts';

export interface MeasuredModels {
  readonly row: ModelRow;
  /** Outputs for the samples of the split that the scores are from, [samples, width]. Large ones are read from a file at each call. */
  readonly answers: () => Float32Array;
  readonly exported?: ExportedModel;
}

/** Scores an exported file on the validation split, and once on the test split. */
export async function measure(
  context: Pick<StageContext, 'recipe' | 'data' | 'processes' | 'onEvent' | 'done'>,
  exported: ExportedModel,
): Promise<MeasuredModels> {
  const { recipe, processes: turns } = context;
  const start = monotonicMs();
  const { model, stage, file, bytes, format, precision, method, number, params, macs, trained } = exported;
  context.onEvent({ type: 'stage', stage: `measure ${file}` });
  const session = sessionOptionsOf(recipe);
  const {
    score,
    answers: said,
    ...quality
  } = await evaluate(context, (split) => logitsOfFile(exported, split, { session, turns }), {
    isServed: format === 'onnx',
    threshold: exported.threshold,
  });
  freeBuffers();
  const figures = { score: given(score), params, macs, sizeBytes: bytes.length, file };
  await context.done(`measure ${file}`, (monotonicMs() - start) / 1000, figures);
  const row = {
    id: idOf(exported),
    model,
    stage,
    format,
    precision,
    ...(method !== undefined && { method }),
    ...(number !== undefined && { number }),
    params,
    macs,
    sizeBytes: bytes.length,
    gzipBytes: await gzipSize(contentBytes(bytes)),
    file,
    score,
    seconds: trained.seconds,
    latency: [],
    ...quality,
  };
  return { row, answers: said, exported };
}

/** Scores a teacher that is given as a file. */
export async function measureTeacher(
  context: Pick<StageContext, 'recipe' | 'data' | 'processes' | 'onEvent' | 'done'>,
  teacher: Teacher,
): Promise<MeasuredModels> {
  const { plainLogits } = await import('../../../distill/preflight/preflight.ts');
  context.onEvent({ type: 'stage', stage: 'measure teacher' });
  const start = monotonicMs();
  const {
    score,
    answers: said,
    ...quality
  } = await evaluate(context, async (split) => {
    const rows = Int32Array.from({ length: split.count }, (_, i) => i);
    return plainLogits(teacher, split, rows, { turns: context.processes });
  });
  freeBuffers();
  const { params, sizeBytes } = teacher;
  const { teacherFigures } = await import('../../teacher-figures.ts');
  const { format, macs } = await teacherFigures(
    context.recipe.teacher!,
    teacher.sampleShape ?? context.data.train.sampleShape,
  );
  const seconds = (monotonicMs() - start) / 1000;
  await context.done('measure teacher', seconds, { score: given(score), params, sizeBytes });
  const row = {
    id: nameOf(TEACHER),
    model: TEACHER,
    stage: stageOf(TEACHER),
    format,
    precision: 'fp32' as const,
    params,
    macs,
    sizeBytes,
    file: null,
    score,
    seconds: 0,
    latency: [],
    ...quality,
  };
  return { row, answers: said };
}

async function evaluate(
  { data }: Pick<StageContext, 'data'>,
  answersOf: (split: Dataset) => Promise<Float32Array>,
  { isServed = false, threshold }: { readonly isServed?: boolean; readonly threshold?: number | undefined } = {},
) {
  const onValidation = await answersOf(data.validation);
  const task = taskOfWidth(taskOf(data.validation), onValidation.length / data.validation.count);
  freeBuffers();
  const onTest = data.test && (await answersOf(data.test));
  const score = {
    validation: task.scoreOf(onValidation, data.validation.targets),
    test: onTest === undefined ? null : task.scoreOf(onTest, data.test!.targets),
  };
  const split = onTest === undefined ? ('validation' as const) : ('test' as const);
  const [answers, { targets }] = [onTest ?? onValidation, data[split]!];
  const found = Object.entries(
    task.describe(answers, targets, { answers: onValidation, targets: data.validation.targets, threshold }),
  );
  // Each part names its split.
  const parts = Object.fromEntries(found.map(([name, part]) => [name, { split, ...(part as object) }]));
  return {
    score,
    answers: keptAnswers(answers, answers.length / data[split]!.count),
    ...(isServed && task.classes && { usual: usualAnswers(answers, task.width, split) }),
    ...(parts as Parts),
  };
}

type Parts = Pick<ModelRow, keyof Described>;

function given({ validation, test }: { validation: number; test: number | null }) {
  return test === null ? { validation } : { validation, test };
}

/** Bytes of a file as a server sends it, compressed. */
async function gzipSize(parts: Iterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const part of Readable.from(parts).pipe(createGzip({ level: 9 }))) size += (part as Buffer).length;
  return size;
}
