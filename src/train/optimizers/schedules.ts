/** The learning-rate part of a recipe's optimizer: lengths in epochs, rates absolute. */
export interface ScheduleConfig {
  readonly schedule: 'constant' | 'cosine' | 'linear' | 'step' | 'onecycle';
  /** The rate at its highest. */
  readonly learningRate: number;
  /** Learning rate at the end of cosine, linear and onecycle. Default 0. */
  readonly finalLearningRate?: number;
  /** Epochs in which the rate rises in a straight line. Default 0; for onecycle, 0 stands for 30 % of the run. */
  readonly warmup?: number;
  /** `step`: epochs after which the rate is multiplied by `gamma`. */
  readonly milestones?: readonly number[];
  /** `step`: default 0.1. */
  readonly gamma?: number;
  /** Number of cycles: the schedule is repeated, each time in an equal share of the steps (warm restarts). Default 1. */
  readonly cycles?: number | undefined;
  /** Factor of the rates from one cycle to the next. Default 1. */
  readonly cycleFactor?: number | undefined;
}

export interface TrainingLength {
  readonly stepsPerEpoch: number;
  /** Steps of the whole training. */
  readonly steps: number;
}

/** The learning rate of step 0 … steps - 1. Pure: a resumed run asks for the step it is at. */
export type Schedule = (step: number) => number;

/** One-cycle's rise when the recipe gives none, and where it starts: Smith & Topin 2018, as fast.ai made it popular. */
const CYCLE = { rise: 0.3, start: 1 / 25 };

/** Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", around any schedule. */
export function createSchedule(config: ScheduleConfig, length: TrainingLength): Schedule {
  const { cycles = 1, cycleFactor = 1 } = config;
  if (cycles === 1) return oneTime(config, length);
  const starts = Array.from({ length: cycles + 1 }, (_, cycle) => Math.round((cycle * length.steps) / cycles));
  const curves = starts.slice(1).map((end, cycle) => oneTime(config, { ...length, steps: end - starts[cycle]! }));
  return (step) => {
    const cycle = Math.max(
      0,
      starts.slice(0, cycles).findLastIndex((start) => start <= step),
    );
    return cycleFactor ** cycle * curves[cycle]!(step - starts[cycle]!);
  };
}

function oneTime(config: ScheduleConfig, length: TrainingLength): Schedule {
  const warmup = Math.round((config.warmup ?? 0) * length.stepsPerEpoch);
  if (config.schedule === 'onecycle') return oneCycle(config, length, warmup);
  const after = AFTER_WARMUP[config.schedule](config, length);
  const rest = Math.max(1, length.steps - warmup);
  return (step) => {
    if (step < warmup) return (config.learningRate * (step + 1)) / (warmup + 1);
    return after(Math.min(1, (step - warmup) / rest), step);
  };
}

type Curve = (progress: number, step: number) => number;

/** The rate at `progress`, 0 … 1 through the steps behind the warm-up. */
const AFTER_WARMUP: Record<
  Exclude<ScheduleConfig['schedule'], 'onecycle'>,
  (config: ScheduleConfig, length: TrainingLength) => Curve
> = {
  constant:
    ({ learningRate }) =>
    () =>
      learningRate,

  linear:
    ({ learningRate, finalLearningRate = 0 }) =>
    (progress) =>
      learningRate + (finalLearningRate - learningRate) * progress,

  /** Loshchilov & Hutter 2017, "SGDR", equation 5 without restarts. */
  cosine:
    ({ learningRate, finalLearningRate = 0 }) =>
    (progress) =>
      cosineBetween(learningRate, finalLearningRate, progress),

  step: ({ learningRate, milestones = [], gamma = 0.1 }, { stepsPerEpoch }) => {
    const at = milestones.map((epoch) => Math.round(epoch * stepsPerEpoch));
    return (_progress, step) => learningRate * gamma ** at.filter((milestone) => step >= milestone).length;
  },
};

function oneCycle(config: ScheduleConfig, { steps }: TrainingLength, warmup: number): Schedule {
  const { learningRate, finalLearningRate = 0 } = config;
  const rise = Math.max(1, warmup === 0 ? Math.round(CYCLE.rise * steps) : warmup);
  const fall = Math.max(1, steps - rise);
  return (step) =>
    step < rise
      ? cosineBetween(CYCLE.start * learningRate, learningRate, step / rise)
      : cosineBetween(learningRate, finalLearningRate, Math.min(1, (step - rise) / fall));
}

function cosineBetween(from: number, to: number, progress: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;
}

/** Schedule of an option of the loss: `from` a first value `to` a last, then constant. */
export interface NumberSchedule {
  readonly from: number;
  readonly to: number;
  readonly curve: 'linear' | 'cosine';
  /** Default: all of the training. */
  readonly epochs?: number | undefined;
}

/** The number at step 0 … steps - 1: `from` at the first step, `to` from the last of its epochs on. Pure, as a `Schedule` is. */
export function createNumberSchedule(config: NumberSchedule, { stepsPerEpoch, steps }: TrainingLength): Schedule {
  const { from, to, curve, epochs } = config;
  const last = (epochs === undefined ? steps : Math.round(epochs * stepsPerEpoch)) - 1;
  return (step) => {
    if (step >= last) return to;
    return curve === 'cosine' ? cosineBetween(from, to, step / last) : from + ((to - from) * step) / last;
  };
}

/** Weights of what the teacher says in a loss. */
export const OF_TEACHER = ['alpha', 'featureWeight'];

/** Numbers of the loss at a step, as far as they are not constant. A loss picks its own options by name. */
export function changingNumbers(
  {
    schedules = {},
    teacherUntil,
  }: { schedules?: Readonly<Record<string, NumberSchedule>> | undefined; teacherUntil?: number | undefined },
  length: TrainingLength,
): (step: number) => Readonly<Record<string, number>> {
  const courses = Object.entries(schedules).map(
    ([name, config]) => [name, createNumberSchedule(config, length)] as const,
  );
  const end = teacherUntil === undefined ? Infinity : Math.round(teacherUntil * length.stepsPerEpoch);
  return (step) => ({
    ...Object.fromEntries(courses.map(([name, at]) => [name, at(step)])),
    ...(step >= end && Object.fromEntries(OF_TEACHER.map((name) => [name, 0]))),
  });
}
