import { DECODERS, decoderSettings } from '../decoders.ts';
import type { DecoderName, DecoderSettings } from '../decoders.ts';
import type { KeyRule } from '../rule.ts';
import { MIXES } from '../answer-forms.ts';
import { DEFAULT_TASK, fieldNames, isLossFor, taskNames, taskRow } from '../task.ts';
import type { TaskName } from '../task.ts';
import { LOSSES, NEEDS_PEER } from './loss.ts';
import type { LossName } from './loss.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** The recipe as written, with the defaults of its task. */
export function withTaskDefaults(data: unknown): unknown {
  const task = at(data, 'dataset', 'task');
  const known = taskNames().find((name) => name === task && name !== DEFAULT_TASK);
  if (known === undefined) return data;
  // Masks cover whole pictures, and MediaPipe stretches the pictures that it is given.
  const { answersPer } = taskRow(known);
  if (answersPer === 'pixel' ? at(data, 'dataset', 'type') === 'coco' : answersPer === 'point' && isForMediaPipe(data))
    return withTeacherDefaults(known, {
      ...(data as Mapping),
      dataset: { fit: 'stretch', ...(at(data, 'dataset') as Mapping) },
    });
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
  const softens = temperature === undefined || !isSoftened(distill['loss'] ?? loss, known) ? {} : { temperature };
  return { ...(data as Mapping), distill: { loss, ...softens, ...distill, softTargets: { store, ...softTargets } } };
}

/**
 * True for `kd` and losses of inner tensors, which add to it; other losses have temperatures of their own, or none. True for losses of other tasks too,
 * which are refused for that alone.
 */
function isSoftened(loss: unknown, task: TaskName): boolean {
  const options = LOSSES[loss as LossName]?.options;
  if (loss === 'kd' || options === undefined) return loss === 'kd';
  return 'features' in options || !isLossFor(loss as LossName, task);
}

function at(data: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((value, key) => (isMapping(value) ? value[key] : undefined), data);
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Rules about keys whose values depend on the task. */
export const taskRules: readonly KeyRule[] = [
  {
    keys: ['distill.loss', 'dataset.task', 'teacher'],
    when: (loss: LossName | 'auto', task?: TaskName, teacher?: object) =>
      loss !== 'auto' && (teacher !== undefined || NEEDS_PEER.has(loss)) && !isLossFor(loss, task ?? DEFAULT_TASK),
    because: (_loss: string, task: TaskName = DEFAULT_TASK) => {
      const fitting = (Object.keys(LOSSES) as LossName[]).filter((name) => isLossFor(name, task));
      return `a loss for ${task}: ${fitting.join(' or ')}`;
    },
  },
  ...['dataset.augment.*', 'teacher.train.augment.*'].map((place): KeyRule => ({
    keys: [place, 'dataset.task', 'dataset.text'],
    // For texts, every step of `dataset.augment` is refused elsewhere.
    when: (step: object, task?: TaskName, text?: object) =>
      (text === undefined || !place.startsWith('dataset')) && unmixed(step, task) !== undefined,
    because: (step: object, task: TaskName = DEFAULT_TASK) =>
      `another change for ${task}, whose targets ${unmixed(step, task)} does not mix`,
    received: unmixed,
  })),
  {
    keys: ['outputs', 'dataset.task'],
    when: (outputs: string, task?: TaskName) => outputs !== 'logits' && outputs !== taskRow(task).outputs,
    because: (_outputs: string, task: TaskName = DEFAULT_TASK) =>
      `${[taskRow(task).outputs ?? [], 'logits'].flat().join(' or ')} for ${task}`,
  },
  {
    keys: ['outputs', 'target'],
    when: (outputs: string, target?: object) => outputs !== 'logits' && target !== undefined,
    because: 'logits beside target, whose search makes no files with other answers',
  },
  {
    keys: ['asked.output', 'asked.decoder', 'dataset.task'],
    when: (_output: string, decoder?: Decoder, task?: TaskName) => outputNames(decoder, task).length > 1,
    because: (_output: string, _decoder?: Decoder, task: TaskName = DEFAULT_TASK) =>
      `no such key for ${task}: outputs names an output for each field of an answer`,
  },
  {
    keys: ['asked.outputs', 'asked.decoder', 'dataset.task', 'asked.onnx', 'asked.savedModel'],
    when: (outputs: unknown, decoder?: Decoder, task?: TaskName, onnx?: string, savedModel?: string) =>
      typeof outputs !== 'string' && (outputNames(decoder, task).length === 1 || (onnx ?? savedModel) === undefined),
    because: (_outputs: object, decoder?: Decoder, task: TaskName = DEFAULT_TASK) =>
      outputNames(decoder, task).length === 1
        ? `auto, logits or probabilities: answers of ${task} are one output, which teacher.output names`
        : 'auto, logits or probabilities: only outputs of onnx and savedModel have names',
  },
  {
    keys: ['asked.outputs.*', 'asked.decoder', 'dataset.task', 'asked.onnx', 'asked.savedModel'],
    when: (
      _name: string,
      decoder?: Decoder,
      task?: TaskName,
      onnx?: string,
      savedModel?: string,
      ...stars: readonly Star[]
    ) => {
      const names = outputNames(decoder, task);
      return names.length > 1 && (onnx ?? savedModel) !== undefined && !names.includes(String(stars.at(-1)));
    },
    because: (_name: string, decoder?: Decoder, task?: TaskName) =>
      `a field of an answer: ${outputNames(decoder, task).join(', ')}`,
    received: (...values: readonly unknown[]) => values.at(-1),
  },
];

type Star = string | number;
type Decoder = DecoderName | DecoderSettings;

/** Outputs that hold an answer: those of a detector's layout, or the fields of the task. */
function outputNames(decoder: Decoder | undefined, task: TaskName = DEFAULT_TASK): readonly string[] {
  return decoder === undefined ? fieldNames(task) : DECODERS[decoderSettings(decoder).layout];
}

/** Augmentation that mixes samples whose targets the task does not mix. */
function unmixed(step: object, task?: TaskName): string | undefined {
  return MIXES.find((mix) => mix in step && !taskRow(task).mixes.includes(mix));
}
