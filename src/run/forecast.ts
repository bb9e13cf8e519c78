import { availableParallelism } from 'node:os';
import { monotonicMs } from '../base/clock.ts';
import type { Forecast, OnEvent } from '../base/events.ts';
import { memoryText } from '../base/process/memory.ts';
import { countOfElements } from '../data/dataset.ts';
import { datasetRows, labelledCount } from '../data/readers/labelled.ts';
import { LiveSoftTargets } from '../distill/answers/live-soft-targets.ts';
import { answersTo, bytesOfAnswers } from '../distill/answers/soft-targets.ts';
import type { SoftTargets, StoreOptions } from '../distill/answers/soft-targets.ts';
import { sureBoxes } from '../distill/answers/sure-boxes.ts';
import type { Teacher } from '../distill/teachers/teacher.ts';
import { contentOf } from '../networks/network.ts';
import { NEEDS_PEER } from '../recipe/schema/loss.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { AssistantRecipe, TeacherTrainingRecipe } from '../recipe/schema/teacher.ts';
import { isRaceStage } from '../report/artifact.ts';
import { seconds as secondsText, size } from '../report/format.ts';
import { engineOf } from '../setup/engine.ts';
import { peerBuilder, studentBuilder, teacherBuilder } from '../setup/models.ts';
import type { Foretold, StageContext } from './context.ts';
import { courseOf, withLoss } from './stages/student/race.ts';
import { studentOptions } from './stages/student/train-student.ts';
import { batchFor, ownForm, storeOptions } from './stages/teacher/answer.ts';
import { assistantOptions } from './stages/teacher/assistants.ts';
import { withScores } from './stages/teacher/labels-from-teacher.ts';
import { transferSet } from './stages/teacher/leave-out.ts';
import { teacherOptions, trainedTeacher } from './stages/teacher/teach.ts';
import type { Teaching } from './stages/teacher/teach.ts';
import { rehearse } from './training/fit.ts';
import type { Rehearsal } from './training/fit.ts';
import type { FitOptions } from './training/options.ts';

type Lessons = NonNullable<Parameters<typeof studentOptions>[2]>;

/** Trainings of one kind. */
interface Kind {
  readonly times: number;
  /** True for the teacher and its assistants, which runs that are alike share. */
  readonly isTeachers: boolean;
  /** Number of them that are made at once. */
  readonly lanes: number;
  readonly rehearsal: Rehearsal;
}

const TEACHERS = { times: 1, isTeachers: true, lanes: 1 } as const;

/** Rows of the validation split that a rehearsal is scored on. */
const SCORED = 512;

/** Numbers that a run must read in all its epochs to be forecast: a smaller run takes a few seconds. */
const LEAST_NUMBERS = 2e6;

/** Memory for what follows the trainings: other runtimes, and sessions that are timed. Measured: docs/benchmarks.md. */
const [LATER_BYTES, LATER_SHARE] = [30e6, 0.08];
/** Time of a training on its share of the threads while others run on theirs, beside its time while they are idle. Measured: docs/benchmarks.md. */
const BESIDE = 1.25;
/** Report, log and ledger. */
const REPORT_BYTES = 0.4e6;
/** Bytes of a number in files of fewer bits. */
const STORED = { int8: 1, 'dynamic-int8': 1, int16x8: 1, int4: 0.5, fp16: 2 } as const;

/** Says what a run will take, unless it takes a few seconds. `teaching`: a teacher that is not trained by the run. */
export async function tellForecast(context: StageContext, teaching?: Teaching): Promise<void> {
  const { recipe, data, onEvent, foretold } = context;
  const epochs = (recipe.student && recipe.distill.epochs) ?? recipe.teacher?.train?.epochs ?? 0;
  const numbers = epochs * data.train.count * countOfElements(data.train.sampleShape);
  if (foretold === undefined || numbers < LEAST_NUMBERS) return;
  // Exports follow the trainings.
  if (foretold.finished.some((stage) => stage.startsWith('export'))) return;
  onEvent({ type: 'stage', stage: 'forecast', title: 'timing some steps of each training' });
  const found = await forecast(context, teaching);
  onEvent({ type: 'message', message: `  ${forecastText(found)}`, forecast: found });
}

/** The forecast in a sentence. */
export function forecastText(found: Forecast): string {
  const { runs, takenSeconds, answerSeconds, trainings, trainingSeconds, memoryBytes, processes, diskBytes } = found;
  const of = runs > 1 ? ` of ${Math.round(runs)} trials, by the first` : '';
  const rest = takenSeconds > 0 ? ' of what is left' : '';
  const parts = [
    ...(answerSeconds === 0 ? [] : [`answers of the teacher ${secondsText(answerSeconds)}`]),
    ...(trainings === 0
      ? []
      : [`${trainings} ${trainings === 1 ? 'training' : 'trainings'} ${secondsText(trainingSeconds)}`]),
    `memory ${memoryText(memoryBytes)}${processes === 1 ? '' : ` in each of ${processes} processes`}`,
    `disk ${size(diskBytes)}`,
  ];
  return `forecast${of}${rest}: ${parts.join(', ')}`;
}

/**
 * Times some steps of each kind of training, and some answers of the teacher. A teacher that the run trains answers with its initial weights. The
 * memory is the maximum of this process, which has then held the data, the teacher and every step.
 */
export async function forecast(
  given: Pick<StageContext, 'recipe' | 'data' | 'onEvent' | 'signal' | 'foretold'>,
  teaching?: Teaching,
): Promise<Forecast> {
  const { recipe } = given;
  const { validation } = given.data;
  const rows = Int32Array.from({ length: Math.min(SCORED, validation.count) }, (_, row) => row);
  const quiet = { ...given, engine: engineOf(recipe), onEvent: () => undefined };
  const few = { ...quiet, data: { ...given.data, validation: datasetRows(validation, rows), test: undefined } };
  const scored = (await withScores(few, teaching)).data.validation;
  const context = transferSet(quiet);
  const { train, chain = [] } = recipe.teacher ?? {};
  const kinds: Kind[] = [];
  if (train !== undefined)
    kinds.push({ ...TEACHERS, rehearsal: await rehearse(context, teacherOptions(context, train), scored) });
  const untrained = train && (await untrainedTeacher(context, train, chain.length === 0));
  const teacher = teaching?.teacher ?? untrained;
  const data = untrained === undefined ? context.data : ownForm(context.data);
  const lessonsOf = (from: Teacher): Lessons => {
    const live = new LiveSoftTargets(from, data.train, { shards: recipe.shards });
    const answers = store === 'live' ? live : asStored(live);
    return { teacher: from, answers: sureBoxes(answers, data.train, recipe.distill.minConfidence), views: undefined };
  };
  const { store } = recipe.distill.softTargets;
  const stated = teaching?.stored && { answers: teaching.stored, views: teaching.views };
  const lessons = teacher === undefined ? stated : lessonsOf(teacher);
  const lanes = Math.min(recipe.jobs ?? 1, 2 * recipe.repeats);
  const threads =
    lanes === 1 ? recipe.threads : Math.max(1, Math.floor((recipe.threads || availableParallelism()) / lanes));
  let stored = { seconds: 0, bytes: 0 };
  try {
    if (teacher !== undefined && recipe.student !== undefined && store !== 'live')
      stored = await answerCost(storeOptions(recipe, data, teacher, store), batchFor(teacher, { recipe, data }).size);
    for (const [i, training] of chain.entries()) {
      const options = assistantOptions(context, training, { number: i + 1, lessons: lessons! });
      kinds.push({ ...TEACHERS, rehearsal: await rehearse(context, options, scored) });
    }
    const assistant = chain.at(-1) && (await untrainedTeacher(context, chain.at(-1)!, true));
    const inLanes = { ...context, engine: engineOf({ ...recipe, threads }) };
    for (const { times, options } of await studentKinds(inLanes, assistant ? lessonsOf(assistant) : lessons))
      kinds.push({ times, isTeachers: false, lanes, rehearsal: await rehearse(inLanes, options, scored) });
    await assistant?.dispose();
  } finally {
    await untrained?.dispose();
  }
  return summed(recipe, kinds, { stored, lanes, foretold: given.foretold ?? ONE_NEW_RUN });
}

const ONE_NEW_RUN: Foretold = { runs: 1, teachers: 1, finished: [], taken: new Map() };

/** Stages whose time is forecast: trainings, and answers of a teacher. */
const TRAINS = /^(?:teach|assist-|race-|scratch|distill|generation-|prune-)/;
const ANSWERS = /^answers/;

interface Found {
  readonly stored: { readonly seconds: number; readonly bytes: number };
  readonly lanes: number;
  readonly foretold: Foretold;
}

function summed(
  recipe: Recipe,
  kinds: readonly Kind[],
  { stored, lanes, foretold: { runs, teachers, finished, taken } }: Found,
): Forecast {
  const rounds = (recipe.teacher?.chain?.length ?? 0) + (recipe.distill.generations ?? 1);
  const isLive = recipe.distill.softTargets.store === 'live';
  const most = (key: 'restBytes' | 'savedBytes'): number =>
    Math.max(0, ...kinds.map(({ rehearsal }) => rehearsal[key]));
  const total = (of: (rehearsal: Rehearsal, lanes: number) => number): number =>
    kinds.reduce((sum, kind) => {
      const alike = kind.isTeachers ? teachers : runs;
      return sum + alike * kind.times * of(kind.rehearsal, kind.lanes);
    }, 0);
  const seconds = (one: Rehearsal): number =>
    one.startSeconds +
    one.steps * (one.secondsPerStep + (isLive ? one.teacherPerStep : 0)) +
    one.validations * one.validationSeconds;
  const { export: formats, quantize } = recipe;
  const last = recipe.student === undefined ? 0 : (kinds.at(-1)?.rehearsal.params ?? 0);
  const perNumber = quantize.reduce(
    (sum, { scheme }) => sum + formats.length * STORED[scheme],
    formats.includes('tflite') ? 4 : 0,
  );
  const takenBy = (stages: RegExp): number =>
    [...taken].reduce((sum, [stage, took]) => sum + (stages.test(stage) ? took : 0), 0);
  const answers = teachers * rounds * stored.seconds;
  const trainings = total((one, at) => (seconds(one) * (at > 1 ? BESIDE : 1)) / at);
  const taught = finished.filter((stage) => TRAINS.test(stage) && !isRaceStage(stage)).length;
  const { maxRSS } = process.resourceUsage();
  return {
    runs,
    takenSeconds: takenBy(ANSWERS) + takenBy(TRAINS),
    answerSeconds: Math.max(0, answers - takenBy(ANSWERS)),
    trainings: Math.max(1, Math.ceil(total(() => 1)) - taught),
    trainingSeconds: Math.max(0, trainings - takenBy(TRAINS)),
    memoryBytes:
      1024 * maxRSS * (1 + LATER_SHARE) + most('restBytes') + 2 * most('savedBytes') + 2 * stored.bytes + LATER_BYTES,
    processes: lanes,
    diskBytes:
      teachers * rounds * stored.bytes +
      total(({ savedBytes, params }) => 2 * savedBytes + 4 * params) +
      runs * (perNumber * last + REPORT_BYTES),
  };
}

/** Trainings of the student and its twin, and how often a training like theirs is made. */
async function studentKinds(
  context: Pick<StageContext, 'recipe' | 'data'>,
  lessons: Lessons | undefined,
): Promise<{ readonly times: number; readonly options: FitOptions }[]> {
  const { recipe, data } = context;
  const { distill, repeats, seed } = recipe;
  if (recipe.student === undefined || distill.epochs === 0) return [];
  const isRaced = distill.loss === 'auto';
  const raced = isRaced ? courseOf(context).plan.map(({ count, epochs }) => count * epochs) : [];
  const pruned = recipe.prune.map(({ finetune }) => finetune.epochs);
  const quantized = recipe.quantize.map((step) => ('method' in step && step.method === 'qat' ? step.qat.epochs : 0));
  const further = [...raced, ...pruned, ...quantized].reduce((sum, epochs) => sum + epochs, 0) / distill.epochs;
  const named = isRaced ? withLoss(context, { loss: 'kd', numbers: {} }) : context;
  const hasPeer = NEEDS_PEER.has(distill.loss);
  const isTaught = hasPeer || lessons !== undefined;
  const hasTwin = !isTaught || (recipe.baseline !== false && labelledCount(data.train) > 0);
  const peer = {
    ...{ stage: 'distill', title: 'distilling', build: studentBuilder(context, seed), settings: distill, seed },
    ...{ peer: peerBuilder(context, seed), isNew: true },
  };
  return [
    ...(hasTwin ? [{ times: repeats + (isTaught ? 0 : further), options: await studentOptions(named, 0) }] : []),
    ...(isTaught
      ? [
          {
            times: repeats * (distill.generations ?? 1) + further,
            options: await studentOptions(named, 0, lessons, hasPeer ? peer : undefined),
          },
        ]
      : []),
  ];
}

/** A teacher or assistant that the run will train, with its initial weights. */
async function untrainedTeacher(
  context: Pick<StageContext, 'recipe' | 'data' | 'engine'>,
  training: TeacherTrainingRecipe | AssistantRecipe,
  isStudents: boolean,
): Promise<Teacher> {
  const network = await teacherBuilder(context, training)();
  return trainedTeacher(
    context,
    { network, weights: contentOf(network) },
    { name: 'the untrained teacher', isStudents },
  );
}

/** Answers that cost no time at a step, as stored ones: the teacher is asked once for each size of a batch. */
function asStored(answers: SoftTargets): SoftTargets {
  const known = new Map<number, ReturnType<SoftTargets['answersFor']>>();
  return {
    width: answers.width,
    answersFor: (asked) => {
      const found = known.get(asked.ids.length) ?? answers.answersFor(asked);
      known.set(asked.ids.length, found);
      return found;
    },
  };
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

/** Seconds and bytes of all answers that are stored, by the time of some batches. */
async function answerCost(
  options: StoreOptions,
  most: number,
): Promise<{ readonly seconds: number; readonly bytes: number }> {
  const { count } = options.dataset;
  const size = Math.min(most, count);
  await answersTo(options, 0, size);
  const start = monotonicMs();
  let asked = 0;
  while (asked === 0 || (monotonicMs() - start < 500 && asked + size <= count)) {
    await answersTo(options, asked, size);
    asked += size;
  }
  const each = (monotonicMs() - start) / 1000 / asked;
  return { seconds: each * options.views * count, bytes: bytesOfAnswers(options) };
}
