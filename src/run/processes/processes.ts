import { cp } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { machineName } from '../../base/process/owner.ts';
import { limbeckVersion } from '../../base/process/packages.ts';
import { temporaryFolder } from '../../base/folders/temporary.ts';
import { fingerprintOnce } from '../../data/storage/computed-once.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Collectives } from './collectives.ts';
import { DividedUpdate } from './divided-update.ts';
import { Exchange } from './exchange.ts';
import { alone } from '../../train/processes.ts';
import type { Sharing, StepSums, SumsOptions } from '../../train/processes.ts';
import { oneByOne } from '../../train/turns.ts';
import type { Turns } from '../../train/turns.ts';
import { splitsIn, splitsOf } from '../hashes.ts';
import type { RunOptions, RunProcesses, RunResult } from '../options.ts';

/** Number of parts that each batch is cut into for several processes: 1, 2, 4 or 8 processes add the same parts and end with the same bytes. */
const SHARDS = 8;

/** `leastDivided`: minimum number of weights for which the processes divide the update. Default: see `DividedUpdate`. */
interface Dividing {
  readonly leastDivided?: number | undefined;
}

/** The processes of a group, of which this is one, as those of a run: their trainer, their asker, and what they compare with each other. */
export function processesOf(group: Collectives, options: Dividing = {}): RunProcesses {
  return {
    ...turnsIn(group),
    ...sharingIn(group, options),
    shards: SHARDS,
    get waitedSeconds() {
      return group.waitedSeconds;
    },
    requireSame: (what, text, remedy) => {
      if (group.size > 1) requireSame(group, what, text(), remedy);
    },
    requireSameData: async (data) => {
      for (const split of splitsIn(data)) await fingerprintOnce(group, split);
      requireSame(group, 'data', splitsOf(data));
    },
    loading: async () => (group.size === 1 ? {} : { processes: await onSameMachine(group), readers: group }),
    requireShards: (recipe, folder) => requireShards(group, recipe, folder),
    run: (work, given, asked) => runTogether(group, work, given, asked),
  };
}

/** Turns of a group at numbered items. */
export function turnsIn(group: Pick<Collectives, 'rank' | 'size' | 'allgather'>): Turns {
  const { rank, size } = group;
  if (size === 1) return oneByOne;
  return {
    size,
    inTurns: async ({ count, width, each = 1 }, compute) => {
      const most = each * Math.ceil(count / (each * size));
      const ownValues = new Float32Array(most * width);
      for (let i = 0; i < most; i++) {
        const item = (Math.floor(i / each) * size + rank) * each + (i % each);
        if (item < count) ownValues.set(await compute(item), i * width);
      }
      const gathered = group.allgather(ownValues);
      const all = new Float32Array(count * width);
      for (let item = 0; item < count; item++) {
        const turn = Math.floor(item / each);
        const at = (turn % size) * most + Math.floor(turn / size) * each + (item % each);
        all.set(gathered.subarray(at * width, (at + 1) * width), item * width);
      }
      return all;
    },
  };
}

/** Trainings of a group, which shares the parts of each batch. */
export function sharingIn(group: Collectives, options: Dividing = {}): Sharing {
  const { rank, size } = group;
  return {
    rank,
    size,
    allgather: (own) => group.allgather(own),
    agreed: <T extends readonly boolean[]>(wishes: readonly [...T]) =>
      [...group.allreduce(Float32Array.from(wishes, Number))].map((count) => count > 0) as unknown as T,
    sums: (given) => (size === 1 ? alone.sums(given) : sumsOf(group, given, options)),
  };
}

/**
 * Each process computes a power of two of the parts and adds them in pairs; then the sums of the processes are added in pairs: bit for bit the sum of
 * one process.
 */
function sumsOf(
  group: Collectives,
  { update, read, outputs }: SumsOptions,
  { leastDivided: least }: Dividing,
): StepSums {
  const divided = DividedUpdate.of({ update, read, group, least });
  const home = divided?.home ?? {};
  const exchange = new Exchange({ outputs: new Map([...outputs].filter(([name]) => !(name in home))), group });
  return {
    home,
    over: (own, count) => {
      const sums = exchange.sum(group.rank < count ? own : undefined, count);
      divided?.sum(count);
      return sums;
    },
    spread: () => divided?.spread(),
    settle: () => divided?.settle(),
    dispose: () => divided?.dispose(),
  };
}

/** `UserError` if the processes cannot share the batches of the run in `folder`, which were begun whole or in `shards` parts. */
function requireShards(
  { size }: Pick<Collectives, 'size'>,
  { shards }: Parameters<RunProcesses['requireShards']>[0],
  folder: string,
): void {
  if (size === 1) return;
  if (shards === undefined)
    throw new UserError(
      `${folder}: this run began as a single process without shards, so its batches cannot be shared by the ${size} processes of mpirun`,
      'Resume without mpirun; or add --fresh to start again with shared batches.',
    );
  if (size > shards)
    throw new UserError(
      `mpirun has started ${size} processes, and a batch is cut into ${shards} shards`,
      `Start at most ${shards}, or set shards in the recipe.`,
    );
}

/**
 * Runs a recipe in several processes. Each follows all stages and computes a share of every gradient. Rank 0 owns the folder of the run; the others
 * work on a temporary copy, so that all resume from the same saved states.
 */
async function runTogether(
  group: Collectives,
  run: (given: LoadedRecipe, options: RunOptions) => Promise<RunResult>,
  given: LoadedRecipe,
  options: RunOptions,
): Promise<RunResult> {
  const { out = 'checkpoints' } = options;
  const { recipe, written } = given;
  requireSame(group, 'version', limbeckVersion());
  requireSame(group, 'recipe', JSON.stringify(written));
  if (recipe.target !== undefined)
    throw new UserError(
      'target: a search by latency measures time, which differs between processes',
      'Take target out of the recipe, or start limbeck without mpirun.',
    );
  const here = await onSameMachine(group);
  if (group.size > 1) {
    const parts = `each batch is cut into ${recipe.shards ?? SHARDS} parts`;
    const message = `${group.size} processes share the work, ${here} of them on this machine: ${parts}`;
    options.onEvent?.({ type: 'message', message });
  }
  if (group.rank === 0) {
    group.barrier();
    const result = await run(given, options);
    await group.meet();
    return result;
  }
  const { path: copy, remove } = await temporaryFolder('rank-');
  try {
    // Trainings by shards lie beside the run folder. Copied for a fresh start too, which keeps the teacher and its answers.
    for (const beside of ['', '-repeats', '-race']) {
      const name = recipe.name + beside;
      if (!(await exists(path.join(out, name)))) continue;
      await cp(path.join(out, name), path.join(copy, name), {
        recursive: true,
        filter: (file) => path.basename(file) !== 'lock',
      });
    }
    group.barrier();
    const result = await run(given, { ...options, out: copy });
    await group.meet();
    return result;
  } finally {
    await remove();
  }
}

function requireSame(
  group: Collectives,
  what: string,
  text: string,
  remedy = `Give all processes the same ${what}: on several machines, by a shared folder or equal copies.`,
): void {
  const texts = gatheredTexts(group, text);
  const other = texts.findIndex((one) => one !== texts[0]);
  if (other === -1) return;
  throw new UserError(`process ${other} of ${group.size} has another ${what} than process 0`, remedy);
}

/** Number of processes on this machine. */
async function onSameMachine(group: Collectives): Promise<number> {
  const names = gatheredTexts(group, await machineName());
  return names.filter((name) => name === names[group.rank]).length;
}

/** Hashes of the texts of all processes, by rank. */
function gatheredTexts(group: Collectives, text: string): string[] {
  const digest = Float32Array.from(Buffer.from(sha256(text), 'hex'));
  const all = group.allgather(digest);
  return Array.from({ length: group.size }, (_, rank) =>
    all.subarray(rank * digest.length, (rank + 1) * digest.length).join(),
  );
}
