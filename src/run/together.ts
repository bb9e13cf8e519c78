import { cp } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf, sha256 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { machineName } from '../base/process/owner.ts';
import { limbeckVersion } from '../base/process/packages.ts';
import { temporaryFolder } from '../base/folders/temporary.ts';
import { fingerprintOnce } from '../data/storage/computed-once.ts';
import { fingerprint } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import type { LoadedDataset } from '../data/load.ts';
import type { Safetensors } from '../formats/safetensors.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import { several } from '../runtime/collectives/collectives.ts';
import type { Collectives } from '../runtime/collectives/collectives.ts';
import type { RunOptions, RunResult } from './options.ts';

/** Number of parts that each batch is cut into for several processes: 1, 2, 4 or 8 processes add the same parts and end with the same bytes. */
export const SHARDS = 8;

/** `UserError` if the processes cannot share the batches of the run in `folder`, which were begun whole or in `parts` parts. */
export function requireShards(
  together: Collectives | undefined,
  { shards }: Pick<Recipe, 'shards'>,
  folder: string,
): void {
  if (!several(together)) return;
  if (shards === undefined)
    throw new UserError(
      `${folder}: this run began as a single process without shards, so its batches cannot be shared by the ${together.size} processes of mpirun`,
      'Resume without mpirun; or add --fresh to start again with shared batches.',
    );
  if (together.size > shards)
    throw new UserError(
      `mpirun has started ${together.size} processes, and a batch is cut into ${shards} shards`,
      `Start at most ${shards}, or set shards in the recipe.`,
    );
}

/**
 * Runs a recipe in several processes. Each follows all stages and computes a share of every gradient. Rank 0 owns the folder of the run; the others
 * work on a temporary copy, so that all resume from the same saved states.
 */
export async function runTogether(
  run: (given: LoadedRecipe, options: RunOptions) => Promise<RunResult>,
  given: LoadedRecipe,
  options: RunOptions & { readonly together: Collectives },
): Promise<RunResult> {
  const { together, out = 'checkpoints' } = options;
  const { recipe, written } = given;
  requireSame(together, 'version', limbeckVersion());
  requireSame(together, 'recipe', JSON.stringify(written));
  if (recipe.target !== undefined)
    throw new UserError(
      'target: a search by latency measures time, which differs between processes',
      'Take target out of the recipe, or start limbeck without mpirun.',
    );
  const here = await onSameMachine(together);
  if (several(together)) {
    const parts = `each batch is cut into ${recipe.shards ?? SHARDS} parts`;
    const message = `${together.size} processes share the work, ${here} of them on this machine: ${parts}`;
    options.onEvent?.({ type: 'message', message });
  }
  if (together.rank === 0) {
    together.barrier();
    const result = await run(given, options);
    await together.meet();
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
    together.barrier();
    const result = await run(given, { ...options, out: copy });
    await together.meet();
    return result;
  } finally {
    await remove();
  }
}

/** `UserError` in every process unless all of them have the same `text`. */
export function requireSame(
  together: Collectives,
  what: string,
  text: string,
  remedy = `Give all processes the same ${what}: on several machines, by a shared folder or equal copies.`,
): void {
  const texts = gatheredTexts(together, text);
  const other = texts.findIndex((one) => one !== texts[0]);
  if (other === -1) return;
  throw new UserError(`process ${other} of ${together.size} has another ${what} than process 0`, remedy);
}

/** Number of processes on this machine. */
export async function onSameMachine(together: Collectives): Promise<number> {
  const names = gatheredTexts(together, await machineName());
  return names.filter((name) => name === names[together.rank]).length;
}

/** Hashes of the texts of all processes, by rank. */
function gatheredTexts(together: Collectives, text: string): string[] {
  const digest = Float32Array.from(Buffer.from(sha256(text), 'hex'));
  const all = together.allgather(digest);
  return Array.from({ length: together.size }, (_, rank) =>
    all.subarray(rank * digest.length, (rank + 1) * digest.length).join(),
  );
}

/** Fingerprints of the splits, including the samples as a teacher reads them; they must agree in all processes. */
export function splitsOf(data: LoadedDataset): string {
  return splitsIn(data).map(fingerprint).join();
}

/** `UserError` in every process unless all of them have the same samples. Samples in a file are hashed by one process of each machine. */
export async function requireSameData(together: Collectives, data: LoadedDataset): Promise<void> {
  for (const split of splitsIn(data)) await fingerprintOnce(together, split);
  requireSame(together, 'data', splitsOf(data));
}

function splitsIn({ train, validation, test }: LoadedDataset): Dataset[] {
  const splits = [train, validation, ...(test === undefined ? [] : [test])];
  return splits.flatMap((split) => (split.forTeacher === undefined ? [split] : [split, split.forTeacher]));
}

/** Hash of the tensors of a saved state; its times differ between processes. */
export function hashOfState(saved: Safetensors | undefined): string {
  return hashOf(saved?.tensors ?? []);
}

/** Hash of tensors and their names. */
export function hashOf(tensors: Iterable<readonly [string, { readonly data: ArrayBufferView }]>): string {
  return sha256(...[...tensors].flatMap(([name, { data }]) => [name, bytesOf(data)]));
}
