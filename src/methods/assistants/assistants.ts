import { sha256 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import { fingerprint } from '../../data/dataset.ts';
import { canonicalJson } from '../../recipe/diff.ts';
import { asBefore } from '../../recipe/gone.ts';
import { assistantStage } from '../../report/artifact.ts';
import type { AssistantRecipe } from '../../recipe/schema/teacher.ts';
import { teacherBuilder } from '../../setup/models.ts';
import { taskOf } from '../../tasks/registry.ts';
import { isBetter } from '../../tasks/score.ts';
import type { Fitted } from '../../train/training.ts';
import type { FitContext, StageContext } from '../../run/context.ts';
import { fit } from '../../run/training/fit.ts';
import type { TrainAssistants } from '../../run/methods.ts';
import { collectAnswers } from '../../run/stages/teacher/answer.ts';
import type { Answers } from '../../run/stages/teacher/answer.ts';
import { numbersOf, ofAnswers } from '../../run/stages/student/train-student.ts';
import { trainedTeacher } from '../../run/stages/teacher/teach.ts';
import type { Teaching } from '../../run/stages/teacher/given-teacher.ts';

/**
 * Mirzadeh et al. 2020 (AAAI), "Improved knowledge distillation via teacher assistant" (TAKD): networks between teacher and student in size, each
 * trained by the one before. Returns the last assistant as the student's teacher, or the teacher itself without assistants.
 */
export const assistants: TrainAssistants = async (context, teaching, kept) => {
  const chain = context.recipe.teacher?.chain ?? [];
  let before = teaching;
  const notes = [];
  for (const [i, training] of chain.entries()) {
    const number = i + 1;
    const lessons = await collectAnswers(context, before, kept, `answers for assistant ${number}`);
    const fitted = await trainAssistant(context, training, { number, lessons, of: before });
    refuseIgnorant(context, fitted, number);
    const scoreText = taskOf(context.data.validation).score.said(fitted.validation, 'the validation split');
    const name = `assistant ${number} (${training.model})`;
    context.onEvent({ type: 'message', message: `${name}: ${scoreText}` });
    notes.push(`${name}, trained by ${lessons.summary.source}, is ${scoreText}`);
    if (before !== teaching) await before.teacher?.dispose();
    const isLast = number === chain.length;
    before = { teacher: await trainedTeacher(context, fitted, { name, isStudents: isLast }), trained: fitted };
  }
  return { teaching: before, notes };
};

function trainAssistant(
  context: FitContext,
  training: AssistantRecipe,
  { number, lessons, of }: { readonly number: number; readonly lessons: Answers; readonly of: Teaching },
): Promise<Fitted> {
  const { recipe, data } = context;
  const { distill, precision } = recipe;
  // Assistants learn by plain distillation if the student's loss is not yet chosen, or compares inner tensors, which are chosen for the last
  // assistant and the student.
  const loss = distill.loss === 'auto' ? 'kd' : ofAnswers(distill.loss);
  const hyper = numbersOf(recipe, loss);
  const seed = new RandomStream(recipe.seed, 'assistant', number).uint32();
  const { softTargets, minConfidence } = distill;
  const { dataset, teacher } = asBefore(recipe);
  const taught = of.teacher?.key ?? teacher;
  const learnt = { training: teacher!.chain![number - 1], taught, loss, hyper, views: lessons.views };
  const job = { ...learnt, dataset, seed, precision, softTargets, minConfidence };
  return fit(context, {
    stage: assistantStage(number),
    title: `training assistant ${number} (${training.model})`,
    job: sha256(canonicalJson(job)),
    data: () => sha256(fingerprint(data.train), fingerprint(data.validation)),
    build: teacherBuilder(context, training),
    settings: training,
    loss,
    lossArgs: { hyper, ofLabels: taskOf(data.train).labelNumbers({}), seed },
    seed,
    answers: lessons.answers,
    views: lessons.views,
  });
}

function refuseIgnorant({ data }: Pick<StageContext, 'data'>, { validation }: Fitted, number: number): void {
  const task = taskOf(data.validation);
  if (isBetter(task.score, validation, task.ignorance(data.validation.targets))) return;
  throw new UserError(
    `teacher.chain: assistant ${number} is ${task.score.said(validation, 'the validation split')}, no better than chance`,
    'Train it longer, or lower its optimizer.learningRate.',
  );
}
