import { sha256 } from '../base/bytes.ts';
import { orClose } from '../base/closing.ts';
import { Stopwatch } from '../base/clock.ts';
import { freeMemory } from '../base/memory.ts';
import { batchCount, passesOf, plainBatches } from '../data/batches.ts';
import type { AugmentStep } from '../data/config.ts';
import type { Batch, BatchOptions } from '../data/batches.ts';
import { isMix } from '../data/augment/mix.ts';
import { labelledCount, labelledOf } from '../data/labelled.ts';
import { Prefetcher } from '../data/prefetch.ts';
import type { Share } from '../data/share.ts';
import { isPartial, known } from '../distill/known.ts';
import type { SoftTargets } from '../distill/soft-targets.ts';
import { createLoss } from '../distill/losses/registry.ts';
import type { AnyLoss } from '../distill/losses/registry.ts';
import type { LossArgs } from '../distill/losses/define.ts';
import { parametersOf } from '../networks/network.ts';
import type { ModelNetwork, Network } from '../networks/network.ts';
import { canonicalJson } from '../recipe/diff.ts';
import type { DistillRecipe, Recipe } from '../recipe/schema.ts';
import { refuseFrozen } from './fit-refusals.ts';
import { PEER_PREFIX, peerPrograms, withPeer } from './peer.ts';
import { StrongViews } from './strong-views.ts';
import { taskOf } from '../tasks/registry.ts';
import type { CompiledStep, State } from '../runtime/engine.ts';
import { Evaluator } from '../train/evaluate.ts';
import { LossScale } from '../train/loss-scale.ts';
import { createOptimizer } from '../train/optimizers.ts';
import { changingNumbers, createSchedule } from '../train/schedules.ts';
import type { NumberSchedule } from '../train/schedules.ts';
import { fittingTrainer } from '../train/memory.ts';
import type { Fitting } from '../train/memory.ts';
import { limitedUnits } from '../train/max-norm.ts';
import { maskVariables, updateMasks } from '../train/masks.ts';
import type { MaskPlan } from '../train/masks.ts';
import { gradientProgram, updateProgram } from '../train/gradient.ts';
import { evaluationProgram } from '../train/inference.ts';
import { EMA_PREFIX, MASK_PREFIX, trainingProgram } from '../train/step.ts';
import type { StageContext } from './context.ts';
import { begunTraining, finishedTraining, train } from '../train/training.ts';
import type { Fitted, TrainingResult } from '../train/training.ts';

export interface FitOptions<N extends Network = ModelNetwork> {
  readonly stage: string;
  readonly title: string;
  /** Builder of the network; each call gives the same one. */
  readonly build: () => Promise<N>;
  readonly settings: Pick<DistillRecipe, 'epochs' | 'batchSize' | 'microBatch' | 'optimizer' | 'ema'>;
  readonly loss: AnyLoss;
  readonly lossArgs: LossArgs;
  readonly seed: number;
  /** The teacher's answers; absent for training with labels alone. */
  readonly answers?: SoftTargets | undefined;
  /** Random changes of samples. Default: the augmentation of the data set. */
  readonly augment?: readonly AugmentStep[] | undefined;
  /** Draw augmentation from this many fixed views, for which the teacher's answers are stored. */
  readonly views?: number | undefined;
  /** Numbers of the loss that change, by name. */
  readonly schedules?: Readonly<Record<string, NumberSchedule>> | undefined;
  /** Epoch from whose end on the labels alone teach. Default: none. */
  readonly teacherUntil?: number | undefined;
  /** Further changes of samples for a strong view, where the loss reads one. */
  readonly strong?: readonly AugmentStep[] | undefined;
  /** Builder of another student, which learns from the same batches: in place of a teacher each learns from the other's answers. */
  readonly peer?: (() => Promise<ModelNetwork>) | undefined;
  /** Masks of pruned weights, for a training of `steps` steps. */
  readonly masks?: ((steps: number) => MaskPlan) | undefined;
  /** Scalars that the network is fed at a step, besides the scalars of the loss. */
  readonly hyper?: (step: number) => Readonly<Record<string, number>>;
  /** Take as many steps as a training on this many samples, however few have a label. Default: the number of samples that this training learns from. */
  readonly asLongAs?: number | undefined;
  /** Default: that of the recipe. */
  readonly precision?: Recipe['precision'];
  /**
   * Hash of the settings that the training depends on, where those are less than the whole recipe. Saved states with another hash are
   * ignored.
   */
  readonly job?: string;
  /** Hash of the training samples, where a saved state may be older than they are. */
  readonly data?: string;
}

const EVALUATION_BATCH = 256;

/**
 * Options of the batches of an epoch. Their order follows the seed of the training, which differs between repeats; the fixed views follow
 * that of the recipe, because the teacher's answers are stored for those.
 */
export function epochOptions(
  recipe: Pick<Recipe, 'seed' | 'dataset'>,
  {
    settings,
    seed,
    views,
    augment = recipe.dataset.augment,
  }: Pick<FitOptions, 'settings' | 'seed' | 'views' | 'augment'>,
  epoch: number,
): BatchOptions {
  return { batchSize: settings.batchSize, seed, viewSeed: recipe.seed, epoch, augment, views };
}

/** Steps of a training on `samples` samples. */
export function stepsOf({ epochs, batchSize }: Pick<DistillRecipe, 'epochs' | 'batchSize'>, samples: number): number {
  return Math.max(1, Math.round(epochs * batchCount(samples, batchSize)));
}

/** Train one network on the data of the run and keep the weights that are best on the validation split. */
export async function fit<N extends Network>(context: StageContext, options: FitOptions<N>): Promise<Fitted<N>> {
  const { engine, data } = context;
  const { settings, seed, answers, stage } = options;
  // Building and compiling come before the training tells where it begins.
  context.onEvent({ type: 'stage', stage });
  const task = taskOf(data.train);
  const network = await options.build();
  refuseFrozen(network);
  const { syncBatchNorm, shards, gradientCompression } = context.recipe;
  const { minConfidence } = context.recipe.distill;
  // Without a teacher nothing can be learnt from a sample without a label.
  const learnt = answers === undefined ? labelledOf(data.train) : data.train;
  const { asLongAs = learnt.count } = options;
  const stepsPerEpoch = batchCount(asLongAs, settings.batchSize);
  const steps = stepsOf(settings, asLongAs);
  const states = context.states(stage);
  const saved = await states.load();
  const owner = { stage, job: jobOf(options, context.recipe), data: options.data, shards };
  const finished = finishedTraining(saved, steps, owner);
  if (finished !== undefined) return done(context, options, finished, network);
  const plan = options.masks?.(steps);
  const ema = settings.ema > 0 ? await options.build() : undefined;
  const loss = createLoss(options.loss, options.lossArgs);
  const trainable = { ...network.trainable, ...loss.variables };
  const optimizer = createOptimizer(
    settings.optimizer,
    trainable,
    network.rateOf,
    limitedUnits(network, settings.optimizer),
  );
  const masks = maskVariables(plan?.names ?? [], network);
  const { precision = context.recipe.precision } = options;
  const lossScale = precision === 'mixed' ? new LossScale() : undefined;
  const hasMixup = (options.augment ?? context.recipe.dataset.augment).some(isMix);
  const mix = hasMixup ? ({ whole: 'partners', part: 'soft' } as const) : ({ whole: 'none', part: 'none' } as const);

  const batchSize = Math.min(settings.batchSize, learnt.count);
  const waiting = new Stopwatch();
  const partial = answers !== undefined && isPartial(data.train, minConfidence);
  const hasLabels = labelledCount(data.train) > 0;
  const withAnswers = async (batch: Batch) => {
    const teacher = { ...((await answers?.answersFor(batch)) ?? {}), ...(strong && (await strong.of(batch))) };
    const answered = { ...batch, teacher };
    return partial ? known(answered, { task, hasLabels, minConfidence }) : answered;
  };
  const numbers = changingNumbers(options, { stepsPerEpoch, steps });
  const strong =
    loss.reads === 'strong' && answers !== undefined
      ? new StrongViews(learnt, { augment: options.strong ?? [], answers })
      : undefined;
  let prefetcher: Prefetcher | undefined;
  const alone = { network, task, loss, optimizer, ...(ema && { ema }), masks, lossScale, partial };
  const pair = options.peer && (await withPeer(alone, options.peer, settings));
  const common = pair?.own ?? alone;
  const begun = begunTraining(saved, owner);
  const trainerOptions = {
    engine,
    program: (samples: number) => trainingProgram({ ...common, batchSize: samples, mix: mix.whole }),
    peer: pair && peerPrograms(pair, { batchSize, mix }),
    precision,
    batchSize,
    task,
    stepsPerEpoch,
    steps,
    batches: async function* (epoch: number, startBatch: number, own?: Share) {
      prefetcher ??= new Prefetcher(learnt);
      const share = own && answers?.cut ? { ...own, cuts: [...own.cuts, answers.cut] } : own;
      const passes = { from: epoch * stepsPerEpoch + startBatch, to: (epoch + 1) * stepsPerEpoch };
      const source = passesOf(passes, batchCount(learnt.count, settings.batchSize), (pass, first) => {
        // The program needs the answers of a whole call, and of the smaller batch that ends an epoch early.
        const needed = 1 + (engine.stepsPerCall ?? 1);
        const shown = { ...epochOptions(context.recipe, options, pass), startBatch: first, share, needed };
        strong?.begin(shown);
        return prefetcher!.epoch({ ...shown, classWeights: data.classWeights });
      });
      for await (const batch of waiting.timed(source)) yield await withAnswers(batch);
    },
    optimizer,
    schedule: createSchedule(settings.optimizer, { stepsPerEpoch, steps }),
    hyper: (step: number) => ({ ...loss.hyper, ...numbers(step), ...options.hyper?.(step) }),
    prepare: plan && {
      changesAt: plan.changesAt,
      change: (step: number, compiled: CompiledStep) => updateMasks(compiled, plan, step),
    },
    ...(ema && { emaDecay: settings.ema }),
    randomKey: [seed, stage],
  };
  const fitting: Fitting = {
    stage,
    rest: steps < batchCount(learnt.count, settings.batchSize) ? 0 : learnt.count % batchSize,
    microBatch: settings.microBatch ?? begun?.cut?.samples,
    isBegun: begun !== undefined,
    // Without shards the batch is normalized as one, and must not be cut.
    parts:
      loss.acrossBatch === true || (syncBatchNorm && shards === undefined)
        ? undefined
        : {
            gradient: (samples) => gradientProgram({ ...common, batchSize: samples, mix: mix.part }),
            update: (parts) => updateProgram({ ...common, batchSize }, parts),
            shards,
            together: context.together,
            syncBatchNorm,
            gradientCompression,
          },
    free: freeMemory(),
    onEvent: context.onEvent,
  };
  const close = async (): Promise<void> => {
    await prefetcher?.close();
    await strong?.close();
    ema?.dispose();
    pair?.dispose();
  };
  const { trainer, cut } = await orClose(() => fittingTrainer(trainerOptions, fitting), close);
  const prefix = ema === undefined ? '' : EMA_PREFIX;
  const evaluator = new Evaluator({
    engine,
    program: (batchSize) => evaluationProgram({ network: ema ?? network, task, batchSize, prefix }),
    task,
    shareStateWith: trainer.compiled,
  });
  const { validation } = data;
  const validate = async (): Promise<number> => {
    const size = await evaluator.atOnce(Math.min(EVALUATION_BATCH, validation.count));
    return (await evaluator.run(plainBatches(validation, size), context.together)).score;
  };
  try {
    const result = await train({
      title: options.title,
      trainer,
      task,
      steps,
      stepsPerEpoch,
      validate,
      shipped: {
        names: Object.keys({ ...network.state, ...pair?.peer.network.state }),
        prefix,
        masks: Object.keys(masks).map((name) => MASK_PREFIX + name),
      },
      chooseFrom: plan?.finalFrom,
      states,
      cut: begun?.cut ?? cut,
      ...owner,
      dataSeconds: () => waiting.seconds,
      teacherSeconds: answers?.timed?.(),
      onEvent: context.onEvent,
      signal: context.signal,
      saveEveryMs: context.saveEveryMs,
    });
    return await done(context, options, result, network);
  } finally {
    await evaluator.dispose();
    await trainer.dispose();
    await close();
  }
}

/**
 * Hash of the settings of a training that knows them, with those of the whole recipe that its sums depend on: a state of other ones is of
 * another training, and is ignored as one of another model is.
 */
function jobOf(
  { job }: Pick<FitOptions, 'job'>,
  { shards, syncBatchNorm, gradientCompression = 'none' }: StageContext['recipe'],
): string | undefined {
  const isUsual = shards === undefined && !syncBatchNorm && gradientCompression === 'none';
  return job === undefined || isUsual
    ? job
    : sha256(job, canonicalJson({ shards, syncBatchNorm, gradientCompression }));
}

async function done<N extends Network>(
  context: StageContext,
  { stage, peer, answers }: Pick<FitOptions, 'stage' | 'peer' | 'answers'>,
  { weights: kept, ...result }: TrainingResult,
  network: N,
): Promise<Fitted<N>> {
  const figures = { score: { validation: result.validation }, params: parametersOf(network) };
  const { bestEpoch, epochs, seconds, dataSeconds = 0, cut } = result;
  answers?.tookFor?.(stage, result.teacherSeconds ?? 0);
  const dataWait = seconds === 0 ? 0 : dataSeconds / seconds;
  await context.done(stage, seconds, figures, { bestEpoch, epochs, dataWait, ...(cut && { microBatch: cut.note }) });
  const prefixes = [MASK_PREFIX, ...(peer === undefined ? [] : [PEER_PREFIX])];
  const under = (prefix: string): State =>
    new Map(
      [...kept].flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
      ),
    );
  const weights = new Map([...kept].filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix))));
  const masks = under(MASK_PREFIX);
  return { ...result, weights, network, ...(masks.size > 0 && { masks }), ...(peer && { peer: under(PEER_PREFIX) }) };
}
