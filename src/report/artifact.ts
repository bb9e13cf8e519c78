import { z } from 'zod';
import type { TaughtBy } from './taught-by.ts';

const repeat = z.int().min(0).describe('From 0: trainings of one recipe that differ in their seed.');

export const modelSchema = z
  .union([
    z.strictObject({ role: z.enum(['teacher', 'scratch', 'distilled']), repeat }),
    z.strictObject({
      role: z.literal('pruned'),
      repeat,
      step: z.int().min(1).describe('Which prune step of the recipe, from 1.'),
    }),
  ])
  .describe('Which training made its weights.');

/** Origin of a model: the training that made its weights. */
export type ModelRef = Readonly<z.infer<typeof modelSchema>>;

export const FORMATS = ['onnx', 'tflite'] as const;
export const PRECISIONS = ['fp32', 'fp16', 'int8', 'dynamic-int8', 'int16x8', 'int4'] as const;
export const METHODS = ['ptq', 'qat'] as const;

type Precision = (typeof PRECISIONS)[number];

/** Form in which a model is written. `Format` is wider where a teacher came as a file of another kind. */
export interface Form<Format = (typeof FORMATS)[number]> {
  readonly format: Format;
  readonly precision: Precision;
  /** Way to fewer bits: after the training (ptq), or in a training of its own (qat). Absent for fp32. */
  readonly method?: (typeof METHODS)[number];
  /** Number, from 2, of the `quantize` step among those with this precision and method. Absent for the first. */
  readonly number?: number;
}

/** Identity of a model file. Its id, its file name and its label are printed from this, and never read back. */
export interface Artifact extends Form {
  readonly model: ModelRef;
}

export const TEACHER: ModelRef = { role: 'teacher', repeat: 0 };

/** A model by itself: `teacher`, `distilled`, `pruned-1`, `scratch-2` for the second repeat. */
export function nameOf(model: ModelRef): string {
  const name = model.role === 'pruned' ? `pruned-${model.step}` : model.role;
  return name + repeatOf(model);
}

/** The stage of a run that trains a model: `teach`, `distill-2`, `prune-1`. */
export function stageOf(model: ModelRef): string {
  const stages = { teacher: 'teach', scratch: 'scratch', distilled: 'distill' };
  return (model.role === 'pruned' ? `prune-${model.step}` : stages[model.role]) + repeatOf(model);
}

/** The stage of a run that trains a candidate of the race of losses; round and candidate from 1. */
export function raceStage(round: number, candidate: number): string {
  return `${RACE}${round}-${candidate}`;
}

/** The stage of a run that trains an assistant of the chain, from 1. */
export function assistantStage(number: number): string {
  return `${ASSIST}${number}`;
}

const ASSIST = 'assist-';

/** True for a stage that trains the teacher or an assistant of it. */
export function isTeacherStage(stage: string): boolean {
  return stage === stageOf(TEACHER) || stage.startsWith(ASSIST);
}

/** The stage of a run that trains an earlier generation of the student, from 1. */
export function generationStage(number: number, repeat: number): string {
  return `generation-${number}${repeatOf({ role: 'distilled', repeat })}`;
}

const RACE = 'race-';

/** True for a stage of the race of losses. */
export function isRaceStage(stage: string): boolean {
  return stage.startsWith(RACE);
}

/** Id in reports and commands: `distilled-int8-qat-2-tflite`. */
export function idOf(artifact: Artifact): string {
  const name = formName(nameOf(artifact.model), artifact);
  return artifact.format === 'onnx' ? name : `${name}-${artifact.format}`;
}

/** Path of its file, relative to the folder of the run. A teacher is a tool of the run, not a result: it lies apart from what ships. */
export function fileOf(artifact: Artifact): string {
  const file = `${formName(nameOf(artifact.model), artifact)}.${artifact.format}`;
  return artifact.model.role === 'teacher' ? file : `exports/${file}`;
}

/** Words for the last step that made the model: `with the teacher`, `in int8, trained for it`. */
export function labelOf(
  { model, precision, method, number }: Omit<Artifact, 'format'>,
  by: TaughtBy = 'teacher',
): string {
  const again = number === undefined ? '' : ` (${number})`;
  if (precision !== 'fp32') return `in ${precision}${again}${method === 'qat' ? ', trained for it' : ''}`;
  const labels = { teacher: 'the teacher', scratch: `alone, no ${by}`, distilled: `with the ${by}` };
  return model.role === 'pruned' ? `prune step ${model.step}` : labels[model.role];
}

/** Name of a file without its ending: the name of the model, its precision, and how it came to that. */
export function formName(name: string, { precision, method, number }: Omit<Form, 'format'>): string {
  if (precision === 'fp32') return name;
  return `${name}-${precision}${method === 'qat' ? '-qat' : ''}${number === undefined ? '' : `-${number}`}`;
}

export function isSameModel(a: ModelRef, b: ModelRef): boolean {
  return nameOf(a) === nameOf(b);
}

/** True if two files hold the same model in the same precision, each in its own format. */
export function isSameContent(a: Content, b: Content): boolean {
  return formName(nameOf(a.model), a) === formName(nameOf(b.model), b);
}

type Content = Omit<Artifact, 'format'>;

function repeatOf({ repeat }: ModelRef): string {
  return repeat === 0 ? '' : `-${repeat + 1}`;
}
