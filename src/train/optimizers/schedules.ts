/** Learning-rate options of a recipe's optimizer: lengths in epochs, absolute rates. */
export interface ScheduleConfig {
  readonly schedule: 'constant' | 'cosine' | 'linear' | 'step' | 'onecycle';
  /** Highest learning rate. */
  readonly learningRate: number;
  /** Epochs of linear warm-up. Default 0; for onecycle, 0 stands for 30 % of the run. */
  readonly warmup?: number;
  /** `step`: epochs after which the rate is divided by ten. */
  readonly milestones?: readonly number[];
  /** Number of cycles (warm restarts), each with an equal share of the steps. Default 1. */
  readonly cycles?: number | undefined;
  /** Factor of the rates from one cycle to the next. Default 1. */
  readonly cycleFactor?: number | undefined;
}

export interface TrainingLength {
  readonly stepsPerEpoch: number;
  /** Steps of the whole training. */
  readonly steps: number;
}

/** Learning rate of step 0 … steps - 1. A pure function, so a resumed run continues the schedule. */
export type Schedule = (step: number) => number;

/**
 * One-cycle without `warmup`: share of the steps in which the rate rises, and the initial share of the highest rate (Smith & Topin 2018, with
 * fast.ai's defaults).
 */
const CYCLE = { rise: 0.3, start: 1 / 25 };

/** Repeats a schedule in cycles (Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts"). */
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

/** Learning rate at `progress`, from 0 to 1 over the steps after the warm-up. */
const AFTER_WARMUP: Record<
  Exclude<ScheduleConfig['schedule'], 'onecycle'>,
  (config: ScheduleConfig, length: TrainingLength) => Curve
> = {
  constant:
    ({ learningRate }) =>
    () =>
      learningRate,

  linear:
    ({ learningRate }) =>
    (progress) =>
      learningRate - learningRate * progress,

  /** Loshchilov & Hutter 2017, "SGDR", equation 5 without restarts. */
  cosine:
    ({ learningRate }) =>
    (progress) =>
      cosineBetween(learningRate, 0, progress),

  step: ({ learningRate, milestones = [] }, { stepsPerEpoch }) => {
    const at = milestones.map((epoch) => Math.round(epoch * stepsPerEpoch));
    return (_progress, step) => learningRate * 0.1 ** at.filter((milestone) => step >= milestone).length;
  },
};

function oneCycle(config: ScheduleConfig, { steps }: TrainingLength, warmup: number): Schedule {
  const { learningRate } = config;
  const rise = Math.max(1, warmup === 0 ? Math.round(CYCLE.rise * steps) : warmup);
  const fall = Math.max(1, steps - rise);
  return (step) =>
    step < rise
      ? cosineBetween(CYCLE.start * learningRate, learningRate, step / rise)
      : cosineBetween(learningRate, 0, Math.min(1, (step - rise) / fall));
}

function cosineBetween(from: number, to: number, progress: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;
}

/** Schedule of a loss option: from value `from` to value `to`, then constant. */
export interface NumberSchedule {
  readonly from: number;
  readonly to: number;
  /** Default: the whole training. */
  readonly epochs?: number | undefined;
}

/** Value at step 0 … steps - 1: `from` at the first step, in a straight line to `to`, which it has from the last of its epochs on. A pure function, like `Schedule`. */
export function createNumberSchedule(config: NumberSchedule, { stepsPerEpoch, steps }: TrainingLength): Schedule {
  const { from, to, epochs } = config;
  const last = (epochs === undefined ? steps : Math.round(epochs * stepsPerEpoch)) - 1;
  return (step) => (step >= last ? to : from + ((to - from) * step) / last);
}

/** Values at a step of the loss options that are not constant. A loss reads its own options by name. */
export function changingNumbers(
  { schedules = {} }: { schedules?: Readonly<Record<string, NumberSchedule>> | undefined },
  length: TrainingLength,
): (step: number) => Readonly<Record<string, number>> {
  const courses = Object.entries(schedules).map(
    ([name, config]) => [name, createNumberSchedule(config, length)] as const,
  );
  return (step) => Object.fromEntries(courses.map(([name, at]) => [name, at(step)]));
}
