import { orClose } from '../../base/closing.ts';
import { monotonicMs } from '../../base/clock.ts';
import { freeMemory } from '../../base/process/memory.ts';
import { batchCount, plainBatches } from '../../data/batches/batches.ts';
import type { Dataset } from '../../data/dataset.ts';
import { labelledOf } from '../../data/readers/labelled.ts';
import { isPartial, leastConfidence } from '../../distill/answers/known.ts';
import type { ModelNetwork, Network } from '../../networks/network.ts';
import { contentOf, networkParameters } from '../../networks/network.ts';
import { canonicalJson } from '../../recipe/diff.ts';
import type { CompiledStep, State } from '../../runtime/engine.ts';
import { taskOf } from '../../tasks/registry.ts';
import { Evaluator } from '../../train/evaluate/evaluate.ts';
import { evaluationProgram } from '../../train/evaluate/inference.ts';
import type { Trainer } from '../../train/loop.ts';
import { fittingTrainer } from '../../train/memory.ts';
import type { Fitting } from '../../train/memory.ts';
import { changingNumbers, createSchedule } from '../../train/optimizers/schedules.ts';
import { begunTraining, finishedTraining } from '../../train/saved-training.ts';
import type { BegunTraining, StageStates, StateOwner, TrainingResult } from '../../train/saved-training.ts';
import { updateMasks } from '../../train/step/masks.ts';
import { EMA_PREFIX, MASK_PREFIX, PEER_PREFIX } from '../../train/step/step.ts';
import { train } from '../../train/training.ts';
import type { Fitted } from '../../train/training.ts';
import type { FitContext, TrainingCost } from '../context.ts';
import { BatchSource } from './batch-source.ts';
import { learnerOf, refuseFrozen } from './learner.ts';
import type { Learner } from './learner.ts';
import { jobOf, numberOfSteps } from './options.ts';
import type { FitOptions, TrainingPlan } from './options.ts';
import { timedSteps } from './timed-steps.ts';

const EVALUATION_BATCH = 256;

/** Trains one network on the data of the run and keeps the weights that are best on the validation split. */
export async function fit<N extends Network = ModelNetwork>(
  context: FitContext,
  options: FitOptions<N>,
): Promise<Fitted<N>> {
  const { recipe, onEvent, signal, saveEveryMs } = context;
  const { stage, title, answers } = options;
  // The stage begins before building and compiling, which take time too.
  onEvent({ type: 'stage', stage });
  const network = await options.build();
  refuseFrozen(network);
  const plan = planOf(context, options);
  if (context.rehearsal !== undefined) return rehearsed(context, options, { network, plan });
  const { task, steps, stepsPerEpoch } = plan;
  const states = context.states(stage);
  const owner: StateOwner = { stage, job: jobOf(options, recipe), data: options.data?.(), shards: recipe.shards };
  const { finished, begun } = await earlierStart(states, steps, owner);
  if (finished !== undefined) return fittedNetwork(context, options, finished, network);

  const { learner, source, trainer, cut, evaluator, close } = await opened(context, options, { network, plan, begun });
  try {
    const result = await train({
      title,
      trainer,
      task,
      steps,
      stepsPerEpoch,
      states,
      ...owner,
      onEvent,
      signal,
      saveEveryMs,
      validate: () => validate(context, evaluator),
      shipped: {
        names: Object.keys({ ...network.state, ...learner.peer?.state }),
        prefix: prefixOf(learner),
        masks: Object.keys(learner.masks).map((name) => MASK_PREFIX + name),
      },
      chooseFrom: learner.plan?.finalFrom,
      cut: begun?.cut ?? cut,
      dataSeconds: () => source.waiting.seconds,
      teacherSeconds: answers?.timed?.(),
    });
    return await fittedNetwork(context, options, result, network);
  } finally {
    await close();
  }
}

/** The result of a training that an earlier start has finished, or the begun one. The state that it saved, of gigabytes, is not kept beside it. */
async function earlierStart(states: StageStates, steps: number, owner: StateOwner) {
  const saved = await states.load();
  return { finished: finishedTraining(saved, steps, owner), begun: begunTraining(saved, owner) };
}

/** Tells the cost of a training, and returns the network as if its initial weights were the best there are. */
async function rehearsed<N extends Network>(
  context: FitContext,
  options: FitOptions<N>,
  { network, plan }: Opening<N>,
): Promise<Fitted<N>> {
  const { settings, loss, answers, views } = options;
  const peer = await options.peer?.build();
  const params = networkParameters(network) + (peer === undefined ? 0 : networkParameters(peer));
  const kind = canonicalJson({ ...settings, epochs: 0, loss, params, views, answers: answers?.width });
  await context.rehearsal!.training({ steps: plan.steps, epochs: settings.epochs, kind }, () =>
    rehearse(context, options, { network, plan }),
  );
  const validation = plan.task.score.better === 'higher' ? Infinity : -Infinity;
  const found = { network, weights: contentOf(network), validation, bestEpoch: 0, epochs: [], seconds: 0 };
  if (peer === undefined) return found;
  const weights = contentOf(peer);
  peer.dispose();
  return { ...found, peer: weights };
}

/** A shorter opening is mostly code that runs for the first time. The run finds it compiled, so it is timed a second time. */
const BRIEF_SECONDS = 0.5;

/** Begins a training, times some steps and a validation, and throws it away. Several processes take the same steps, and all time them. */
async function rehearse<N extends Network>(
  context: FitContext,
  options: FitOptions<N>,
  { network, plan }: Opening<N>,
): Promise<TrainingCost> {
  const open = async () => {
    const parts = await opened(context, options, { network, plan });
    const close = async (): Promise<void> => {
      await parts.close();
      const { variables, memory } = parts.learner.loss;
      for (const variable of Object.values({ ...variables, ...memory })) variable.dispose();
    };
    return { ...parts, close };
  };
  const secondsSince = (start: number): number => (monotonicMs() - start) / 1000;
  let begin = monotonicMs();
  let parts = await open();
  if (context.processes.size === 1 && secondsSince(begin) < BRIEF_SECONDS) {
    await parts.close();
    begin = monotonicMs();
    parts = await open();
  }
  const { learner, trainer, evaluator, close } = parts;
  try {
    const rest = plan.learnt.count % plan.batchSize;
    const compiling = secondsSince(begin) * (rest > 0 ? 2 : 1);
    await validate(context, evaluator);
    const { firstSeconds, hasRest, ...cost } = await timedSteps(trainer, plan.steps);
    const validating = monotonicMs();
    const state = [...(await trainer.state()).values()];
    const copying = secondsSince(validating);
    await validate(context, evaluator);
    const evaluating = secondsSince(validating) - copying;
    const bytes = [
      ...state,
      ...Object.values({ ...network.state, ...learner.peer?.state }).map((value) => ({ data: value.dataSync() })),
    ];
    return {
      ...cost,
      startSeconds: compiling + firstSeconds,
      validationSeconds: copying + (evaluating * context.rehearsal!.validation) / context.data.validation.count,
      savedBytes: bytes.reduce((sum, { data: { byteLength } }) => sum + byteLength, 0),
      restBytes: hasRest ? 0 : (trainer.steps.memoryBytes(rest) ?? 0) - (trainer.steps.memoryBytes(0) ?? 0),
      step: {
        stage: options.stage,
        bytes: trainer.steps.memoryBytes(rest) ?? 0,
        samples: trainer.steps.parts?.most ?? plan.batchSize,
        setting: partsOf(context, plan.task, learner) === undefined ? 'batchSize' : 'microBatch',
      },
      params: networkParameters(network),
    };
  } finally {
    await close();
  }
}

interface Opening<N extends Network> {
  readonly network: N;
  readonly plan: TrainingPlan;
  /** Training that goes on from a saved state. */
  readonly begun?: BegunTraining | undefined;
}

/** The parts of a training that has not taken a step. */
async function opened<N extends Network>(
  context: Pick<FitContext, 'engine' | 'recipe' | 'data' | 'processes' | 'onEvent'>,
  options: FitOptions<N>,
  { network, plan, begun }: Opening<N>,
) {
  const learner = await learnerOf(network, options, { ...plan, recipe: context.recipe });
  const source = new BatchSource(context, options, { ...plan, readsStrong: learner.loss.reads === 'strong' });
  const closeSource = async (): Promise<void> => {
    await source.close();
    learner.dispose();
  };
  const parts = { plan, learner, source, begun };
  const { trainer, cut } = await orClose(() => trainerOf(context, options, parts), closeSource);
  const evaluator = evaluatorOf(context, plan, learner, trainer);
  const close = async (): Promise<void> => {
    await evaluator.dispose();
    await trainer.dispose();
    await closeSource();
  };
  return { learner, source, trainer, cut, evaluator, close };
}

/** The samples that the training learns from, and the number of its steps. */
function planOf(
  { data, recipe }: Pick<FitContext, 'data' | 'recipe'>,
  options: Omit<FitOptions, 'build'>,
): TrainingPlan {
  const { settings, answers } = options;
  // Without a teacher, samples without a label teach nothing.
  const learnt = answers === undefined ? labelledOf(data.train) : data.train;
  const { asLongAs = learnt.count } = options;
  return {
    task: taskOf(data.train),
    learnt,
    stepsPerEpoch: batchCount(asLongAs, settings.batchSize),
    steps: numberOfSteps(settings, asLongAs),
    batchSize: Math.min(settings.batchSize, learnt.count),
    partial: answers !== undefined && isPartial(data.train, leastConfidence(recipe)),
  };
}

interface Parts<N extends Network> {
  readonly plan: TrainingPlan;
  readonly learner: Learner<N>;
  readonly source: BatchSource;
  readonly begun: BegunTraining | undefined;
}

/** The loop over the steps, with batches that fit into memory. */
function trainerOf<N extends Network>(
  context: Pick<FitContext, 'engine' | 'recipe' | 'processes' | 'onEvent'>,
  options: FitOptions<N>,
  { plan, learner, source, begun }: Parts<N>,
): ReturnType<typeof fittingTrainer> {
  const { engine, onEvent } = context;
  const { settings, stage } = options;
  const { task, learnt, batchSize, steps, stepsPerEpoch } = plan;
  const { plan: masks, loss, optimizer, precision } = learner;
  const numbers = changingNumbers(options, plan);
  const batchesOfPass = batchCount(learnt.count, settings.batchSize);
  return fittingTrainer(
    {
      engine,
      task,
      precision,
      batchSize,
      steps,
      stepsPerEpoch,
      optimizer,
      ...learner.programs,
      batches: source.epoch.bind(source),
      schedule: createSchedule(settings.optimizer, plan),
      hyper: (step: number) => ({ ...loss.hyper, ...numbers(step), ...options.hyper?.(step) }),
      prepare: masks && {
        changesAt: masks.changesAt,
        change: (step: number, compiled: CompiledStep) => updateMasks(compiled, masks, step),
      },
      ...(learner.ema && { emaDecay: settings.ema }),
      randomKey: [options.seed, stage],
    },
    {
      stage,
      rest: steps < batchesOfPass ? 0 : learnt.count % batchSize,
      microBatch: settings.microBatch ?? begun?.cut?.samples,
      isBegun: begun !== undefined,
      parts: partsOf(context, task, learner),
      free: freeMemory(),
      onEvent,
    },
  );
}

/**
 * Programs for a part of a batch. Unless the recipe has shards, a batch must not be cut if the network normalizes over the batch or the loss compares
 * its samples.
 */
function partsOf<N extends Network>(
  { recipe: { syncBatchNorm, shards }, processes }: Pick<FitContext, 'recipe' | 'processes'>,
  task: TrainingPlan['task'],
  { loss, parts }: Learner<N>,
): Fitting['parts'] {
  const isAcross = loss.acrossBatch === true || task.acrossBatch === true;
  if (isAcross || (syncBatchNorm && shards === undefined)) return undefined;
  return { ...parts, shards, sharing: processes, syncBatchNorm };
}

/** Scores the weights in training, or their moving average. */
function evaluatorOf<N extends Network>(
  { engine }: Pick<FitContext, 'engine'>,
  { task }: TrainingPlan,
  learner: Learner<N>,
  trainer: Trainer,
): Evaluator {
  const network = learner.ema ?? learner.network;
  return new Evaluator({
    engine,
    program: (size) => evaluationProgram({ network, task, batchSize: size, prefix: prefixOf(learner) }),
    task,
    shareStateWith: trainer.compiled,
  });
}

function prefixOf<N extends Network>({ ema }: Learner<N>): string {
  return ema === undefined ? '' : EMA_PREFIX;
}

/** Score on the validation split. */
async function validate(
  { data, processes }: Pick<FitContext, 'data' | 'processes'>,
  evaluator: Evaluator,
): Promise<number> {
  const size = await validationBatch(evaluator, data.validation);
  return (await evaluator.run(plainBatches(data.validation, size), processes)).score;
}

function validationBatch(evaluator: Evaluator, { count }: Dataset): Promise<number> {
  return evaluator.atOnce(Math.min(EVALUATION_BATCH, count));
}

/** Enters a finished training in the ledger, and separates its weights into those of the network, its masks and its peer. */
async function fittedNetwork<N extends Network>(
  { done }: Pick<FitContext, 'done'>,
  { stage, peer, answers }: Pick<FitOptions, 'stage' | 'peer' | 'answers'>,
  { weights: kept, ...result }: TrainingResult,
  network: N,
): Promise<Fitted<N>> {
  const figures = { score: { validation: result.validation }, params: networkParameters(network) };
  const { bestEpoch, epochs, seconds, dataSeconds = 0, cut } = result;
  answers?.tookFor?.(stage, result.teacherSeconds ?? 0);
  const dataWait = seconds === 0 ? 0 : dataSeconds / seconds;
  await done(stage, seconds, figures, { bestEpoch, epochs, dataWait, ...(cut && { microBatch: cut.note }) });
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
