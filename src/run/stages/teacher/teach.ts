import { percent } from '../../../base/numbers.ts';
import { sha256 } from '../../../base/bytes.ts';
import { UserError } from '../../../base/errors.ts';
import { modelTeacher } from '../../../distill/teachers/model-teacher.ts';
import { fingerprint } from '../../../data/dataset.ts';
import type { Teacher } from '../../../distill/teachers/teacher.ts';
import { canonicalJson } from '../../../recipe/diff.ts';
import { taskOf } from '../../../tasks/registry.ts';
import { isBetter } from '../../../tasks/score.ts';
import { stageOf, TEACHER } from '../../../report/artifact.ts';
import type { TeacherTrainingRecipe } from '../../../recipe/schema/teacher.ts';
import type { FitContext, StageContext } from '../../context.ts';
import { fit } from '../../training/fit.ts';
import type { Fitted } from '../../../train/training.ts';
import { teacherBuilder } from '../../../setup/models.ts';
import type { Teaching } from './given-teacher.ts';

/** Opens or trains the teacher, and checks its answers to some labelled samples before a student learns from it. */
export async function teach(context: FitContext & Pick<StageContext, 'isChecked'>): Promise<Teaching | undefined> {
  const { recipe, onEvent } = context;
  if (recipe.teacher?.train === undefined) return (await import('./given-teacher.ts')).openAndCheck(context);
  const trained = await trainTeacher(context, recipe.teacher.train);
  onEvent({ type: 'stage', stage: 'open teacher' });
  const isStudents = recipe.teacher.chain === undefined;
  return { teacher: await trainedTeacher(context, trained, { name: 'the trained teacher', isStudents }), trained };
}

/** Trains the teacher that the recipe describes. The result is reused until something that it depends on changes. */
async function trainTeacher(context: FitContext, training: TeacherTrainingRecipe): Promise<Fitted> {
  const { recipe, data } = context;
  const { dataset, seed, precision } = recipe;
  const fitted = await fit(context, {
    stage: stageOf(TEACHER),
    title: `training the teacher (${training.model})`,
    job: sha256(canonicalJson({ training, dataset, seed, ...(precision === 'mixed' && { precision }) })),
    // The files of the data set may have changed since.
    data: () => sha256(fingerprint(data.train), fingerprint(data.validation)),
    build: teacherBuilder(context, training),
    settings: training,
    augment: training.augment,
    loss: 'ce',
    lossArgs: { ofLabels: taskOf(data.train).labelNumbers(training), seed },
    seed,
  });
  const { minAccuracy } = recipe.teacher ?? {};
  if (minAccuracy !== undefined && fitted.validation < minAccuracy) {
    throw new UserError(
      `teacher.minAccuracy asks for ${percent(minAccuracy)}, and the trained teacher is right on ${percent(fitted.validation)} of the validation split`,
      'Train it longer, choose a larger teacher.train.model, or ask for less.',
    );
  }
  const task = taskOf(data.validation);
  if (isBetter(task.score, fitted.validation, task.ignorance(data.validation.targets))) return fitted;
  throw new UserError(
    `teacher.train: the trained teacher is ${task.score.said(fitted.validation, 'the validation split')}, no better than chance`,
    'Train it longer, or lower teacher.train.optimizer.learningRate.',
  );
}

/** A trained model as a teacher. The teacher of the student (`isStudents`) also gives the inner tensors that the loss compares. */
export async function trainedTeacher(
  { recipe: { distill }, engine, data }: Pick<StageContext, 'recipe' | 'data' | 'engine'>,
  { network, weights }: Pick<Fitted, 'network' | 'weights'>,
  { name, isStudents }: { readonly name: string; readonly isStudents: boolean },
): Promise<Teacher> {
  const features = isStudents && 'features' in distill ? distill.features.map(({ teacher }) => teacher) : [];
  const dataset = { ...data.validation, forTeacher: undefined };
  return modelTeacher({ name, engine, network, weights, features, dataset, outputs: 'logits' });
}
