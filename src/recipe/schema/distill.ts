import { z } from 'zod';
import { keysOfAnswers } from '../answer-forms.ts';
import { without } from '../rule.ts';
import type { KeyRule } from '../rule.ts';
import { taskRow } from '../task.ts';
import type { TaskName } from '../task.ts';
import { ACROSS_BATCH, FULL_PRECISION, lossOptions, LOSSES, NEEDS_PEER } from './loss.ts';
import type { LossName } from './loss.ts';
import { count, usual } from './parts.ts';
import { raceSchema } from './race.ts';
import { trainingKeys } from './training.ts';

/** Schedule of a loss option over the epochs. */
const numberSchedule = z.strictObject({
  to: z.number().min(0).describe('Value at the end, and in the trainings after it (pruning, quantization).'),
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
    ...keysOfAnswers('distill.softTargets'),
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
  ...keysOfAnswers('distill'),
  generations: count
    .max(100)
    .optional()
    .describe(
      'Number of students trained in sequence, the first by the teacher and each by its predecessor (born-again); the last is the result. Default: 1.',
    ),
};

/** Loss of a recipe that names none. */
const USUAL_LOSS = 'kd';

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

/** Keys that decide what compares the samples of a batch with each other: the loss of a training, or the labels of vectors. */
const COMPARING = ['distill.loss', 'dataset.task', 'dataset.labelled'] as const;
type Comparing = readonly [loss: string, task?: TaskName, labelled?: number];

function comparing(...[loss, task, labelled]: Comparing): string | undefined {
  if (ACROSS_BATCH.has(loss)) return loss;
  return labelled === 0 ? undefined : taskRow(task).labelsCompare;
}

const TEACHER = 'a teacher, without which it has no effect';
const FIXED = 'no fixed epochs beside target, whose candidates train for fewer';
const isPeer = (loss: string): boolean => NEEDS_PEER.has(loss);

const isStored = (stored?: string, chain?: unknown, generations = 1): boolean =>
  stored !== undefined && chain === undefined && generations === 1;

/** Rule that refuses a key about stored answers if none are stored. */
const ofStored = (key: string): readonly KeyRule[] => [
  {
    keys: [`distill.softTargets.${key}`, 'distill.softTargets.store', 'distill.loss'],
    when: (_given: number, store: string, loss: string) => store === 'live' && !isPeer(loss),
    because: 'no such key beside store: live, which asks about each batch as the student sees it',
    isSpare: true,
  },
  ...(key === 'batchSize'
    ? []
    : [
        {
          keys: [`distill.softTargets.${key}`, 'teacher.logits', 'teacher.chain', 'distill.generations'],
          when: (_given: number, ...stored: Parameters<typeof isStored>) => isStored(...stored),
          because: 'no such key beside teacher.logits, which are used as they were stored',
          isSpare: true,
        } as const satisfies KeyRule,
      ]),
];

/** Rule about deep mutual learning, whose students teach each other. */
const withPeer = (
  key: string,
  isWrong: (value: unknown) => boolean,
  because: string,
  more: Partial<KeyRule> = {},
): KeyRule => ({
  keys: [key, 'distill.loss'],
  when: (value: unknown, loss: string) => isPeer(loss) && isWrong(value),
  because,
  ...more,
});

/** Rule that refuses what would train a student further on samples without the left-out classes, or hide which samples those are. */
function leftOut(
  key: string,
  name: string,
  hint: string,
  isGiven = (value: unknown): boolean => value !== undefined,
): KeyRule {
  return {
    keys: ['distill.leaveOut', key],
    when: (_given: object, value: unknown) => isGiven(value),
    because: `no such key beside ${name}`,
    received: 'distill.leaveOut',
    hint,
  };
}

const isTrained = (key: 'method' | 'fallback') => (steps: unknown) =>
  Array.isArray(steps) && (steps as readonly Readonly<Record<string, unknown>>[]).some((step) => step[key] === 'qat');
const BY_LABEL = 'It is told by its label which sample is left out.';

/** Options of a loss. */
const optionsOf = (loss: LossName | 'auto'): Readonly<Record<string, z.ZodType>> =>
  loss === 'auto' ? {} : LOSSES[loss].options;

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
      const usual = loss === 'auto' ? undefined : lossOptions(loss)[key];
      return usual !== undefined && usual !== value;
    },
    because: TEACHER,
    received: 'none',
  },
  ...['minConfidence', 'schedules', 'generations', 'leaveOut'].map((key): KeyRule => ({
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
  {
    keys: ['distill.microBatch', ...COMPARING],
    when: (_size: number, ...given: Comparing) => comparing(...given) !== undefined,
    because: 'a loss that is a sum over samples, of which parts of a batch can be computed one after another',
    received: (_size: number, ...given: Comparing) => comparing(...given),
    hint: 'Take it out and lower batchSize, or choose another loss.',
  },
  {
    keys: ['distill.loss', 'dataset.task', 'dataset.labelled', 'shards'],
    when: (loss: string, task?: TaskName, labelled?: number, shards?: number) =>
      shards !== undefined && comparing(loss, task, labelled) !== undefined,
    because: (_loss: string, _task?: string, _labelled?: number, shards?: number) =>
      `a loss that is a sum over samples, of which each of the ${shards} shards of a batch is computed by itself`,
    received: (...given: Comparing) => comparing(...given),
    hint: 'Choose another loss, or leave out shards and mpirun.',
  },
  without('teacher.chain', 'student', 'a student, whose teacher the last assistant is', 'none'),
  {
    keys: ['distill.loss', 'target'],
    when: (loss: string, target?: object) => loss === 'auto' && target !== undefined,
    because: 'one loss for all candidates of the search',
    hint: 'Run the race first, without target.',
  },
  {
    keys: ['distill.loss', 'teacher'],
    when: (loss: string, teacher?: object) => isPeer(loss) && teacher !== undefined,
    because: 'a loss of student and teacher',
    received: (loss: string) => `${loss}, of two students`,
    hint: 'Choose another loss, or take teacher out.',
  },
  {
    keys: ['distill.loss', 'student'],
    when: (loss: string, student?: object) => isPeer(loss) && student === undefined,
    because: 'a student, which learns with a peer',
    received: 'none',
  },
  {
    keys: ['distill.loss', 'target'],
    when: (loss: string, target?: object) => isPeer(loss) && target !== undefined,
    because: 'another loss beside target, whose search trains one network at a time',
    hint: 'Search without it.',
  },
  withPeer('distill.epochs', (epochs) => epochs === 0, 'more than 0 for a student that learns with a peer'),
  withPeer('stepsPerCall', (steps) => Number(steps) > 1, '1 beside mutual, whose steps go in turn'),
  withPeer(
    'distill.softTargets',
    (given) => JSON.stringify(given) !== JSON.stringify(softTargets.parse({})),
    'no such key beside mutual, which has no teacher to ask',
    { received: 'softTargets', hint: 'Remove it.' },
  ),
  ...['views', 'top', 'batchSize'].flatMap(ofStored),
  {
    keys: ['distill.leaveOut', 'distill.epochs'],
    when: (_given: object, epochs: number) => epochs === 0,
    because: 'no such key beside epochs: 0',
    received: 'distill.leaveOut',
    hint: 'Train the student: as it is taken it has seen what it has seen.',
  },
  leftOut('target', 'target', 'Search for a student without it.'),
  leftOut('prune', 'prune', 'Prune a student of all classes.', (steps) => (steps as readonly unknown[]).length > 0),
  leftOut('quantize', 'quantize with method: qat', 'Quantize after the training.', isTrained('method')),
  leftOut('quantize', 'quantize with fallback: qat', 'Let it fall back to keep-float or stop.', isTrained('fallback')),
  leftOut('teacher.logits', 'teacher.logits', 'Name the teacher itself.'),
  leftOut('dataset.labelled', 'dataset.labelled', BY_LABEL),
  leftOut('dataset.unlabelled', 'dataset.unlabelled', BY_LABEL),
  {
    keys: ['distill.generations', 'distill.features', 'distill.loss'],
    when: (generations: number, features?: unknown) => generations > 1 && features !== undefined,
    because: (_generations: number, _features: unknown, loss: string) =>
      `1 beside ${loss}, whose \`features\` name layers of the teacher: later generations have another one`,
  },
  {
    keys: ['distill.generations', 'distill.epochs'],
    when: (generations: number, epochs: number) => generations > 1 && epochs === 0,
    because: '1 for a student that is not trained',
  },
  {
    keys: ['distill.schedules', 'target'],
    when: (schedules: Schedules, target?: object) =>
      target !== undefined && Object.values(schedules).some(({ epochs }) => epochs !== undefined),
    because: FIXED,
    received: 'schedules with epochs',
  },
  {
    keys: ['distill.schedules.*.epochs', 'distill.epochs'],
    when: (length: number, epochs: number) => length > epochs,
    because: (_length: number, epochs: number) => `at most the epochs, which are ${epochs}`,
  },
  {
    keys: ['distill.schedules.*', 'distill.loss'],
    when: (_schedule: object, loss: LossName | 'auto', key: string) => {
      const option = optionsOf(loss)[key];
      return option === undefined || !isFed(option);
    },
    because: (_schedule: object, loss: LossName | 'auto') => {
      if (loss === 'auto') return 'no schedule beside loss: auto, which chooses the numbers';
      const fed = Object.entries(optionsOf(loss)).flatMap(([name, option]) => (isFed(option) ? [name] : []));
      return `a number of ${loss} that can change: ${fed.join(', ')}`;
    },
    received: (_schedule: object, _loss: string, key: string) => key,
  },
  {
    keys: ['distill.schedules.*.to', 'distill.loss'],
    when: (value: number, loss: LossName | 'auto', key: string) => {
      const option = optionsOf(loss)[key];
      return option !== undefined && isFed(option) && !option.safeParse(value).success;
    },
    because: (_value: number, _loss: string, key: string) => `a value that ${key} may have`,
  },
];

type Schedules = z.infer<typeof lossSchedules>;
