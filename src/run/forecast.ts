import { availableParallelism } from 'node:os';
import { bytesOf, concatBytes } from '../base/bytes.ts';
import { monotonicMs, timedFor } from '../base/clock.ts';
import type { Forecast, OnEvent } from '../base/events.ts';
import { freeMemory, memoryText } from '../base/process/memory.ts';
import { countOfElements } from '../data/dataset.ts';
import { datasetRows } from '../data/readers/labelled.ts';
import {
  answersFile,
  answersTo,
  bytesOfAnswers,
  softTargetsKey,
  StoredSoftTargets,
} from '../distill/answers/soft-targets.ts';
import type { SoftTargets, StoreOptions } from '../distill/answers/soft-targets.ts';
import type { Safetensors } from '../formats/safetensors.ts';
import { seconds as secondsText, size } from '../report/format.ts';
import { engineOf } from '../setup/engine.ts';
import { fittingSamples, isLarge } from '../train/memory.ts';
import type { Foretold, StageContext, TrainingCost } from './context.ts';
/** Rows of the validation split that a rehearsal is scored on. */
const SCORED = 512;

/** Numbers that a run must read in all its epochs to be forecast: a smaller run takes a few seconds. */
const LEAST_NUMBERS = 2e6;

/** Memory for what follows the trainings: other runtimes, and sessions that are timed. Measured: bench/README.md. */
const [LATER_BYTES, LATER_SHARE] = [30e6, 0.08];
/** Report, log and ledger. */
const REPORT_BYTES = 0.4e6;
/** Bytes of a number in files of fewer bits. */
const STORED = { int8: 1, 'dynamic-int8': 1, int16x8: 1, int4: 0.5, fp16: 2 } as const;

/** Milliseconds of a call of the teacher from which on it is timed once. */
const LONG_MS = 2000;

/** Stages whose time is forecast: trainings, and answers of a teacher. */
const TRAINS = /^(?:teach|assist-|race-|scratch|distill|generation-|prune-)/;
const ANSWERS = /^answers/;

/** Trainings that are alike. */
interface Trained {
  readonly times: number;
  readonly lanes: number;
  readonly steps: number;
  readonly epochs: number;
  readonly cost: TrainingCost;
}

/** Follows the stages of a run in a context with a rehearsal. */
type Follow = (context: StageContext) => Promise<void>;

/** Says what a run will take, unless it takes a few seconds. */
export async function tellForecast(context: StageContext, follow: Follow): Promise<void> {
  const { recipe, data, onEvent, foretold } = context;
  const epochs = (recipe.student && recipe.distill.epochs) ?? recipe.teacher?.train?.epochs ?? 0;
  const numbers = epochs * data.train.count * countOfElements(data.train.sampleShape);
  if (foretold === undefined || numbers < LEAST_NUMBERS) return;
  // Exports follow the trainings.
  if (foretold.finished.some((stage) => stage.startsWith('export'))) return;
  onEvent({ type: 'stage', stage: 'forecast', title: 'timing some steps of each training' });
  const found = await forecast(context, foretold, follow);
  onEvent({ type: 'message', message: `  ${forecastText(found)}`, forecast: found });
}

/** The forecast in a sentence. */
export function forecastText(found: Forecast): string {
  const { runs, takenSeconds, answerSeconds, trainings, trainingSeconds, memoryBytes, processes, diskBytes } = found;
  const of = runs > 1 ? ` of ${Math.round(runs)} trials, by the first` : '';
  const rest = takenSeconds > 0 ? ' of what is left' : '';
  const work = [
    ...(answerSeconds === 0 ? [] : [`answers of the teacher ${secondsText(answerSeconds)}`]),
    ...(trainings === 0
      ? []
      : [`${trainings} ${trainings === 1 ? 'training' : 'trainings'} ${secondsText(trainingSeconds)}`]),
  ].join(', ');
  const until = `${secondsText(answerSeconds + trainingSeconds)} up to the exports (${work})`;
  const parts = [
    trainings === 0 ? work : until,
    `memory ${memoryText(memoryBytes)}${processes === 1 ? '' : ` in each of ${processes} processes`}${tooMuchText(found)}`,
    `disk ${size(diskBytes)}`,
  ];
  return `forecast${of}${rest}: ${parts.join(', ')}`;
}

/** What to compute at once where a run takes more than half of the free memory: parts of batches that it takes half with, if any do. */
function tooMuchText({ memoryBytes, processes, freeBytes = Infinity, step }: Forecast): string {
  const free = freeBytes / processes;
  if (!isLarge(memoryBytes, free)) return '';
  const fact = ` of the ${memoryText(freeBytes)} that are free`;
  const rest = memoryBytes - (step?.bytes ?? 0);
  if (step === undefined || step.samples === 1 || isLarge(rest + step.bytes / step.samples, free)) return fact;
  // Half of the rest of the memory is for the steps.
  const samples = fittingSamples(step.samples, step.bytes, free - 2 * rest);
  const then = rest + (step.bytes * samples) / step.samples;
  return `${fact} (${step.setting}: ${samples} of ${step.stage} takes about ${memoryText(then)})`;
}

/**
 * Follows the stages, of which each training and the teacher's answers are timed by a part. A teacher that the run trains answers with its initial
 * weights. The memory is the maximum of this process, which has then held the data, the teacher and every step.
 */
export async function forecast(
  given: Pick<StageContext, 'recipe' | 'data' | 'signal' | 'processes'>,
  foretold: Foretold,
  follow: Follow,
): Promise<Forecast> {
  const { recipe, data, processes } = given;
  const { runs, teachers, finished, taken, since } = foretold;
  const { validation } = data;
  const rows = Int32Array.from({ length: Math.min(SCORED, validation.count) }, (_, row) => row);
  const known = new Map<string, TrainingCost>();
  const trained: Trained[] = [];
  const answered: { readonly times: number; readonly seconds: number; readonly bytes: number }[] = [];
  let [times, lanes] = [1, 1];
  const opening = (monotonicMs() - since) / 1000;
  const nothing = (): Promise<void> => Promise.resolve();
  const rehearsal: StageContext['rehearsal'] = {
    validation: validation.count,
    enter: (each, count = 1, atOnce = 1) => {
      [times, lanes] = [count * (each === 'run' ? runs : teachers), atOnce];
    },
    training: async ({ kind, ...training }, rehearse) => {
      const cost = known.get(`${lanes} ${kind}`) ?? (await rehearse());
      known.set(`${lanes} ${kind}`, cost);
      trained.push({ ...training, times, lanes, cost });
    },
    again: (epochs) => {
      const last = trained.at(-1);
      if (last !== undefined)
        trained.push({ ...last, times, lanes, epochs, steps: (last.steps * epochs) / last.epochs });
    },
    answers: async (options, atOnce) => {
      const { answers, seconds, bytes, begun } = await answerCost(options, atOnce);
      answered.push({ times, seconds: seconds / processes.size, bytes });
      // Processes that work together time different numbers of batches.
      if (processes.size === 1) foretold.answered = begun;
      return answers;
    },
  };
  await follow({
    ...given,
    written: recipe,
    engine: await engineOf(recipe),
    onEvent: () => undefined,
    rehearsal,
    data: { ...data, validation: datasetRows(validation, rows), test: undefined },
    saveEveryMs: 0,
    states: () => ({ load: () => Promise.resolve(undefined), save: nothing, remove: nothing }),
    done: nothing,
  });

  const most = (key: 'restBytes' | 'savedBytes'): number => Math.max(0, ...trained.map(({ cost }) => cost[key]));
  const takenBy = (stages: RegExp): number =>
    [...taken].reduce((sum, [stage, took]) => sum + (stages.test(stage) ? took : 0), 0);
  const sumOf = <T extends { readonly times: number }>(all: readonly T[], of: (one: T) => number): number =>
    all.reduce((sum, one) => sum + one.times * of(one), 0);
  const answerSeconds = sumOf(answered, ({ seconds }) => seconds);
  const beside = trained.filter((one) => one.lanes > 1);
  const inTurn = Array.from({ length: Math.round(beside[0]?.times ?? 0) }, () => beside.map(secondsOf)).flat();
  const trainingSeconds =
    sumOf(
      trained.filter((one) => one.lanes === 1),
      secondsOf,
    ) + untilLast(inTurn, beside[0]?.lanes ?? 1, opening);
  const { export: formats, quantize } = recipe;
  const last = recipe.student === undefined ? 0 : (trained.at(-1)?.cost.params ?? 0);
  const perNumber = quantize.reduce(
    (sum, { scheme }) => sum + formats.length * STORED[scheme],
    formats.includes('tflite') ? 4 : 0,
  );
  const stored = Math.max(0, ...answered.map(({ bytes }) => bytes));
  const [step] = trained.map(({ cost }) => cost.step).sort((a, b) => b.bytes - a.bytes);
  return {
    runs,
    takenSeconds: takenBy(ANSWERS) + takenBy(TRAINS),
    answerSeconds: Math.max(0, answerSeconds - takenBy(ANSWERS)),
    trainings: Math.max(1, Math.ceil(sumOf(trained, () => 1)) - finished.filter((stage) => TRAINS.test(stage)).length),
    trainingSeconds: Math.max(0, trainingSeconds - takenBy(TRAINS)),
    memoryBytes:
      1024 * process.resourceUsage().maxRSS * (1 + LATER_SHARE) +
      most('restBytes') +
      2 * most('savedBytes') +
      2 * stored +
      LATER_BYTES,
    freeBytes: freeMemory() + process.memoryUsage.rss(),
    ...(step && { step }),
    processes: Math.max(processes.size, ...beside.map((one) => one.lanes)),
    diskBytes:
      sumOf(answered, ({ bytes }) => bytes) +
      sumOf(trained, ({ cost: { savedBytes, params } }) => 2 * savedBytes + 4 * params) +
      runs * (perNumber * last + REPORT_BYTES),
  };
}

/** Seconds of a training. Trainings beside one another share the cores, which a single one may not fill. */
function secondsOf({ lanes, steps, epochs, cost }: Trained): number {
  const { startSeconds, secondsPerStep, processorPerStep, validationSeconds } = cost;
  const beside = lanes === 1 ? 0 : (lanes * processorPerStep) / availableParallelism();
  return startSeconds + steps * Math.max(secondsPerStep, beside) + Math.ceil(epochs) * validationSeconds;
}

/** Seconds until the last of these trainings ends, each of which the first free process takes; all but the first process open the data before. */
function untilLast(trainings: readonly number[], lanes: number, opening: number): number {
  const free = Array.from({ length: lanes }, (_, lane) => (lane === 0 || trainings.length === 0 ? 0 : opening));
  for (const seconds of trainings) free[free.indexOf(Math.min(...free))]! += seconds;
  return Math.max(...free);
}

/** Says what a part of the answers will take that are stored beforehand, unless it takes a few seconds. `size`: samples that the teacher is asked about at once. */
export async function tellAnswers(onEvent: OnEvent, options: StoreOptions, size: number, share: number): Promise<void> {
  const { count, sampleShape } = options.dataset;
  if (share * options.views * count * countOfElements(sampleShape) < LEAST_NUMBERS) return;
  const { seconds, bytes } = await answerCost(options, size);
  const memoryBytes = 1024 * process.resourceUsage().maxRSS;
  const none = { runs: 1, takenSeconds: 0, trainings: 0, trainingSeconds: 0, processes: 1 };
  const found = { ...none, answerSeconds: share * seconds, memoryBytes, diskBytes: share * bytes };
  onEvent({ type: 'message', message: forecastText(found), forecast: found });
}

interface AnswerCost {
  /** Seconds and bytes of all answers that are stored, by the time of some batches. */
  readonly seconds: number;
  readonly bytes: number;
  /** The first answers, which stand in for all. */
  readonly answers: SoftTargets;
  /** State of a store that begins with the answers asked for. */
  readonly begun: Safetensors;
}

async function answerCost(options: StoreOptions, most: number): Promise<AnswerCost> {
  const { dataset, views } = options;
  const { count } = dataset;
  const size = Math.min(most, count);
  const start = monotonicMs();
  const passed = (): number => monotonicMs() - start;
  const parts = [await answersTo(options, 0, size)];
  let [asked, fastest] = [size, passed()];
  // The first call allocates memory and runs code that is not compiled yet, which is a small part of a long call only.
  while (
    asked === size ? passed() < LONG_MS : asked + size <= count && passed() < timedFor((fastest * views * count) / size)
  ) {
    const since = monotonicMs();
    const isNext = asked + size <= count;
    const values = await answersTo(options, isNext ? asked : 0, size);
    fastest = Math.min(fastest, monotonicMs() - since);
    if (isNext) parts.push(values);
    asked += size;
  }
  const key = softTargetsKey(options);
  const given = new (parts[0]!.constructor as Float32ArrayConstructor)(concatBytes(parts.map(bytesOf)).buffer);
  const begun = answersFile(options, given, { key, done: parts.length * size });
  const first = datasetRows(
    dataset,
    Int32Array.from({ length: size }, (_, row) => row),
  );
  const file = answersFile({ ...options, dataset: first, views: 1 }, parts[0]!, { key: '', done: size });
  const stored = new StoredSoftTargets(file, first, 'the first answers');
  const answers: SoftTargets = {
    width: stored.width,
    answersFor: ({ ids }) => stored.answersFor({ ids: ids.map((_, i) => i % size), x: new Float32Array() }),
  };
  return {
    seconds: (fastest * views * count) / size / 1000,
    bytes: bytesOfAnswers(options),
    answers,
    begun: { ...begun, metadata: { ...begun.metadata, seconds: String(passed() / 1000) } },
  };
}
