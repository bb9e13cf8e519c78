import { z } from 'zod';
import { classesKeys } from '../answers/classes.ts';
import type { KeyRule } from '../rule.ts';
import { taskRow } from '../task.ts';
import type { TaskName } from '../task.ts';
import { ACROSS_BATCH, FULL_PRECISION, lossNumbers, LOSSES, NEEDS_PEER } from './loss.ts';
import type { LossName } from './loss.ts';
import { count, usual } from './parts.ts';
import { raceSchema } from './race.ts';
import { trainingKeys } from './training.ts';

/** Schedule of a loss option over the epochs. */
const numberSchedule = z.strictObject({
  from: z.number().min(0).optional().describe('Value at the first step; default: the value in the recipe.'),
  to: z.number().min(0).describe('Value at the end, and in the trainings after it (pruning, quantization).'),
  curve: z.enum(['linear', 'cosine']).default('linear').describe('Curve between the two values.'),
  epochs: z.number().gt(0).optional().describe('Epochs until the end is reached; default: all.'),
});

const lossSchedules = z
  .record(z.string(), numberSchedule)
  .describe('Options of the loss that change during the training of the student, such as temperature or alpha.');

/** True for a numeric option, which is fed at each step: lists and sizes are fixed when the step is built. */
function isFed(option: z.ZodType): boolean {
  return [0.5, 1.5].some((value) => option.safeParse(value).success);
}

/** Training of the student: `distill`, a union by its loss. */

const softTargets = z
  .strictObject({
    store: z
      .enum(['fp16', 'fp32', 'live'])
      .default('fp16')
      .describe('Number format of the stored answers of the teacher; `live` asks the teacher at every step instead.'),
    ...classesKeys.keys['distill.softTargets'],
    views: count
      .max(1000)
      .optional()
      .describe(
        'Augmented views per sample that are stored; default: one per epoch, 4 at most, and 1 without augment.',
      ),
    batchSize: count
      .max(65536)
      .optional()
      .describe(
        'Samples in a call of the teacher; default: 100 on the cpu, elsewhere 1024, halved as long as memory is too small.',
      ),
  })
  .describe("Storage of the teacher's answers.");

const distillKeys = {
  ...trainingKeys,
  epochs: z
    .number()
    .min(0)
    .max(100_000)
    .default(10)
    .describe('Passes over the training split; 0: a student from a file is taken as it is.'),
  softTargets: softTargets.prefault({}),
  minConfidence: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      "Classification: the student learns only answers in which the teacher's class has at least this probability; default: all. Detection, beside teacher.decoder or dataset.nms: the least score of a box that teaches; default: 0.3, and 0.05 of a teacher at points.",
    ),
  schedules: lossSchedules.optional(),
  teacherUntil: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'Epoch after which only the labels teach (early-stopped distillation); default: the teacher teaches to the end.',
    ),
  ...classesKeys.keys.distill,
  generations: count
    .max(100)
    .optional()
    .describe(
      'Number of students trained in sequence, the first by the teacher and each by its predecessor (born-again); the last is the result. Default: 1.',
    ),
};

/** Loss of a recipe that names none. */
export const USUAL_LOSS = 'kd';

function withOptions<N extends LossName>(loss: N) {
  const { doc, options } = LOSSES[loss];
  return z.strictObject({
    loss: (loss === USUAL_LOSS ? usual(loss, doc) : z.literal(loss).describe(doc)) as N extends typeof USUAL_LOSS
      ? z.ZodDefault<z.ZodLiteral<N>>
      : z.ZodLiteral<N>,
    ...(options as (typeof LOSSES)[N]['options']),
    ...distillKeys,
  });
}

type WithOptions = { [N in LossName]: ReturnType<typeof withOptions<N>> }[LossName];

const auto = z.strictObject({
  loss: z.literal('auto').describe('The loss, temperature and alpha that a race of short trainings finds best.'),
  race: raceSchema.prefault({}),
  ...distillKeys,
});

const members: readonly unknown[] = [...(Object.keys(LOSSES) as LossName[]).map(withOptions), auto];

export const distillSchema = z
  .discriminatedUnion('loss', members as [WithOptions, ...(WithOptions | typeof auto)[]])
  .describe('Training of the student: the distillation loss with its options, and the optimizer.');

/** Parts of a recipe that the checks below read. */
interface Checked {
  readonly dataset: { readonly labelled?: number | undefined; readonly unlabelled?: unknown };
  readonly distill: z.infer<typeof distillSchema>;
  readonly teacher?:
    { readonly chain?: readonly unknown[] | undefined; readonly logits?: string | undefined } | undefined;
  readonly student?: unknown;
  readonly target?: unknown;
  readonly prune: readonly unknown[];
  readonly quantize: readonly object[];
  readonly stepsPerCall?: number | undefined;
}

/** Refuses keys of `distill` without effect, or with an unknown effect, in combination with others. */
export function refuseForDistill(recipe: Checked, context: z.RefinementCtx): void {
  const { distill, teacher, student, target } = recipe;
  const refuse: Refuse = (path, expected, received, hint) =>
    context.addIssue({ code: 'custom', message: 'not read', path: [...path], params: { expected, received, hint } });
  const { loss, generations = 1, teacherUntil, schedules = {}, epochs } = distill;
  if (teacher?.chain !== undefined && student === undefined)
    refuse(['teacher', 'chain'], 'a student, whose teacher the last assistant is', 'none');
  if (loss === 'auto' && target !== undefined)
    refuse(
      ['distill', 'loss'],
      'one loss for all candidates of the search',
      'auto',
      'Run the race first, without target.',
    );
  if (NEEDS_PEER.has(loss)) refuseWithPeer(recipe, refuse);
  else refuseUnstored(recipe, refuse);
  if (distill.leaveOut !== undefined) refuseToLeaveOut(recipe, refuse);
  if (generations > 1 && 'features' in distill)
    refuse(
      ['distill', 'generations'],
      `1 beside ${loss}, whose \`features\` name layers of the teacher: later generations have another one`,
      generations,
    );
  if (generations > 1 && epochs === 0)
    refuse(['distill', 'generations'], '1 for a student that is not trained', generations);
  if (
    target !== undefined &&
    (teacherUntil !== undefined || Object.values(schedules).some((one) => one.epochs !== undefined))
  )
    refuse(
      ['distill', teacherUntil === undefined ? 'schedules' : 'teacherUntil'],
      'no fixed epochs beside target, whose candidates train for fewer',
      teacherUntil ?? 'schedules with epochs',
    );
  const options = loss === 'auto' ? {} : (LOSSES[loss].options as Readonly<Record<string, z.ZodType>>);
  if (teacherUntil !== undefined && loss !== 'auto' && options['alpha'] === undefined)
    refuse(['distill', 'teacherUntil'], `a loss with alpha, which ${loss} has not`, teacherUntil);
  if (teacherUntil !== undefined && teacherUntil >= epochs)
    refuse(['distill', 'teacherUntil'], `an epoch before the last, which is ${epochs}`, teacherUntil);
  for (const [key, { from, to, epochs: length }] of Object.entries(schedules)) {
    const path = ['distill', 'schedules', key];
    const option = options[key];
    if (length !== undefined && length > epochs)
      refuse([...path, 'epochs'], `at most the epochs, which are ${epochs}`, length);
    if (loss === 'auto') refuse(path, 'no schedule beside loss: auto, which chooses the numbers', key);
    else if (option === undefined || !isFed(option))
      refuse(
        path,
        `a number of ${loss} that can change: ${Object.keys(options)
          .filter((name) => isFed(options[name]!))
          .join(', ')}`,
        key,
      );
    else
      for (const [end, value] of [
        ['from', from],
        ['to', to],
      ] as const) {
        if (value === undefined || option.safeParse(value).success) continue;
        refuse([...path, end], `a value that ${key} may have`, value);
      }
  }
}

type Refuse = (path: readonly string[], expected: string, received: unknown, hint?: string) => void;

/** Refuses keys about stored answers if none are stored. */
function refuseUnstored({ distill, teacher }: Checked, refuse: Refuse): void {
  const { softTargets: given, generations = 1 } = distill;
  const isGiven = teacher?.logits !== undefined && teacher.chain === undefined && generations === 1;
  const at = ['distill', 'softTargets'];
  if (given.store === 'live')
    for (const key of ['views', 'top', 'batchSize'] as const)
      if (given[key] !== undefined)
        refuse(
          [...at, key],
          'no such key beside store: live, which asks about each batch as the student sees it',
          given[key],
        );
  if (!isGiven || given.store === 'live') return;
  for (const key of ['views', 'top'] as const)
    if (given[key] !== undefined)
      refuse([...at, key], 'no such key beside teacher.logits, which are used as they were stored', given[key]);
}

/** Refuses keys that deep mutual learning ignores. */
function refuseWithPeer({ distill, teacher, student, target, stepsPerCall = 1 }: Checked, refuse: Refuse): void {
  const { loss, epochs, softTargets: given } = distill;
  const at = ['distill', 'loss'];
  if (teacher !== undefined)
    refuse(
      at,
      'a loss of student and teacher',
      `${loss}, of two students`,
      'Choose another loss, or take teacher out.',
    );
  if (student === undefined) refuse(at, 'a student, which learns with a peer', 'none');
  if (target !== undefined)
    refuse(at, 'another loss beside target, whose search trains one network at a time', loss, 'Search without it.');
  if (epochs === 0) refuse(['distill', 'epochs'], 'more than 0 for a student that learns with a peer', epochs);
  if (stepsPerCall > 1) refuse(['stepsPerCall'], `1 beside ${loss}, whose steps go in turn`, stepsPerCall);
  if (JSON.stringify(given) !== JSON.stringify(softTargets.parse({})))
    refuse(
      ['distill', 'softTargets'],
      `no such key beside ${loss}, which has no teacher to ask`,
      'softTargets',
      'Remove it.',
    );
}

/** Refuses keys that would train a student further on samples without the left-out classes, or that hide which samples those are. */
function refuseToLeaveOut({ dataset, distill, teacher, target, prune, quantize }: Checked, refuse: Refuse): void {
  const has = (key: 'method' | 'fallback'): boolean =>
    quantize.some((step) => (step as Readonly<Record<string, unknown>>)[key] === 'qat');
  const beside: readonly (readonly [string, boolean, string])[] = [
    ['epochs: 0', distill.epochs === 0, 'Train the student: as it is taken it has seen what it has seen.'],
    ['target', target !== undefined, 'Search for a student without it.'],
    ['prune', prune.length > 0, 'Prune a student of all classes.'],
    ['quantize with method: qat', has('method'), 'Quantize after the training.'],
    ['quantize with fallback: qat', has('fallback'), 'Let it fall back to keep-float or stop.'],
    ['teacher.logits', teacher?.logits !== undefined, 'Name the teacher itself.'],
    ['dataset.labelled', dataset.labelled !== undefined, 'It is told by its label which sample is left out.'],
    ['dataset.unlabelled', dataset.unlabelled !== undefined, 'It is told by its label which sample is left out.'],
  ];
  for (const [key, isGiven, hint] of beside)
    if (isGiven) refuse(['distill', 'leaveOut'], `no such key beside ${key}`, 'distill.leaveOut', hint);
}

/** What compares the samples of a batch with each other: the loss of a training, or the labels of vectors. */
const COMPARING = ['distill.loss', 'dataset.task', 'dataset.labelled'] as const;
type Comparing = readonly [loss: string, task?: TaskName, labelled?: number];

function comparing(...[loss, task, labelled]: Comparing): string | undefined {
  if (ACROSS_BATCH.has(loss)) return loss;
  const { form, isOfPairs } = taskRow(task);
  if (form !== 'vector' || labelled === 0) return undefined;
  return isOfPairs === true ? 'the similarities of pairs' : 'the contrast of labelled samples';
}

const inParts = (key: string): KeyRule => ({
  keys: [key, ...COMPARING, 'distill.features'],
  when: (_size: number, loss: string, task?: TaskName, labelled?: number, features?: unknown) =>
    comparing(loss, task, labelled) !== undefined && (key.startsWith('distill') || features === undefined),
  because: 'a loss that is a sum over samples, of which parts of a batch can be computed one after another',
  received: (_size: number, ...given: Comparing) => comparing(...given),
  hint: 'Take it out and lower batchSize, or choose another loss.',
});

const TEACHER = 'a teacher, without which it has no effect';
const isPeer = (loss: string): boolean => NEEDS_PEER.has(loss);

export const distillRules: readonly KeyRule[] = [
  {
    keys: ['distill.epochs', 'student.onnx', 'student.tfjs', 'student.head', 'target'],
    when: (epochs: number, onnx?: string, tfjs?: string, head?: string, target?: object) =>
      epochs === 0 && ((onnx ?? tfjs) === undefined || head === 'replace' || target !== undefined),
    because: 'more than 0 epochs, but for a student from a file that is taken as it is',
  },
  {
    keys: ['distill.*', 'teacher', 'distill.loss'],
    when: (value: unknown, teacher: object | undefined, loss: LossName | 'auto', key: string) => {
      if (teacher !== undefined || isPeer(loss)) return false;
      if (key === 'loss') return loss !== USUAL_LOSS;
      const usual = loss === 'auto' ? undefined : lossNumbers(loss)[key];
      return usual !== undefined && usual !== value;
    },
    because: TEACHER,
    received: 'none',
  },
  ...['minConfidence', 'schedules', 'teacherUntil', 'generations', 'leaveOut'].map((key): KeyRule => ({
    keys: [`distill.${key}`, 'teacher', 'distill.loss'],
    when: (_value: unknown, teacher: object | undefined, loss: string) =>
      teacher === undefined && !(isPeer(loss) && key === 'schedules'),
    because: TEACHER,
    received: 'none',
  })),
  {
    keys: ['precision', 'distill.loss'],
    when: (precision: string, loss: string) => precision === 'mixed' && FULL_PRECISION.has(loss),
    because: (_precision: string, loss: string) => `full: ${loss} squares and multiplies what float16 cannot hold`,
  },
  inParts('distill.microBatch'),
  inParts('teacher.chain.*.microBatch'),
  {
    keys: ['distill.loss', 'dataset.task', 'dataset.labelled', 'shards'],
    when: (loss: string, task?: TaskName, labelled?: number, shards?: number) =>
      shards !== undefined && comparing(loss, task, labelled) !== undefined,
    because: (_loss: string, _task?: string, _labelled?: number, shards?: number) =>
      `a loss that is a sum over samples, of which each of the ${shards} shards of a batch is computed by itself`,
    received: (...given: Comparing) => comparing(...given),
    hint: 'Choose another loss, or leave out shards and mpirun.',
  },
];
