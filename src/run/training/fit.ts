import { orClose } from '../../base/closing.ts';
import { freeMemory } from '../../base/memory.ts';
import { batchCount, plainBatches } from '../../data/batches/batches.ts';
import { labelledOf } from '../../data/readers/labelled.ts';
import { isPartial } from '../../distill/answers/known.ts';
import type { ModelNetwork, Network } from '../../networks/network.ts';
import type { CompiledStep } from '../../runtime/engine.ts';
import { taskOf } from '../../tasks/registry.ts';
import { Evaluator } from '../../train/evaluate/evaluate.ts';
import { evaluationProgram } from '../../train/evaluate/inference.ts';
import { updateMasks } from '../../train/step/masks.ts';
import { fittingTrainer } from '../../train/memory.ts';
import type { Fitting } from '../../train/memory.ts';
import { changingNumbers, createSchedule } from '../../train/optimizers/schedules.ts';
import { EMA_PREFIX, MASK_PREFIX } from '../../train/step/step.ts';
import { begunTraining, finishedTraining, train } from '../../train/training.ts';
import type { Fitted } from '../../train/training.ts';
import type { StageContext } from '../context.ts';
import { BatchSource } from './batch-source.ts';
import { fittedNetwork } from './fitted.ts';
import { learnerOf, refuseFrozen } from './learner.ts';
import type { Learner } from './learner.ts';
import { jobOf, numberOfSteps } from './options.ts';
import type { FitOptions } from './options.ts';

const EVALUATION_BATCH = 256;

/** Trains one network on the data of the run and keeps the weights that are best on the validation split. */
export async function fit<N extends Network = ModelNetwork>(
  context: StageContext,
  options: FitOptions<N>,
): Promise<Fitted<N>> {
  const { data, recipe } = context;
  const { settings, answers, stage } = options;
  // The stage begins before building and compiling, which take time too.
  context.onEvent({ type: 'stage', stage });
  const task = taskOf(data.train);
  const network = await options.build();
  refuseFrozen(network);
  // Without a teacher, samples without a label teach nothing.
  const learnt = answers === undefined ? labelledOf(data.train) : data.train;
  const { asLongAs = learnt.count } = options;
  const span = { stepsPerEpoch: batchCount(asLongAs, settings.batchSize), steps: numberOfSteps(settings, asLongAs) };
  const states = context.states(stage);
  const saved = await states.load();
  const owner = { stage, job: jobOf(options, recipe), data: options.data, shards: recipe.shards };
  const finished = finishedTraining(saved, span.steps, owner);
  if (finished !== undefined) return fittedNetwork(context, options, finished, network);
  const begun = begunTraining(saved, owner);

  const batchSize = Math.min(settings.batchSize, learnt.count);
  const partial = answers !== undefined && isPartial(data.train, recipe.distill.minConfidence);
  const learner = await learnerOf(network, options, { task, recipe, ...span, batchSize, partial });
  const readsStrong = learner.loss.reads === 'strong';
  const source = new BatchSource(context, options, { learnt, task, ...span, partial, readsStrong });
  const close = async (): Promise<void> => {
    await source.close();
    learner.dispose();
  };
  const numbers = changingNumbers(options, span);
  const { plan, loss, optimizer, precision } = learner;
  const trainerOptions = {
    ...{ engine: context.engine, task, precision, batchSize, ...span, optimizer, ...learner.programs },
    batches: source.epoch.bind(source),
    schedule: createSchedule(settings.optimizer, span),
    hyper: (step: number) => ({ ...loss.hyper, ...numbers(step), ...options.hyper?.(step) }),
    prepare: plan && {
      changesAt: plan.changesAt,
      change: (step: number, compiled: CompiledStep) => updateMasks(compiled, plan, step),
    },
    ...(learner.ema && { emaDecay: settings.ema }),
    randomKey: [options.seed, stage],
  };
  const batchesOfPass = batchCount(learnt.count, settings.batchSize);
  const fitting = {
    stage,
    rest: span.steps < batchesOfPass ? 0 : learnt.count % batchSize,
    microBatch: settings.microBatch ?? begun?.cut?.samples,
    isBegun: begun !== undefined,
    parts: partsOf(context, learner),
    free: freeMemory(),
    onEvent: context.onEvent,
  };
  const { trainer, cut } = await orClose(() => fittingTrainer(trainerOptions, fitting), close);
  const prefix = learner.ema === undefined ? '' : EMA_PREFIX;
  const evaluator = new Evaluator({
    engine: context.engine,
    program: (size) => evaluationProgram({ network: learner.ema ?? network, task, batchSize: size, prefix }),
    task,
    shareStateWith: trainer.compiled,
  });
  const validate = async (): Promise<number> => {
    const size = await evaluator.atOnce(Math.min(EVALUATION_BATCH, data.validation.count));
    return (await evaluator.run(plainBatches(data.validation, size), context.together)).score;
  };
  try {
    const result = await train({
      ...{ title: options.title, trainer, task, ...span, validate, states, ...owner },
      shipped: {
        names: Object.keys({ ...network.state, ...learner.peer?.state }),
        prefix,
        masks: Object.keys(learner.masks).map((name) => MASK_PREFIX + name),
      },
      chooseFrom: plan?.finalFrom,
      cut: begun?.cut ?? cut,
      dataSeconds: () => source.waiting.seconds,
      teacherSeconds: answers?.timed?.(),
      ...{ onEvent: context.onEvent, signal: context.signal, saveEveryMs: context.saveEveryMs },
    });
    return await fittedNetwork(context, options, result, network);
  } finally {
    await evaluator.dispose();
    await trainer.dispose();
    await close();
  }
}

/**
 * Programs for a part of a batch. Unless the recipe has shards, a batch must not be cut if the network normalizes over the batch or the loss compares
 * its samples.
 */
function partsOf<N extends Network>(
  { recipe: { syncBatchNorm, shards, gradientCompression }, together }: StageContext,
  { loss, parts }: Learner<N>,
): Fitting['parts'] {
  if (loss.acrossBatch === true || (syncBatchNorm && shards === undefined)) return undefined;
  return { ...parts, shards, together, syncBatchNorm, gradientCompression };
}
