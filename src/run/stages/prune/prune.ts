import { UserError } from '../../../base/errors.ts';
import { canonicalJson } from '../../../recipe/diff.ts';
import { nameOf, stageOf } from '../../../report/artifact.ts';
import { taskOf } from '../../../tasks/registry.ts';
import type { ChannelCuts, LatencyRow } from '../../../report/types.ts';
import type { FitContext, StageContext } from '../../context.ts';
import type { Fitted } from '../../../train/training.ts';
import type { LedgerRow } from '../../../folder/states/ledger.ts';
import type { Answers } from '../teacher/answer.ts';
import type { TrainedModel } from '../../../ship/export.ts';
import type { PruneJob, PruneOutcome } from './job.ts';

interface PruneStep {
  /** The pruned student; undefined if the recipe goes on without it. */
  readonly student: TrainedModel | undefined;
  /** Reason why there is no pruned student. */
  readonly why?: string;
  readonly channels: ChannelCuts;
  /** Notes for the report, one sentence each. */
  readonly notes: readonly string[];
}

/** Runs all pruning steps of the recipe, each on the student of the step before; the first step starts from the last of `students` at repeat 0. */
export async function pruneStudents(
  context: FitContext,
  students: readonly TrainedModel[],
  lessons: Answers | undefined,
): Promise<{ pruned: TrainedModel[]; channels: ChannelCuts[number][]; notes: string[] }> {
  const pruned: TrainedModel[] = [];
  const channels: ChannelCuts[number][] = [];
  const notes: string[] = [];
  const known = new Set<string>();
  const whole = students.filter(({ model }) => model.repeat === 0).at(-1);
  const { prune } = context.recipe;
  let futile: { readonly number: number; readonly why: string } | undefined;
  for (let number = 0; whole !== undefined && number < prune.length; number++) {
    if (futile !== undefined && canonicalJson(prune[number]) === canonicalJson(prune[futile.number])) {
      const message = `prune[${number}]: not tried: the same as prune[${futile.number}], which ${futile.why}`;
      context.onEvent({ type: 'warning', message });
      notes.push(message);
      continue;
    }
    const step = await pruneStudent(context, pruned.at(-1) ?? whole, number, { lessons, known });
    futile = step.why === undefined ? undefined : { number, why: step.why };
    if (step.student !== undefined) pruned.push(step.student);
    channels.push(...step.channels);
    notes.push(...step.notes);
  }
  return { pruned, channels, notes };
}

/**
 * Pruning step `number` (from 0) of the recipe: removes channels or zeroes weights, trains the student further with its loss and its teacher, and
 * compares its score on the validation split with the score before. `known`: notes that earlier steps have already given.
 */
async function pruneStudent(
  context: FitContext,
  from: TrainedModel,
  number: number,
  { lessons, known }: { readonly lessons: Answers | undefined; readonly known: Set<string> },
): Promise<PruneStep> {
  const step = context.recipe.prune[number]!;
  const model = { role: 'pruned', repeat: from.model.repeat, step: number + 1 } as const;
  const stage = stageOf(model);
  context.onEvent({ type: 'stage', stage });
  const { score } = taskOf(context.data.train);
  const dropOf = (validation: number): number => score.lost(from.trained.validation, validation);
  // The ledger row of the last training lists the pruned weights and the duration of pruning.
  const inLedger =
    (found: Partial<Pick<PruneOutcome, 'figures' | 'notes'>>): StageContext['done'] =>
    (name, seconds, figures = {}, more: LedgerRow['notes'] = {}) =>
      context.done(
        name,
        seconds,
        { ...figures, ...found.figures },
        { ...more, ...found.notes, drop: dropOf(figures.score?.validation ?? 0) },
      );
  const job: PruneJob = { context, step, stage, number, lessons, from: from.trained, inLedger };
  const outcome =
    step.type === 'channels'
      ? await (await import('./channels.ts')).pruneStepChannels({ ...job, step })
      : await (await import('./weights.ts')).pruneStepWeights({ ...job, step });
  // Layers that an earlier step also left alone are mentioned once.
  const left = outcome.skipped.map(({ what, why }) => `left ${what} alone: ${why}`).filter((one) => !known.has(one));
  for (const one of left) known.add(one);
  const notes = [...left.map((one) => `${stage}: ${one}`), ...('uncut' in outcome ? [] : outcome.said)];
  for (const message of notes) context.onEvent({ type: 'message', message });
  if ('uncut' in outcome) {
    const message = `prune[${number}]: no channel could be removed; the previous student is kept`;
    context.onEvent({ type: 'warning', message });
    return { student: undefined, why: 'removed no channel', channels: [], notes: [...notes, message] };
  }
  const { trained, skipped, cuts } = outcome;

  const drop = dropOf(trained.validation);
  if (drop <= step.maxDrop) {
    const rows = cuts?.map(({ layers, before, after }) => ({ layers, before, after }));
    const channels = rows === undefined ? [] : [{ model: nameOf(model), rows, left: skipped }];
    return { student: { model, trained }, channels, notes };
  }
  const fact = `prune[${number}]: ${score.lossText(drop)} were lost, ` + `expected at most ${step.maxDrop} (maxDrop)`;
  if (step.fallback === 'stop') {
    throw new UserError(
      fact,
      `Lower prune[${number}].amount, raise its finetune.epochs or maxDrop, or set fallback: skip to go on without this step.`,
    );
  }
  const message = `${fact}; the previous student is kept`;
  context.onEvent({ type: 'warning', message });
  return { student: undefined, why: 'lost too much', channels: [], notes: [...notes, message] };
}

/** Notes on pruned students that are not faster than the student before pruning, for every runtime that timed both. */
export function sizeOnly(
  students: readonly TrainedModel[],
  pruned: readonly TrainedModel[],
  latency: ReadonlyMap<string, readonly LatencyRow[]>,
): string[] {
  const whole = students.filter(({ model }) => model.repeat === 0).at(-1);
  const models = [...(whole === undefined ? [] : [whole]), ...pruned];
  return models.slice(1).flatMap(({ model, trained }, i) => {
    const [id, from] = [nameOf(model), nameOf(models[i]!.model)];
    const before = latency.get(from) ?? [];
    const pairs = (latency.get(id) ?? []).flatMap((row) => {
      const same = before.find(
        ({ runtime, device, batchSize, threads }) =>
          `${runtime} ${device} ${batchSize} ${threads}` ===
          `${row.runtime} ${row.device} ${row.batchSize} ${row.threads}`,
      );
      return same === undefined ? [] : [row.p50Ms / same.p50Ms];
    });
    if (hasNewMasks(trained, models[i]!.trained)) {
      return [
        `${id}: compressed size only: zeros take as much space and time as other weights, until the file is zipped`,
      ];
    }
    const isFaster = pairs.length === 0 || pairs.some((ratio) => ratio < 1);
    return isFaster ? [] : [`${id}: size only: smaller than ${from}, but no faster in any setting that was timed`];
  });
}

function hasNewMasks(trained: Fitted, before: Fitted): boolean {
  return trained.masks !== undefined && sizes(trained) === sizes(before);
}

function sizes({ weights }: Fitted): string {
  // Sorted, because saved states list the weights in any order.
  return [...weights]
    .map(([name, { data }]) => `${name} ${data.length}`)
    .sort()
    .join();
}
