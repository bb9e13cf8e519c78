import { monotonicMs, SaveTimer } from '../../../base/clock.ts';
import { InterruptedError, UserError } from '../../../base/errors.ts';
import { sureAnswersOf } from '../../../distill/answers/sure-answers.ts';
import { LiveSoftTargets } from '../../../distill/answers/live-soft-targets.ts';
import {
  bytesOfAnswers,
  SoftTargetsBuilder,
  softTargetsKey,
  StoredSoftTargets,
} from '../../../distill/answers/soft-targets.ts';
import type { KeyedStore, SoftTargets, StoreOptions } from '../../../distill/answers/soft-targets.ts';
import { MOST_CLASSES } from '../../../distill/answers/top-answers.ts';
import type { Teacher } from '../../../distill/teachers/teacher.ts';
import type { Safetensors } from '../../../formats/safetensors.ts';
import type { Recipe } from '../../../recipe/schema.ts';
import { size } from '../../../report/format.ts';
import type { TeacherSummary } from '../../../report/types.ts';
import { asTeacherSees, countOfElements } from '../../../data/dataset.ts';
import type { Dataset } from '../../../data/dataset.ts';
import type { FitContext, StageContext } from '../../context.ts';
import { SHOW_EVERY_MS } from '../../../train/progress.ts';
import { isShortOfMemory, LabelBatch } from './label-batch.ts';
import type { Teaching } from './given-teacher.ts';

/** The teacher's answers, the views that they answer to, and the time and space that they cost. */
export interface Answers {
  readonly teacher?: Teacher;
  readonly answers: SoftTargets;
  readonly views: number | undefined;
  readonly summary: TeacherSummary;
}

type Context = Omit<FitContext, 'engine'> & Pick<StageContext, 'foretold'>;

/** The teacher's answers to every training sample and view, of which the sure ones teach; see `SureAnswers`. */
export async function collectAnswers(
  context: Context,
  teaching: Teaching,
  kept: KeyedStore,
  stage = 'answers',
): Promise<Answers> {
  const collected = await allAnswers(context, teaching, kept, stage);
  const { train } = context.data;
  const sure = await sureAnswersOf(train);
  if (sure === undefined) return collected;
  return { ...collected, answers: sure.sure(collected.answers, train, context.recipe.distill.minConfidence) };
}

/** Stores the teacher's answers to every training sample and view, or arranges to ask it at every step. */
async function allAnswers(context: Context, teaching: Teaching, kept: KeyedStore, stage: string): Promise<Answers> {
  const { recipe } = context;
  // A network trained by this run reads the student's samples, not those prepared for a teacher's file.
  const { train } = context.data;
  const learnt = teaching.trained === undefined ? train : { ...train, forTeacher: undefined };
  context.onEvent({ type: 'stage', stage });
  const { augment } = recipe.dataset;
  const { store } = recipe.distill.softTargets;
  if (teaching.stored !== undefined) {
    const summary = {
      source: teaching.source,
      store: 'none',
      views: teaching.views ?? 1,
      seconds: 0,
      savedSeconds: 0,
      bytes: 0,
    } as const;
    return { answers: teaching.stored, views: teaching.views, summary };
  }
  const { teacher } = teaching;
  if (store === 'live') {
    const answers = new LiveSoftTargets(teacher, learnt, {
      shards: context.recipe.shards,
      turns: context.processes,
    });
    // The seconds are known only after the training.
    const summary = {
      source: teacher.name,
      store,
      views: 1,
      savedSeconds: 0,
      bytes: 0,
      get seconds(): number {
        return answers.seconds;
      },
    };
    return { teacher, answers, views: undefined, summary };
  }
  const options = storeOptions(recipe, learnt, teacher, store);
  const views = augment.length === 0 ? undefined : options.views;
  if (context.rehearsal !== undefined) {
    const answers = await context.rehearsal.answers(options, batchFor(teacher, context).size);
    const summary = { source: teacher.name, store, views: options.views, seconds: 0, savedSeconds: 0, bytes: 0 };
    return { teacher, answers, views, summary };
  }
  const key = softTargetsKey(options);
  const known = await kept.load(key);
  if (known === undefined) await kept.refuseWithoutRoom?.(bytesOfAnswers(options));
  const content = known ?? (await answerAll(context, options, stage));
  if (known === undefined) {
    await kept.save(key, content);
    await context.states(stage).remove();
  }
  const seconds = Number(content.metadata['seconds']);
  await context.done(stage, seconds);
  const { epochs } = recipe.distill;
  const live = (seconds / options.views) * epochs * recipe.repeats;
  return {
    teacher,
    answers: new StoredSoftTargets(content, learnt, 'the stored soft targets'),
    views,
    summary: {
      source: teacher.name,
      store,
      views: options.views,
      seconds,
      savedSeconds: Math.max(0, live - seconds),
      bytes: sizeOf(content),
    },
  };
}

/** Options of the store of answers to the training samples. */
export function storeOptions(
  recipe: Recipe,
  dataset: Dataset,
  teacher: Teacher,
  store: StoreOptions['store'],
): StoreOptions {
  const { augment } = recipe.dataset;
  const { top } = recipe.distill.softTargets;
  refuseTop(top, teacher.classes);
  return { teacher, dataset, store, top, views: viewsOf(recipe), augment, seed: recipe.seed };
}

/** `UserError` where as many logits as the teacher has classes, or more, are to be stored. */
export function refuseTop(top: number | undefined, classes: number): void {
  if (top === undefined || (top < classes && classes <= MOST_CLASSES)) return;
  throw new UserError(
    `distill.softTargets.top: expected less than the ${classes} classes, of at most ${MOST_CLASSES}, received ${top}`,
    'Leave it out: all logits are stored then.',
  );
}

const MOST_VIEWS = 4;

/** Number of views of each sample with a stored answer. */
export function viewsOf({ dataset, distill }: Recipe): number {
  if (dataset.augment.length === 0) return 1;
  return distill.softTargets.views ?? Math.max(1, Math.min(MOST_VIEWS, Math.ceil(distill.epochs)));
}

async function answerAll(context: Omit<Context, 'done'>, options: StoreOptions, stage: string): Promise<Safetensors> {
  const { onEvent, signal, processes } = context;
  const states = context.states(stage);
  const { builder, before, isResumed } = await begun(options, states, context.foretold?.answered);
  const { total } = builder;
  const views = options.views === 1 ? '' : `, ${options.views} views each`;
  onEvent({
    type: 'stage',
    stage,
    title: `asking the teacher about ${options.dataset.count} samples${views}: ${size(bytesOfAnswers(options))} of answers`,
    ...(isResumed && { resumedAt: `sample ${builder.done} of ${total}` }),
  });
  const first = builder.done;
  const start = monotonicMs();
  const elapsed = (): number => (monotonicMs() - start) / 1000;
  const content = (): Safetensors => {
    const { tensors, metadata } = builder.saved();
    return { tensors, metadata: { ...metadata, seconds: String(before + elapsed()) } };
  };
  const timer = new SaveTimer(context.saveEveryMs);
  let shownAt = 0;
  const batch = batchFor(options.teacher, context);
  const halved = (size: number): void =>
    onEvent({ type: 'message', message: `  short of memory: asking about ${size} samples at once` });
  while (builder.done < total) {
    if (processes.agreed([signal?.aborted === true])[0]) {
      await states.save(content());
      throw new InterruptedError(`stopped asking the teacher after sample ${builder.done} of ${total}`);
    }
    if (processes.size > 1) await inBatchesOf(batch.size, (size) => builder.next(size, processes));
    else await batch.ask((size) => builder.next(size), halved);
    const now = monotonicMs();
    if (timer.isDue()) await timer.save(() => states.save(content()));
    if (now - shownAt < SHOW_EVERY_MS) continue;
    shownAt = now;
    const samplesPerSecond = (builder.done - first) / elapsed();
    const secondsLeft = (total - builder.done) / samplesPerSecond;
    onEvent({ type: 'progress', stage, done: builder.done, total, samplesPerSecond, secondsLeft });
  }
  return content();
}

/** Answers of an earlier start, else of the forecast, and the seconds that they took. The saved state is in memory only until its answers are copied. */
async function begun(
  options: StoreOptions,
  states: ReturnType<FitContext['states']>,
  foretold: Safetensors | undefined,
): Promise<{ readonly builder: SoftTargetsBuilder; readonly before: number; readonly isResumed: boolean }> {
  const key = softTargetsKey(options);
  const saved = await states.load();
  const known = [saved, foretold].find((one) => one?.metadata['key'] === key);
  const builder = new SoftTargetsBuilder(options, known);
  const isResumed = builder.done > 0 && known === saved;
  return { builder, before: builder.done === 0 ? 0 : Number(known?.metadata['seconds'] ?? 0), isResumed };
}

/** Asks a question in batches of one size, the same in all processes; `UserError` if memory is too small. */
export async function inBatchesOf<T>(size: number, question: (size: number) => Promise<T>): Promise<T> {
  try {
    return await question(size);
  } catch (error) {
    if (!isShortOfMemory(error)) throw error;
    throw new UserError(
      `the teacher is short of memory with ${size} samples at once, a number that all processes must share`,
      `Set distill.softTargets.batchSize to ${Math.ceil(size / 2)} for all of them.`,
      { cause: error },
    );
  }
}

/** Batch for asking the teacher. Its size depends on the teacher's device, which may differ from the student's. */
export function batchFor(
  { device, sampleShape }: Pick<Teacher, 'device' | 'sampleShape'>,
  { data, recipe }: Pick<StageContext, 'data' | 'recipe'>,
): LabelBatch {
  const seen = sampleShape ?? asTeacherSees(data.train).sampleShape;
  return new LabelBatch(device, countOfElements(seen), recipe.distill.softTargets.batchSize);
}

function sizeOf({ tensors }: Safetensors): number {
  return [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}
