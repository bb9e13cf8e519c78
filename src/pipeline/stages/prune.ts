import { RandomStream } from '../../base/random.ts';
import { UserError } from '../../base/errors.ts';
import { pruneChannels } from '../../compress/prune/prune.ts';
import type { PrunedModel } from '../../compress/prune/prune.ts';
import { withWeights } from '../../compress/prune/resize.ts';
import { batches } from '../../data/batches.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { LatencyRow } from '../../report/types.ts';
import { Evaluator } from '../../train/evaluate.ts';
import { evaluationProgram } from '../../train/step.ts';
import { monotonicMs } from '../../base/clock.ts';
import type { StageContext } from '../context.ts';
import type { Fitted, LayersModel } from '../fit.ts';
import type { Answers } from './answer.ts';
import type { TrainedModel } from './export.ts';
import { trainStudent } from './student.ts';

type PruneRecipe = Recipe['prune'][number];

interface PruneStep {
  /** The pruned student; undefined if it lost too much and the recipe goes on without it. */
  readonly student: TrainedModel | undefined;
  /** One sentence each, for the report. */
  readonly notes: readonly string[];
}

/** All pruning steps of the recipe, each from what the one before left, with the first student of those given last. */
export async function pruneStudents(
  context: StageContext,
  students: readonly TrainedModel[],
  lessons: Answers | undefined,
): Promise<{ pruned: TrainedModel[]; notes: string[] }> {
  const pruned: TrainedModel[] = [];
  const notes: string[] = [];
  const whole = students.filter(({ repeat }) => repeat === 0).at(-1);
  for (let number = 0; whole !== undefined && number < context.recipe.prune.length; number++) {
    const step = await pruneStudent(context, pruned.at(-1) ?? whole, number, lessons);
    if (step.student !== undefined) pruned.push(step.student);
    notes.push(...step.notes);
  }
  return { pruned, notes };
}

/**
 * Pruning step `number` (from 0) of the recipe: channels are removed, the smaller student is trained on with the loss and
 * the teacher it had, and its validation accuracy is held against that of the student it was made from.
 */
async function pruneStudent(
  context: StageContext,
  from: TrainedModel,
  number: number,
  lessons: Answers | undefined,
): Promise<PruneStep> {
  const step = context.recipe.prune[number]!;
  const stage = `prune-${number + 1}`;
  const { amount, target, importance, budget, multipleOf } = step;
  const { result, skipped } = await pruneChannels(from.trained.model, from.trained.weights, {
    ...{ amount, target, importance, budget, multipleOf },
  });
  const notes = skipped.map(({ what, why }) => `${stage}: left ${what} alone: ${why}`);
  for (const message of notes) context.onEvent({ type: 'message', message });

  let drop = 0;
  const inLedger: StageContext['done'] = (name, seconds, figures = {}, more = {}) => {
    drop = 100 * (from.trained.validation - (figures.accuracy?.validation ?? 0));
    const { macs } = result.after;
    return context.done(name, seconds, { ...figures, macs }, { ...more, drop, cuts: result.cuts, skipped });
  };
  const trained = await finetune({ ...context, done: inLedger }, { stage, result, step, number, lessons });
  if (drop <= step.maxDrop) return { student: { id: `pruned-${number + 1}`, repeat: from.repeat, trained }, notes };

  const fact =
    `prune[${number}]: ${drop.toFixed(2)} points of validation accuracy were lost, ` +
    `expected at most ${step.maxDrop} (maxDrop)`;
  if (step.fallback === 'stop') {
    throw new UserError(
      fact,
      `Lower prune.${number}.amount, raise its finetune.epochs or maxDrop, or set fallback: skip to go on without this step.`,
    );
  }
  const message = `${fact}; the student from before is kept`;
  context.onEvent({ type: 'warning', message });
  return { student: undefined, notes: [...notes, message] };
}

interface FinetuneOptions {
  readonly stage: string;
  readonly result: PrunedModel;
  readonly step: PruneRecipe;
  readonly number: number;
  readonly lessons: Answers | undefined;
}

async function finetune(
  context: StageContext,
  { stage, result, step, number, lessons }: FinetuneOptions,
): Promise<Fitted> {
  const { recipe } = context;
  const { model, weights, before, after } = result;
  const title =
    `pruning the student: ${before.channels} → ${after.channels} channels, ` +
    `${before.parameters} → ${after.parameters} parameters, ${before.macs} → ${after.macs} MACs`;
  if (step.finetune.epochs === 0) {
    context.onEvent({ type: 'stage', stage, title });
    const start = monotonicMs();
    const validation = await accuracyOf(context, model);
    const seconds = (monotonicMs() - start) / 1000;
    await context.done(stage, seconds, { accuracy: { validation }, params: after.parameters });
    return { model, weights, validation, bestEpoch: 0, epochs: [], seconds };
  }
  return trainStudent(context, 0, lessons, {
    stage,
    title,
    build: () => withWeights(model, weights),
    settings: {
      ...recipe.distill,
      epochs: step.finetune.epochs,
      optimizer: step.finetune.optimizer ?? recipe.distill.optimizer,
    },
    // Another order of the samples than the training before had.
    seed: new RandomStream(recipe.seed, 'prune', number).uint32(),
  });
}

const EVALUATION_BATCH = 256;

async function accuracyOf({ engine, data }: StageContext, model: LayersModel): Promise<number> {
  const program = (batchSize: number) => evaluationProgram({ model, batchSize });
  const evaluator = new Evaluator({ engine, program, classes: data.classNames.length });
  const order = { batchSize: EVALUATION_BATCH, seed: 0, epoch: 0, shuffle: false };
  try {
    return (await evaluator.run(batches(data.validation, order))).accuracy;
  } finally {
    await evaluator.dispose();
  }
}

/** Says of each pruned student that is not faster than the one it was made from, wherever both were timed. */
export function sizeOnly(
  students: readonly TrainedModel[],
  pruned: readonly TrainedModel[],
  latency: ReadonlyMap<string, readonly LatencyRow[]>,
): string[] {
  const ids = [students.filter(({ repeat }) => repeat === 0).at(-1), ...pruned].flatMap((model) => model?.id ?? []);
  return ids.slice(1).flatMap((id, i) => {
    const before = latency.get(ids[i]!) ?? [];
    const pairs = (latency.get(id) ?? []).flatMap((row) => {
      const same = before.find(
        ({ runtime, device, batchSize, threads }) =>
          `${runtime} ${device} ${batchSize} ${threads}` ===
          `${row.runtime} ${row.device} ${row.batchSize} ${row.threads}`,
      );
      return same === undefined ? [] : [row.p50Ms / same.p50Ms];
    });
    const isFaster = pairs.length === 0 || pairs.some((ratio) => ratio < 1);
    return isFaster ? [] : [`${id}: size only: smaller than ${ids[i]!}, but no faster in any setting that was timed`];
  });
}
