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
  /** Notes of the checks, and on how the student's teacher and loss were found. */
  readonly begun: readonly string[];
  readonly race: Race | undefined;
}

/** The data as it is scored, the teacher and its lessons, and notes on both. */
export async function lessonsOf(begin: StageContext, { softTargets }: Pick<RunStores, 'softTargets'>) {
  // 0. What would fail late is found out now.
  const begun = await checkModels(begin);

  // 1. A teacher, opened or trained, and known to be worth listening to. Where there are no labels its answers stand in for them.
  const teaching = await teach(begin);
  const scored = await withScores(begin, teaching);

  // 2. The teacher's answers to the training samples, or the last assistant's, shared by all repeats.
  const chained = teaching && (await assistants(scored, teaching, softTargets));
  const transferred = transferSet(scored);
  const lessons = chained && begin.recipe.student && (await collectAnswers(transferred, chained.teaching, softTargets));
  const notes = [...begun, ...(chained?.notes ?? []), ...leftOutNotes(transferred)];
  return { context: transferred, teaching, lessons, notes };
}

export async function prepareStudents(begin: StageContext, stores: RunStores): Promise<StudentsStart> {
  const { context: transferred, teaching, lessons, notes: before } = await lessonsOf(begin, stores);
  // And the loss to learn with.
  const key = begin.recipe.distill.loss === 'auto' ? await repeatKey(transferred, teaching) : '';
  const { context, race, notes } = await raceLosses(transferred, lessons, (stage) =>
    stores.race.take(raceResult(stage), key, [stage], stores.folder),
  );
  if (lessons !== undefined) await checkLoss(context, lessons);
  const ways = [...notes, ...(lessons === undefined ? [] : generationNotes(context))];
  return { context, teaching, lessons, begun: [...before, ...ways], race };
}

/** A training of a student that needs none of the others. */
export interface Training {
  /** Stage whose saved state it works on. */
  readonly stage: string;
  /** The same each time; `change`: parts of the context that replace the run's. */
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
    // 3. The student by itself: what the distilled one has to beat.
    ...(!isTaught || hasTwin ? [training('scratch', (context) => student(context, 'scratch'))] : []),
    // 4. The student and its teacher, or its peer.
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
