import { UserError } from '../base/errors.ts';
import type { Safetensors, StoredTensor } from '../formats/safetensors.ts';
import type { State } from '../runtime/engine.ts';
import { epochRecord } from './epoch-record.ts';
import type { EpochRecord, StoredEpoch } from './epoch-record.ts';
import { totalsOf } from './evaluate/totals.ts';
import type { Position, Trainer } from './loop.ts';
import type { Cut } from './memory.ts';

/** The saved states of one stage. */
export interface StageStates {
  load(): Promise<Safetensors | undefined>;
  save(state: Safetensors): Promise<void>;
  /** Removes states that the result of the stage has made useless. */
  remove(): Promise<void>;
}

/** The training that a saved state belongs to. */
export interface StateOwner {
  readonly stage: string;
  /** Hash of the settings that the training depends on. Saved states with another hash are ignored. */
  readonly job?: string | undefined;
  /** Hash of the training samples, if a saved state may be older than they are. States with another hash are ignored. */
  readonly data?: string | undefined;
  /** Number of parts of every batch for several processes; absent: batches are whole. `UserError` for a saved state with another number. */
  readonly shards?: number | undefined;
}

/** Time of a training over all starts. */
export interface Times {
  /** Working time. */
  readonly seconds: number;
  /** Seconds that steps waited for samples. Absent in states of older versions. */
  readonly dataSeconds?: number;
  /** Seconds of a teacher that was asked at every step. */
  readonly teacherSeconds?: number;
}

export interface TrainingResult extends Times {
  /** Weights of the epoch with the best score on the validation split, and their masks. */
  readonly weights: State;
  readonly validation: number;
  readonly bestEpoch: number;
  readonly epochs: readonly EpochRecord[];
  /** Parts of a batch, if it was cut. */
  readonly cut?: Cut | undefined;
}

export interface Progress extends Times {
  readonly position: Position;
  readonly best: { readonly epoch: number; readonly validation: number };
  readonly epochs: readonly EpochRecord[];
  readonly cut?: Cut | undefined;
}

const STATE = 'state/';
const BEST = 'best/';

/** The saved state of a training: all variables, the best weights so far, and the progress. */
export function toSafetensors(state: State, best: State, progress: Progress, owner: StateOwner): Safetensors {
  const { job = '', data } = owner;
  const tensors = new Map<string, StoredTensor>();
  for (const [prefix, from] of [
    [STATE, state],
    [BEST, best],
  ] as const) {
    for (const [name, { type, data }] of from) {
      tensors.set(prefix + name, { dtype: type.dtype, shape: type.shape as readonly number[], data });
    }
  }
  const ownership = { job, ...(data !== undefined && { data }), shards: shardsText(owner) };
  return { tensors, metadata: { ...ownership, progress: JSON.stringify(progress) } };
}

/**
 * True for a state of this training; `UserError` for a state whose batches were cut into another number of shards, which changes sums. States of
 * older versions record neither samples nor shards.
 */
export function isOf(saved: Safetensors | undefined, owner: StateOwner): saved is Safetensors {
  const { job = '', data, stage } = owner;
  if (saved?.metadata['job'] !== job) return false;
  if (data !== undefined && (saved.metadata['data'] ?? data) !== data) return false;
  const [now, before = now] = [shardsText(owner), saved.metadata['shards']];
  if (before === now) return true;
  throw new UserError(
    `the saved state of ${stage} has batches in ${before} shards, and this run has ${now}`,
    "Restore the run's own states, or add --fresh to start again.",
  );
}

function shardsText({ shards }: Pick<StateOwner, 'shards'>): string {
  return shards === undefined ? 'no' : String(shards);
}

/** Result of a finished training from its saved state; undefined for any other state. */
export function finishedTraining(
  saved: Safetensors | undefined,
  steps: number,
  owner: StateOwner,
): TrainingResult | undefined {
  if (!isOf(saved, owner)) return undefined;
  const { position, best, ...rest } = progressOf(saved);
  if (position.step < steps) return undefined;
  const { validation, epoch: bestEpoch } = best;
  return { weights: part(saved, BEST), validation, bestEpoch, ...rest };
}

export type BegunTraining = Pick<Progress, 'cut'>;

/** Cut of batches that the saved training began with; undefined for a state of another training. */
export function begunTraining(saved: Safetensors | undefined, owner: StateOwner): BegunTraining | undefined {
  return isOf(saved, owner) ? progressOf(saved) : undefined;
}

/** Epochs in a saved state; none for the state of another kind of stage. */
export function curveOfState(saved: Safetensors): readonly EpochRecord[] {
  return saved.metadata['progress'] === undefined ? [] : progressOf(saved).epochs;
}

export async function restore(
  trainer: Trainer,
  saved: Safetensors,
): Promise<{ progress: Progress; best: Progress['best'] & { weights: State } }> {
  const progress = progressOf(saved);
  const { position } = progress;
  await trainer.resume(part(saved, STATE), { ...position, totals: totalsOf(position.totals) });
  return { progress, best: { ...progress.best, weights: part(saved, BEST) } };
}

function progressOf({ metadata }: Safetensors): Progress {
  const stored = JSON.parse(metadata['progress']!) as Progress & { readonly epochs: readonly StoredEpoch[] };
  return { ...stored, epochs: stored.epochs.map(epochRecord) };
}

function part({ tensors }: Safetensors, prefix: string): State {
  return new Map(
    [...tensors].flatMap(([name, { dtype, shape, data }]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), { type: { dtype, shape }, data }] as const] : [],
    ),
  );
}
