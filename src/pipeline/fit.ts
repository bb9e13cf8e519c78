import { batches, batchCount } from '../data/batches.ts';
import type { Batch, BatchOptions } from '../data/batches.ts';
import { Prefetcher } from '../data/prefetch.ts';
import type { SoftTargets } from '../distill/soft-targets.ts';
import { createLoss } from '../distill/losses/registry.ts';
import type { LossArgs } from '../distill/losses/define.ts';
import { modelInfo } from '../models/info.ts';
import type { buildModel } from '../models/registry.ts';
import type { DistillRecipe, Recipe } from '../recipe/schema.ts';
import { Evaluator } from '../train/evaluate.ts';
import { Trainer } from '../train/loop.ts';
import { createOptimizer } from '../train/optimizers.ts';
import { createSchedule } from '../train/schedules.ts';
import { EMA_PREFIX, evaluationProgram, modelState, trainingProgram } from '../train/step.ts';
import type { StageContext } from './context.ts';
import { finishedTraining, train } from './training.ts';
import type { TrainingResult } from './training.ts';

export type LayersModel = ReturnType<typeof buildModel>;

export interface FitOptions {
  readonly stage: string;
  readonly title: string;
  /** Builds the model, the same each time. */
  readonly build: () => Promise<LayersModel>;
  readonly settings: Pick<DistillRecipe, 'epochs' | 'batchSize' | 'optimizer' | 'ema'>;
  readonly loss: string;
  readonly lossArgs: LossArgs;
  readonly seed: number;
  /** The teacher's answers; absent for training with labels alone. */
  readonly answers?: SoftTargets | undefined;
  /** Draw augmentation from this many fixed views, those that answers are stored for. */
  readonly views?: number | undefined;
  /** Hash of what the training depends on, where that is less than the whole recipe: states of another job are left aside. */
  readonly job?: string;
}

export interface Fitted extends TrainingResult {
  readonly model: LayersModel;
}

const EVALUATION_BATCH = 256;

/**
 * What an epoch is drawn from. The order follows the seed of the training, which differs between repeats; the fixed views
 * follow that of the recipe, because the teacher has answered to those.
 */
export function epochOptions(
  recipe: Pick<Recipe, 'seed' | 'dataset'>,
  { settings, seed, views }: Pick<FitOptions, 'settings' | 'seed' | 'views'>,
  epoch: number,
): BatchOptions {
  const augment = recipe.dataset.augment as NonNullable<BatchOptions['augment']>;
  return { batchSize: settings.batchSize, seed, viewSeed: recipe.seed, epoch, augment, views };
}

/** Train one model on the data of the run and keep the weights that are best on the validation split. */
export async function fit(context: StageContext, options: FitOptions): Promise<Fitted> {
  const { engine, data } = context;
  const { settings, seed, answers, stage } = options;
  const classes = data.classNames.length;
  const model = await options.build();
  const stepsPerEpoch = batchCount(data.train.count, settings.batchSize);
  const steps = Math.max(1, Math.round(settings.epochs * stepsPerEpoch));
  const states = context.states(stage);
  const finished = finishedTraining(await states.load(), steps, options.job);
  if (finished !== undefined) {
    await done(context, options, finished, model);
    return { ...finished, model };
  }
  const ema = settings.ema > 0 ? await options.build() : undefined;
  const loss = createLoss(options.loss, options.lossArgs);
  const trainable = { ...modelState(model).trainable, ...loss.variables };
  const optimizer = createOptimizer(settings.optimizer, trainable);
  const hasMixup = context.recipe.dataset.augment.some((step) => 'mixup' in step);

  const prefetcher = new Prefetcher(data.train);
  const withAnswers = async (batch: Batch) => ({ ...batch, teacher: (await answers?.answersFor(batch)) ?? {} });
  const trainer = await Trainer.create({
    engine,
    program: (batchSize) =>
      trainingProgram({
        model,
        loss,
        optimizer,
        batchSize,
        targets: hasMixup ? 'mixup' : 'classes',
        ...(ema && { ema }),
      }),
    batchSize: Math.min(settings.batchSize, data.train.count),
    classes,
    stepsPerEpoch,
    steps,
    batches: async function* (epoch, startBatch) {
      const order = epochOptions(context.recipe, options, epoch);
      for await (const batch of prefetcher.epoch({ ...order, startBatch, classWeights: data.classWeights })) {
        yield await withAnswers(batch);
      }
    },
    optimizer,
    schedule: createSchedule(settings.optimizer, { stepsPerEpoch, steps }),
    hyper: () => loss.hyper,
    ...(ema && { emaDecay: settings.ema }),
    randomKey: [seed, stage],
  });
  const prefix = ema === undefined ? '' : EMA_PREFIX;
  const evaluator = new Evaluator({
    engine,
    program: (batchSize) => evaluationProgram({ model: ema ?? model, batchSize, prefix }),
    classes,
    shareStateWith: trainer.compiled,
  });
  const validation = { batchSize: EVALUATION_BATCH, seed, epoch: 0, shuffle: false };
  try {
    const result = await train({
      stage,
      title: options.title,
      trainer,
      steps,
      stepsPerEpoch,
      validate: async () => (await evaluator.run(batches(data.validation, validation))).accuracy,
      shipped: { names: Object.keys(modelState(model).all), prefix },
      states,
      job: options.job,
      onEvent: context.onEvent,
      signal: context.signal,
      saveEveryMs: context.saveEveryMs,
    });
    await done(context, options, result, model);
    return { ...result, model };
  } finally {
    await evaluator.dispose();
    await trainer.dispose();
    await prefetcher.close();
  }
}

function done(context: StageContext, { stage }: FitOptions, result: TrainingResult, model: LayersModel): Promise<void> {
  const figures = { accuracy: { validation: result.validation }, params: modelInfo(model).parameters };
  const { bestEpoch, epochs } = result;
  return context.done(stage, result.seconds, figures, { bestEpoch, epochs });
}
