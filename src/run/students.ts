import { repeatKey } from './repeat-key.ts';
import { raceLosses, raceResult } from './stages/student/race.ts';
import { earlierGenerations, generationNotes } from './stages/teacher/generations.ts';
import { assistants } from './stages/teacher/assistants.ts';
import { NEEDS_PEER } from '../recipe/schema/loss.ts';
import { stageOf } from '../report/artifact.ts';
import type { Race } from '../report/types.ts';
import { labelledCount } from '../data/readers/labelled.ts';
import type { RunStores } from '../folder/states/stores.ts';
import type { TrainedModel } from '../ship/export.ts';
import type { StageContext } from './context.ts';
import { collectAnswers } from './stages/teacher/answer.ts';
import type { Answers } from './stages/teacher/answer.ts';
import { checkModels } from './stages/check/check-models.ts';
import { trainWithPeer } from './stages/student/mutual.ts';
import { leftOutNotes, transferSet } from './stages/teacher/leave-out.ts';
import { withScores } from './stages/teacher/labels-from-teacher.ts';
import { checkLoss, trainStudent } from './stages/student/train-student.ts';
import { teach } from './stages/teacher/teach.ts';
import type { Teaching } from './stages/teacher/teach.ts';

/** Context, teacher and answers that the students of every repeat start from. */
export interface StudentsStart {
  readonly context: StageContext;
  readonly teaching: Teaching | undefined;
  readonly lessons: Answers | undefined;
  /** Notes of the checks, and on the choice of the student's teacher and loss. */
  readonly begun: readonly string[];
  readonly race: Race | undefined;
}

/** Prepares scored data, the teacher and its answers, and notes on both. */
export async function lessonsOf(begin: StageContext, { softTargets }: Pick<RunStores, 'softTargets'>) {
  // 0. Check everything that would fail late.
  const begun = await checkModels(begin);

  // 1. Open or train the teacher and check its answers. They stand in for missing labels.
  const teaching = await teach(begin);
  const scored = await withScores(begin, teaching);

  // 2. Collect the answers of the teacher, or of the last assistant, to the training samples, for all repeats.
  const chained = teaching && (await assistants(scored, teaching, softTargets));
  const transferred = transferSet(scored);
  const lessons = chained && begin.recipe.student && (await collectAnswers(transferred, chained.teaching, softTargets));
  const notes = [...begun, ...(chained?.notes ?? []), ...leftOutNotes(transferred)];
  return { context: transferred, teaching, lessons, notes };
}

export async function prepareStudents(begin: StageContext, stores: RunStores): Promise<StudentsStart> {
  const { context: transferred, teaching, lessons, notes: before } = await lessonsOf(begin, stores);
  // Choose the loss.
  const key = begin.recipe.distill.loss === 'auto' ? await repeatKey(transferred, teaching) : '';
  const { context, race, notes } = await raceLosses(transferred, lessons, (stage) =>
    stores.race.take(raceResult(stage), key, [stage], stores.folder),
  );
  if (lessons !== undefined) await checkLoss(context, lessons);
  const ways = [...notes, ...(lessons === undefined ? [] : generationNotes(context))];
  return { context, teaching, lessons, begun: [...before, ...ways], race };
}

/** A training of a student that depends on no other training. */
export interface Training {
  /** Stage whose saved states the training uses. */
  readonly stage: string;
  /** Trains the student; repeated calls give the same weights. `change` replaces parts of the run's context. */
  readonly train: (change?: Pick<StageContext, 'engine' | 'signal' | 'done'>) => Promise<TrainedModel>;
}

/** The trainings of a repeat, in order. */
export function trainingsOf(
  { context: begun, lessons }: Pick<StudentsStart, 'context' | 'lessons'>,
  repeat: number,
  { softTargets }: Pick<RunStores, 'softTargets'>,
): Training[] {
  const { recipe, data } = begun;
  const hasPeer = NEEDS_PEER.has(recipe.distill.loss);
  const isTaught = lessons !== undefined || hasPeer;
  const hasTwin = recipe.baseline !== false && labelledCount(data.train) > 0;
  const training = (
    role: 'scratch' | 'distilled',
    train: (context: StageContext) => Promise<TrainedModel>,
  ): Training => ({
    stage: stageOf({ role, repeat }),
    train: (change) => train({ ...begun, ...change }),
  });
  const student = async (
    context: StageContext,
    role: 'scratch' | 'distilled',
    taught?: Answers,
  ): Promise<TrainedModel> => ({
    model: { role, repeat },
    trained: await trainStudent(context, repeat, taught),
  });
  return [
    // 3. The student without a teacher: the score that distillation has to beat.
    ...(!isTaught || hasTwin ? [training('scratch', (context) => student(context, 'scratch'))] : []),
    // 4. The student with its teacher or its peer.
    ...(hasPeer ? [training('distilled', (context) => trainWithPeer(context, repeat))] : []),
    ...(lessons === undefined
      ? []
      : [
          training('distilled', async (context) =>
            student(context, 'distilled', await earlierGenerations(context, repeat, lessons, softTargets)),
          ),
        ]),
  ];
}

export async function trainRepeat(
  begun: Pick<StudentsStart, 'context' | 'lessons'>,
  repeat: number,
  stores: Pick<RunStores, 'softTargets'>,
): Promise<TrainedModel[]> {
  const students: TrainedModel[] = [];
  for (const { train } of trainingsOf(begun, repeat, stores)) students.push(await train());
  return students;
}
