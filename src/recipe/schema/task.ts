import { dataType } from '../data-types.ts';
import { DECODERS } from '../decoders.ts';
import type { z } from 'zod';
import { DEFAULT_TASK, fieldNames, isLossFor, MIXES, TASKS, taskRow } from '../task.ts';
import type { AnswersPer, TaskName } from '../task.ts';
import { LOSSES, NEEDS_PEER } from './loss.ts';
import type { LossName } from './loss.ts';
import type { DecoderRecipe } from './teacher.ts';
import { refuseForWords } from './words.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** The recipe as written, with the defaults of its task. */
export function withTaskDefaults(data: unknown): unknown {
  const task = at(data, 'dataset', 'task');
  const known = TASKS.find((name) => name === task && name !== DEFAULT_TASK);
  if (known === undefined) return data;
  // Masks cover whole pictures, and MediaPipe stretches the pictures that it is given.
  const { answersPer } = taskRow(known);
  if (answersPer === 'pixel' ? at(data, 'dataset', 'type') === 'coco' : answersPer === 'point' && isForMediaPipe(data))
    return withTeacherDefaults(known, { ...(data as Mapping), dataset: { fit: 'stretch', ...(at(data, 'dataset') as Mapping) } }); // prettier-ignore
  return withTeacherDefaults(known, data);
}

/** True for a recipe of boxes that asks for files of MediaPipe's ObjectDetector. */
export function isForMediaPipe(recipe: unknown): boolean {
  const formats = at(recipe, 'export');
  return at(recipe, 'outputs') === 'detections' && Array.isArray(formats) && formats.includes('tflite');
}

function withTeacherDefaults(known: TaskName, data: unknown): unknown {
  if (at(data, 'teacher') === undefined) return data;
  const { loss, store, temperature } = taskRow(known);
  const { distill = {} } = data as { distill?: unknown };
  if (!isMapping(distill)) return data;
  const { softTargets = {} } = distill;
  if (!isMapping(softTargets)) return data;
  const softens = temperature === undefined ? {} : { temperature };
  return { ...(data as Mapping), distill: { loss, ...softens, ...distill, softTargets: { store, ...softTargets } } };
}

function at(data: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((value, key) => (isMapping(value) ? value[key] : undefined), data);
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parts of a recipe that the checks below read. */
interface Checked {
  readonly dataset: {
    readonly task?: TaskName | undefined;
    readonly type: string;
    readonly text?: object | undefined;
    readonly stride?: number | undefined;
    readonly fit?: string | undefined;
    readonly nms?: boolean | undefined;
    readonly labelled?: number | undefined;
    readonly dimensions?: number | undefined;
    readonly prefixes?: readonly number[] | undefined;
    readonly centred?: boolean | undefined;
    readonly perClass?: number | undefined;
    readonly augment: readonly object[];
  };
  readonly distill: Training & {
    readonly loss: LossName | 'auto';
    readonly minConfidence?: number | undefined;
    readonly temperature?: number | undefined;
    readonly leaveOut?: object | undefined;
    readonly softTargets: { readonly top?: number | undefined };
  };
  readonly teacher?:
    | ({
        readonly train?: (Training & { readonly augment?: readonly object[] | undefined }) | undefined;
        readonly chain?: readonly Training[] | undefined;
        readonly minAccuracy?: number | undefined;
        readonly classes?: readonly string[] | string | undefined;
        readonly logits?: string | undefined;
        readonly ensemble?: readonly Outputs[] | undefined;
        readonly weighting?: string | undefined;
      } & Outputs)
    | undefined;
  readonly student?: Student | undefined;
  readonly shards?: number | undefined;
  readonly prune: readonly unknown[];
  readonly target?: unknown;
  readonly outputs?: string | undefined;
}

interface Student {
  readonly model?: string | undefined;
  readonly decoder?: unknown;
  readonly output?: string | undefined;
  readonly outputs?: unknown;
  readonly head?: string | undefined;
}

/** Outputs of a teacher's file. */
interface Outputs {
  readonly output?: string | undefined;
  readonly outputs: string | Readonly<Record<string, string>>;
  readonly onnx?: string | undefined;
  readonly pooling?: string | undefined;
  readonly classes?: unknown;
  readonly savedModel?: string | undefined;
  readonly decoder?: DecoderRecipe | undefined;
}

interface Training {
  readonly labelSmoothing: number;
  readonly huber?: number | undefined;
  readonly dice?: number | undefined;
  readonly arcface?: number | undefined;
  readonly pairLoss?: string | undefined;
  readonly batchSize?: number | undefined;
  readonly microBatch?: number | undefined;
}

type Refuse = (path: readonly (string | number)[], expected: string, received: unknown) => void;

/** Refuses keys that do not apply to the task of the data and would be ignored. */
export function refuseForTask(recipe: Checked, context: z.RefinementCtx): void {
  const { dataset, distill, teacher } = recipe;
  const { task = DEFAULT_TASK } = dataset;
  const refuse: Refuse = (path, expected, received) =>
    context.addIssue({ code: 'custom', message: 'not of the task', path: [...path], params: { expected, received } });
  const trainings: readonly (readonly [readonly (string | number)[], Training | undefined])[] = [
    [['distill'], distill],
    [['teacher', 'train'], teacher?.train],
    ...(teacher?.chain ?? []).map((of, i) => [['teacher', 'chain', i], of] as const),
  ];
  for (const [path, training] of trainings) {
    if (training === undefined) continue;
    if (task !== 'regression' && training.huber !== undefined)
      refuse([...path, 'huber'], `no such key for ${task}: it belongs to regression`, training.huber);
    if (task !== 'segmentation' && training.dice !== undefined)
      refuse([...path, 'dice'], `no such key for ${task}: it belongs to segmentation`, training.dice);
    if (training.dice !== undefined && training.microBatch !== undefined)
      refuse([...path, 'microBatch'], 'none beside dice, whose sums run over the whole batch', training.microBatch);
    if (training.dice !== undefined && recipe.shards !== undefined)
      refuse([...path, 'dice'], 'none beside shards: its sums run over the whole batch', training.dice);
    if (training.pairLoss !== undefined && taskRow(task).isOfPairs !== true)
      refuse([...path, 'pairLoss'], `no such key for ${task}: it belongs to sentence-similarity`, training.pairLoss);
    if (taskRow(task).isOfPairs === true && training.batchSize !== undefined && training.batchSize % 2 !== 0)
      refuse(
        [...path, 'batchSize'],
        `an even number for ${task}, whose batches hold both texts of a pair`,
        training.batchSize,
      );
    if (training.arcface !== undefined && !hasClassVectors(task))
      refuse([...path, 'arcface'], `no such key for ${task}: it belongs to embedding`, training.arcface);
    else if (training.arcface !== undefined && dataset.labelled === 0)
      refuse([...path, 'arcface'], 'none beside labelled: 0: it learns from labels', training.arcface);
    if (task !== 'classification' && training.labelSmoothing > 0)
      refuse(
        [...path, 'labelSmoothing'],
        `no such key for ${task}: it belongs to classification`,
        training.labelSmoothing,
      );
  }
  const isRead = teacher !== undefined || NEEDS_PEER.has(distill.loss);
  if (isRead && distill.loss !== 'auto' && !isLossFor(distill.loss, task)) {
    const fitting = fittingLosses(task);
    refuse(['distill', 'loss'], `a loss for ${task}: ${fitting.join(' or ')}`, distill.loss);
  }
  refuseSteps(recipe, task, refuse);
  const { answersPer } = taskRow(task);
  if (dataset.stride !== undefined && answersPer !== 'pixel')
    refuse(['dataset', 'stride'], `no such key for ${task}: it belongs to segmentation`, dataset.stride);
  const { top } = distill.softTargets;
  if (top !== undefined && task !== DEFAULT_TASK)
    refuse(['distill', 'softTargets', 'top'], `no such key for ${task}: it belongs to classification`, top);
  if (taskRow(task).isOfPairs === true) {
    const { column } = (dataset.text ?? {}) as { readonly column?: unknown };
    if (!Array.isArray(column) || column.length !== 2)
      refuse(['dataset', 'text', 'column'], `the two columns of the texts of a pair for ${task}`, column);
  }
  if (dataset.perClass !== undefined && !hasClassVectors(task))
    refuse(['dataset', 'perClass'], `no such key for ${task}: it belongs to embedding`, dataset.perClass);
  for (const key of ['dimensions', 'prefixes', 'centred'] as const)
    if (dataset[key] !== undefined && taskRow(task).form !== 'vector')
      refuse(['dataset', key], `no such key for ${task}: it belongs to embedding`, dataset[key]);
  if (dataset.perClass !== undefined && dataset.labelled === 0)
    refuse(
      ['dataset', 'perClass'],
      'none beside labelled: 0: samples of a class are known by labels',
      dataset.perClass,
    );
  if (dataset.centred === true && teacher === undefined)
    refuse(['dataset', 'centred'], 'none without a teacher, whose vectors are centred', dataset.centred);
  const { outputs = 'logits' } = recipe;
  const own = taskRow(task).outputs;
  if (outputs !== 'logits' && outputs !== own)
    refuse(['outputs'], `${own === undefined ? '' : `${own} or `}logits for ${task}`, outputs);
  if (outputs !== 'logits' && recipe.target !== undefined)
    refuse(['outputs'], 'logits beside target, whose search makes no files with other answers', outputs);
  const isPerWord = answersPer === 'word';
  if (dataType(dataset.type).holds === 'words' && !isPerWord)
    refuse(
      ['dataset', 'type'],
      `another type for ${task}: such files have a tag for each word, for which task is tagging`,
      dataset.type,
    );
  if (dataType(dataset.type).holds === 'masks' && answersPer !== 'pixel')
    refuse(
      ['dataset', 'type'],
      `another type for ${task}: such folders have a class for each pixel, for which task is segmentation`,
      dataset.type,
    );
  const hasMasks = dataset.type === 'coco' && answersPer === 'pixel';
  if (hasMasks && dataset.fit === 'letterbox')
    refuse(['dataset', 'fit'], 'stretch for segmentation, whose masks cover whole pictures', dataset.fit);
  if (!hasMasks && (dataType(dataset.type).holds === 'boxes') !== (answersPer === 'point'))
    refuse(
      ['dataset', 'type'],
      answersPer === 'point'
        ? 'coco, yolo or voc: detection learns from boxes'
        : `another type for ${task}: such files have boxes around objects, for which task is detection`,
      dataset.type,
    );
  if (isPerWord) refuseForWords(recipe, refuse);
  if (teacher !== undefined) refuseOutputs(['teacher'], teacher, task, refuse);
  teacher?.ensemble?.forEach((member, i) => refuseOutputs(['teacher', 'ensemble', i], member, task, refuse));
  if (teacher?.decoder !== undefined) {
    if (answersPer !== 'point')
      refuse(['teacher', 'decoder'], `no such key for ${task}: it belongs to detection`, teacher.decoder);
    if (distill.temperature !== undefined && distill.temperature !== 1)
      refuse(
        ['distill', 'temperature'],
        '1 beside teacher.decoder: boxes have no logits to soften',
        distill.temperature,
      );
  }
  if (recipe.student !== undefined) refuseOfStudent(recipe.student, task, refuse);
  if (dataset.nms === false) refuseForSingles(recipe, answersPer, refuse);
  if (task === 'classification') return;
  // Boxes of a detector are chosen by their scores.
  const hasBoxes =
    answersPer === 'point' && (dataset.nms === false || (teacher?.decoder ?? teacher?.logits) !== undefined);
  const perPath: readonly (readonly [readonly string[], unknown])[] = [
    [['teacher', 'minAccuracy'], teacher?.minAccuracy],
    [['teacher', 'classes'], answersPer === 'point' && teacher?.decoder !== undefined ? undefined : teacher?.classes],
    [['teacher', 'outputs'], teacher?.outputs === 'probabilities' ? 'probabilities' : undefined],
    [['teacher', 'weighting'], teacher?.weighting === 'entropy' ? 'entropy' : undefined],
    [['distill', 'minConfidence'], hasBoxes ? undefined : distill.minConfidence],
    [['distill', 'leaveOut'], distill.leaveOut && 'leaveOut'],
  ];
  for (const [path, received] of perPath)
    if (received !== undefined) refuse(path, `no such key for ${task}: it belongs to classification`, received);
}

/** Refuses what does not go with detectors that answer once for each object, which learn from final boxes alone. */
function refuseForSingles(
  { dataset, distill, teacher, student }: Checked,
  answersPer: AnswersPer,
  refuse: Refuse,
): void {
  const path = ['dataset', 'nms'];
  if (answersPer !== 'point') {
    refuse(path, 'no such key without boxes: it belongs to detection', dataset.nms);
    return;
  }
  if (student !== undefined && student.model === undefined)
    refuse(path, 'true for this student: det-nano and det-small alone have a head for it', dataset.nms);
  const fromFile = teacher !== undefined && teacher.train === undefined && teacher.logits === undefined;
  if (fromFile && teacher.decoder === undefined)
    refuse(path, 'teacher.decoder beside it, or teacher.train: scores at points are of several boxes for each object', dataset.nms); // prettier-ignore
  if (distill.loss === 'frs') refuse(['distill', 'loss'], 'another loss beside dataset.nms: false, with which boxes teach in place of scores at points', distill.loss); // prettier-ignore
}

/** Refuses keys about a student's file that mean nothing for the answers of the task. */
function refuseOfStudent({ decoder, output, outputs, head }: Student, task: TaskName, refuse: Refuse): void {
  const isDetector = taskRow(task).answersPer === 'point';
  const other = `no such key for ${task}: it belongs to detection`;
  if (decoder !== undefined && !isDetector) refuse(['student', 'decoder'], other, decoder);
  if (outputs !== undefined && !isDetector) refuse(['student', 'outputs'], other, outputs);
  if (!isDetector) return;
  if (outputs !== undefined && decoder !== undefined)
    refuse(['student', 'outputs'], 'output beside decoder, whose layout is one output', outputs);
  if (output !== undefined && decoder === undefined)
    refuse(['student', 'output'], 'decoder beside it, or outputs with the names of boxes and scores', output);
  if (head === 'replace') refuse(['student', 'head'], 'keep for detection: give data of the classes of the file', head);
}

/** Refuses names of outputs that the task has no field for, or that are not read. */
function refuseOutputs(
  path: readonly (string | number)[],
  { output, outputs, onnx, savedModel, decoder, pooling, classes }: Outputs,
  task: TaskName,
  refuse: Refuse,
): void {
  const names =
    decoder === undefined ? fieldNames(task) : DECODERS[typeof decoder === 'string' ? decoder : decoder.layout];
  // Classes as vectors make a classifier of a model of embeddings.
  if (pooling !== undefined && taskRow(task).form !== 'vector' && typeof classes !== 'string')
    refuse([...path, 'pooling'], `no such key for ${task}: it belongs to embedding`, pooling);
  if (output !== undefined && names.length > 1)
    refuse([...path, 'output'], `no such key for ${task}: outputs names an output for each field of an answer`, output);
  if (typeof outputs === 'string') return;
  if (names.length === 1 || (onnx === undefined && savedModel === undefined)) {
    const why = names.length === 1 ? `answers of ${task} are one output, which teacher.output names` : 'only outputs of onnx and savedModel have names'; // prettier-ignore
    refuse([...path, 'outputs'], `auto, logits or probabilities: ${why}`, outputs);
    return;
  }
  for (const name of Object.keys(outputs))
    if (!names.includes(name)) refuse([...path, 'outputs', name], `a field of an answer: ${names.join(', ')}`, name);
}

/** Refuses augmentation that mixes samples whose targets the task does not mix, or that shows a part of a picture twice, which boxes cannot say. */
function refuseSteps({ dataset, teacher }: Checked, task: TaskName, refuse: Refuse): void {
  const refused = MIXES.filter((mix) => !taskRow(task).mixes.includes(mix));
  for (const [path, steps = []] of [
    // For texts, every step is refused elsewhere.
    [['dataset', 'augment'], dataset.text === undefined ? dataset.augment : []],
    [['teacher', 'train', 'augment'], teacher?.train?.augment],
  ] as const)
    steps.forEach((step, i) => {
      const mix = refused.find((name) => name in step);
      if (mix !== undefined) refuse([...path, i], `another change for ${task}, whose targets ${mix} does not mix`, mix);
      const { edge } = ('crop' in step ? step.crop : {}) as { readonly edge?: string };
      if (edge === 'reflect' && taskRow(task).answersPer === 'point')
        refuse([...path, i, 'crop', 'edge'], `black for ${task}: mirrored parts of objects would have no box`, edge);
    });
}

/** True for vectors that samples of a class share. */
function hasClassVectors(task: TaskName): boolean {
  const { form, hasClasses } = taskRow(task);
  return form === 'vector' && hasClasses;
}

function fittingLosses(task: TaskName): readonly LossName[] {
  return (Object.keys(LOSSES) as LossName[]).filter((name) => isLossFor(name, task));
}
