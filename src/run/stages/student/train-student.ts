import type { Dataset } from '../../../data/dataset.ts';
import { answerSizes } from '../../../distill/losses/define.ts';
import type { LossArgs } from '../../../distill/losses/define.ts';
import type { Teacher } from '../../../distill/teachers/teacher.ts';
import { createLoss } from '../../../distill/losses/registry.ts';
import type { AnyLoss } from '../../../distill/losses/registry.ts';
import { lossNumbers, LOSSES, NEEDS_STRONG } from '../../../recipe/schema/loss.ts';
import type { LossName } from '../../../recipe/schema/loss.ts';
import type { DistillRecipe, Recipe } from '../../../recipe/schema.ts';
import { stageOf } from '../../../report/artifact.ts';
import { taskOf } from '../../../tasks/registry.ts';
import type { FitContext, StageContext } from '../../context.ts';
import { leaveOutOf } from '../../methods.ts';
import { fit } from '../../training/fit.ts';
import type { FitOptions } from '../../training/options.ts';
import type { Fitted } from '../../../train/training.ts';
import { unknownTensor } from '../check/check-models.ts';
import type { Answers } from '../teacher/answer.ts';
import { studentBuilder } from '../../../setup/models.ts';
import { contentOf } from '../../../networks/network.ts';
import { taken } from '../score-as-given.ts';

/** Settings for training a changed (pruned) student further. */
export type Change = Pick<FitOptions, 'stage' | 'title' | 'build' | 'settings' | 'seed' | 'masks' | 'peer'> & {
  /** True if the student starts from its initial weights rather than from another training. */
  readonly isNew?: boolean;
};

/** Trains the student: from the teacher; without `lessons` from the labels alone, as the twin; or together with a peer. */
export async function trainStudent(
  context: FitContext,
  repeat: number,
  lessons?: Answers,
  change?: Change,
): Promise<Fitted> {
  const { recipe } = context;
  const { distill } = recipe;
  // Twins share initial weights, order of samples and number of steps; they differ in the teacher.
  const seed = change?.seed ?? recipe.seed + repeat;
  const role = lessons === undefined ? 'scratch' : 'distilled';
  const isNew = change === undefined || change.isNew === true;
  const build = change?.build ?? studentBuilder(context, seed);
  if (distill.epochs === 0 && change === undefined) {
    const network = await build();
    return taken(context, {
      stage: stageOf({ role, repeat }),
      title: 'taking the student as it is',
      network,
      weights: contentOf(network),
    });
  }
  const number = numberOf(recipe, repeat);
  const isTaught = lessons !== undefined || change?.peer !== undefined;
  const options: FitOptions = {
    stage: stageOf({ role, repeat }),
    title:
      lessons === undefined ? `training the student without the teacher${number}` : `distilling the student${number}`,
    build,
    settings: distill,
    ...(await studentLoss(context, lessons, build, { seed, isTaught, isNew })),
    seed,
    answers: lessons?.answers,
    views: lessons?.views,
    strong: 'strong' in distill ? distill.strong : undefined,
    // The twin takes as many steps as the student, whatever samples have labels.
    asLongAs: context.data.train.count,
    ...change,
  };
  const fitted = await fit(context, options);
  // A student that teaches the next generation gets the corrected bias of the exported model.
  const leaveOut = isNew ? await leaveOutOf(recipe) : undefined;
  return leaveOut === undefined ? fitted : leaveOut.corrected(context, fitted, options.stage);
}

/** Suffix of a training's title with the number of the repeat; empty for a single repeat. */
export function numberOf({ repeats }: Pick<Recipe, 'repeats'>, repeat: number): string {
  return repeats > 1 ? ` (${repeat + 1} of ${repeats})` : '';
}

/** Loss of a student's training: the loss of the recipe, or the label loss alone. */
export async function studentLoss(
  context: Pick<StageContext, 'recipe' | 'data'>,
  lessons: Pick<Answers, 'teacher'> | undefined,
  build: ReturnType<typeof studentBuilder>,
  {
    seed,
    isNew,
    isTaught = lessons !== undefined,
  }: { readonly seed: number; readonly isNew: boolean; readonly isTaught?: boolean },
): Promise<Pick<FitOptions, 'loss' | 'lossArgs' | 'schedules'>> {
  const features = lessons === undefined ? [] : await featurePairs(context, lessons.teacher, build);
  const { distill } = context.recipe;
  const loss = isTaught ? lossOfStudent(distill) : 'ce';
  const task = taskOf(context.data.train);
  const ofLabels = task.labelNumbers(distill);
  const samples = samplesOf(context.data.train);
  const answers = answerSizes(task);
  const hyper = isNew ? numbersOf(context.recipe, loss) : laterNumbersOf(context.recipe, loss);
  const course = isNew && isTaught ? courseOf(context.recipe, loss) : {};
  return { loss, lossArgs: { hyper, ofLabels, answers, features, seed, samples }, ...course };
}

/** Checks that the loss can compare the outputs of this teacher, before the twin is trained. */
export async function checkLoss(context: Pick<StageContext, 'recipe' | 'data'>, lessons: Answers): Promise<void> {
  const { recipe } = context;
  if (!('features' in recipe.distill)) return;
  const build = studentBuilder(context, recipe.seed);
  const { loss, lossArgs } = await studentLoss(context, lessons, build, { seed: recipe.seed, isNew: true });
  const { variables, memory } = await createLoss(loss, lossArgs);
  for (const variable of Object.values({ ...variables, ...memory })) variable.dispose();
}

/** The samples for losses that keep a memory of them; only classification has such losses. */
function samplesOf({ targets, classNames }: Dataset): LossArgs['samples'] {
  return targets instanceof Int32Array ? { labels: targets, classes: classNames.length } : undefined;
}

/** The loss of a recipe; a race must have been run before. */
export function lossOfStudent({ loss }: DistillRecipe): LossName {
  if (loss === 'auto') throw new Error('the race of the losses has not been run');
  return loss;
}

/** Returns the loss, or plain distillation for a loss that needs more than the teacher's answers. */
export function ofAnswers(loss: LossName): LossName {
  return 'features' in LOSSES[loss].options || NEEDS_STRONG.has(loss) ? 'kd' : loss;
}

/** Options of the distillation loss from the recipe; the label loss has its own. */
export function numbersOf({ distill }: Pick<Recipe, 'distill'>, loss: AnyLoss): Record<string, number> {
  return loss === 'ce' ? {} : lossNumbers(loss, distill);
}

/** Schedules of the options that change during the student's training. */
function courseOf({ distill }: Pick<Recipe, 'distill'>, loss: AnyLoss): Pick<FitOptions, 'schedules'> {
  const numbers = numbersOf({ distill }, loss);
  const schedules = Object.entries(distill.schedules ?? {}).map(([name, schedule]) => {
    return [name, { ...schedule, from: numbers[name]! }] as const;
  });
  return { schedules: Object.fromEntries(schedules) };
}

/** Loss options of trainings after the student's: the values at the end of its schedules. */
export function laterNumbersOf({ distill }: Pick<Recipe, 'distill'>, loss: AnyLoss): Record<string, number> {
  const { schedules = {} } = distill;
  const numbers = Object.entries(numbersOf({ distill }, loss)).map(([name, usual]) => {
    return [name, schedules[name]?.to ?? usual] as const;
  });
  return Object.fromEntries(numbers);
}

async function featurePairs(
  { recipe: { distill } }: Pick<StageContext, 'recipe'>,
  teacher: Teacher | undefined,
  build: ReturnType<typeof studentBuilder>,
) {
  if (teacher === undefined || !('features' in distill)) return [];
  const { layers } = await build();
  return distill.features.map((pair) => {
    const layer = layers[pair.student]!;
    const shape = teacher.featureShapes[pair.teacher];
    if (shape === undefined) {
      throw unknownTensor(
        `${teacher.name} gives no tensor ${pair.teacher}`,
        pair.teacher,
        Object.keys(teacher.featureShapes),
      );
    }
    return { ...pair, studentShape: layer.shape.slice(1).map(Number), teacherShape: shape };
  });
}
