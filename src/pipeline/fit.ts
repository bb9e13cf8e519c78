import { batches, batchCount } from '../data/batches.ts';
import type { Batch } from '../data/batches.ts';
import { Prefetcher } from '../data/prefetch.ts';
import type { SoftTargets } from '../distill/soft-targets.ts';
import { createLoss } from '../distill/losses/registry.ts';
import type { LossArgs } from '../distill/losses/define.ts';
import type { buildModel } from '../models/registry.ts';
import type { DistillRecipe } from '../recipe/schema.ts';
import type { State } from '../runtime/engine.ts';
import { Evaluator } from '../train/evaluate.ts';
import { Trainer } from '../train/loop.ts';
import { createOptimizer } from '../train/optimizers.ts';
import { createSchedule } from '../train/schedules.ts';
import { EMA_PREFIX, evaluationProgram, modelState, trainingProgram } from '../train/step.ts';
import type { StageContext } from './context.ts';
import { train } from './training.ts';
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
}

export interface Fitted extends TrainingResult {
  readonly model: LayersModel;
  /** By state name of the model, whether they are its own or the moving average. */
  readonly weights: State;
}

const EVALUATION_BATCH = 256;

/** Train one model on the data of the run and keep the weights that are best on the validation split. */
export async function fit(context: StageContext, options: FitOptions): Promise<Fitted> {
  const { engine, data } = context;
  const { settings, seed, answers, stage } = options;
  const classes = data.classNames.length;
  const model = await options.build();
  const ema = settings.ema > 0 ? await options.build() : undefined;
  const loss = createLoss(options.loss, options.lossArgs);
  const trainable = { ...modelState(model).trainable, ...loss.variables };
  const optimizer = createOptimizer(settings.optimizer, trainable);
  const stepsPerEpoch = batchCount(data.train.count, settings.batchSize);
  const steps = Math.max(1, Math.round(settings.epochs * stepsPerEpoch));
  const augment = context.recipe.dataset.augment as Parameters<typeof batches>[1]['augment'];
  const hasMixup = augment?.some((step) => 'mixup' in step) === true;

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
      const { batchSize } = settings;
      const { classWeights } = data;
      const { views } = options;
      for await (const batch of prefetcher.epoch({
        batchSize,
        seed,
        epoch,
        startBatch,
        augment,
        views,
        classWeights,
      })) {
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
      shipped: Object.keys(modelState(ema ?? model, prefix).all),
      states: context.states(stage),
      onEvent: context.onEvent,
      signal: context.signal,
    });
    const weights: State = new Map([...result.weights].map(([name, value]) => [name.slice(prefix.length), value]));
    return { ...result, weights, model };
  } finally {
    await evaluator.dispose();
    await trainer.dispose();
    await prefetcher.close();
  }
}
