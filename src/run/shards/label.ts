import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { monotonicMs } from '../../base/clock.ts';
import { inShell, UserError } from '../../base/errors.ts';
import type { OnEvent } from '../../base/events.ts';
import { removeHalfWritten } from '../../base/files.ts';
import { partOf } from '../../base/shard.ts';
import type { Shard } from '../../base/shard.ts';
import { answerBlock, answerPlan, BlockMerge, isBlock } from '../../distill/answers/answer-blocks.ts';
import type { AnswerBlock, AnswerPlan } from '../../distill/answers/answer-blocks.ts';
import { softTargetsKey } from '../../distill/answers/soft-targets.ts';
import type { StoreOptions } from '../../distill/answers/soft-targets.ts';
import { answerFiles } from '../../folder/states/answer-files.ts';
import type { AnswerFiles } from '../../folder/states/answer-files.ts';
import { refuseForeignFolder } from '../../folder/folder.ts';
import { requireFiles } from '../../folder/inputs.ts';
import { JobFolder } from '../../folder/jobs.ts';
import { lockRun } from '../../folder/lock.ts';
import { openStores } from '../../folder/states/stores.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { withEpochs } from '../../recipe/steps.ts';
import { loadDataToTeach } from '../../setup/data.ts';
import { engineOfRun } from '../../setup/engine.ts';
import { alone } from '../../train/processes.ts';
import { progressOf } from '../../train/progress.ts';
import { tellAnswers } from '../forecast.ts';
import { leaveOutOf } from '../methods.ts';
import type { RunOptions } from '../options.ts';
import { batchFor, inBatchesOf, storeOptions } from '../stages/teacher/answer.ts';
import { openAndCheck } from '../stages/teacher/given-teacher.ts';

/** `signal` stops after the current block. */
export type LabelOptions = Pick<RunOptions, 'out' | 'onEvent' | 'signal'>;

export interface LabelledShard {
  /** Number of blocks that belong to this shard, and number that this call has answered. */
  readonly blocks: number;
  readonly answered: number;
  /** Number of blocks of all shards. */
  readonly total: number;
  readonly folder: string;
}

/**
 * Stores the teacher's answers to a shard's part of the samples. Each block of answers is a file, so a shard that is restarted, or divided among
 * other shards, asks only about samples without a stored answer.
 */
export async function labelShard(
  given: LoadedRecipe,
  shard: Shard,
  options: LabelOptions = {},
): Promise<LabelledShard> {
  return withTeacher(given, options, async ({ plan, store, folder, blocks, onEvent }) => {
    const ownBlocks = partOf(plan.blocks, shard);
    const tell = progressOf({ onEvent, signal: options.signal }, 'answers');
    let answered = 0;
    for (const [i, block] of ownBlocks.entries()) {
      if ((await blocks.load(block)) === undefined) {
        if (answered === 0)
          await tellAnswers(onEvent, store, plan.batchSize, (ownBlocks.length - i) / plan.blocks.length);
        await blocks.save(block, await asked(store, plan, block));
        answered++;
      }
      tell('block', i + 1, ownBlocks.length);
    }
    return { blocks: ownBlocks.length, answered, total: plan.blocks.length, folder };
  });
}

export interface Merged {
  readonly samples: number;
  readonly views: number;
  /** Folder of the run that will use the answers. */
  readonly folder: string;
}

/** Merges the blocks of all shards into the stored answers of the run. `UserError` with the number of missing blocks. */
export async function mergeLabels(given: LoadedRecipe, options: LabelOptions = {}): Promise<Merged> {
  return withTeacher(given, options, async ({ plan, store, folder, blocks, run, onEvent }) => {
    const merge = new BlockMerge(store);
    const missing: number[] = [];
    for (const block of plan.blocks) {
      const content = await blocks.load(block);
      if (content === undefined) missing.push(block.number);
      else if (missing.length === 0) merge.add(block, content);
    }
    if (missing.length > 0) throw unfinished(folder, missing, plan.blocks.length);
    await refuseForeignFolder(run);
    await mkdir(run, { recursive: true });
    const unlock = await lockRun(run);
    try {
      const { softTargets } = await openStores(run, onEvent);
      await softTargets.save(softTargetsKey(store), merge.whole);
    } finally {
      await unlock();
    }
    await removeHalfWritten(folder);
    return { samples: store.dataset.count, views: store.views, folder: run };
  });
}

interface Work {
  readonly plan: AnswerPlan;
  readonly store: StoreOptions;
  /** Folder of the blocks, one file each. */
  readonly folder: string;
  readonly blocks: AnswerFiles<AnswerBlock>;
  /** Folder of the run. */
  readonly run: string;
  readonly onEvent: OnEvent;
}

async function withTeacher<T>(
  { recipe: asked }: LoadedRecipe,
  { out = 'checkpoints', onEvent = () => undefined, signal }: LabelOptions,
  work: (given: Work) => Promise<T>,
): Promise<T> {
  const format = storeOf(asked);
  const engine = await engineOfRun(asked);
  // Reads the samples exactly as a run does, because the run finds answers by a hash of the samples. An assistant learns all classes.
  await requireFiles(asked);
  const read = await loadDataToTeach(asked);
  const recipe = withEpochs(asked, read.train.count);
  const whole = { recipe, data: read };
  const leaveOut = recipe.teacher?.chain === undefined ? await leaveOutOf(recipe) : undefined;
  const { data } = leaveOut?.transferSet(whole) ?? whole;
  for (const message of data.warnings) onEvent({ type: 'warning', message });
  const { teacher } = (await openAndCheck({ recipe, engine, data, onEvent, signal, processes: alone }))!;
  try {
    const store = storeOptions(recipe, data.train, teacher!, format);
    const plan = answerPlan(store, batchFor(teacher!, { data, recipe }).size);
    const run = path.join(out, recipe.name);
    const folder = new JobFolder(run, 'labels').place(`${plan.key.slice(0, 32)}-by-${plan.batchSize}`);
    const blocks = answerFiles<AnswerBlock>(
      folder,
      ({ number }) => String(number).padStart(6, '0'),
      (message) => onEvent({ type: 'warning', message }),
      (content, block) => isBlock(content, plan, block),
    );
    return await work({ plan, store, folder, blocks, run, onEvent });
  } finally {
    await teacher?.dispose();
  }
}

/** Number format of the stored answers; `UserError` for a recipe whose answers cannot be stored beforehand. */
function storeOf({ teacher, distill }: Recipe): StoreOptions['store'] {
  const { store } = distill.softTargets;
  if (teacher === undefined) throw nothingToAsk('no teacher', 'Name a teacher in the recipe.');
  if (teacher.logits !== undefined)
    throw nothingToAsk('stored logits', 'These answers are stored already: run the recipe.');
  if (teacher.train !== undefined)
    throw nothingToAsk(
      'one that the recipe trains',
      'Train it first, by `limbeck run` and a recipe of its own, and name its file as teacher.onnx.',
    );
  if (store !== 'live') return store;
  throw new UserError(
    'distill.softTargets.store: expected fp16 or fp32, received live: a teacher that is asked in every step has no stored answers',
    'Set it to fp16 or fp32, or run the recipe without labelling.',
  );
}

function nothingToAsk(received: string, remedy: string): UserError {
  return new UserError(`teacher: expected one that comes as a file, received ${received}`, remedy);
}

async function asked(store: StoreOptions, plan: AnswerPlan, block: AnswerBlock) {
  const start = monotonicMs();
  return inBatchesOf(plan.batchSize, () => answerBlock(store, plan, block, () => (monotonicMs() - start) / 1000));
}

function unfinished(folder: string, missing: readonly number[], total: number): UserError {
  const some = missing.slice(0, 8).join(', ') + (missing.length > 8 ? ', …' : '');
  return new UserError(
    `${inShell(folder)}: ${missing.length} of ${total} blocks are missing: ${some}`,
    'Let all shards finish, with the same recipe and data; or run `limbeck label RECIPE` without --shard, which fills the gaps.',
  );
}
