import type { OnEvent } from '../base/events.ts';
import { UserError } from '../base/errors.ts';
import { memoryText } from '../base/process/memory.ts';
import { Trainer } from './loop.ts';
import type { TrainerOptions } from './loop.ts';
import type { PartsOptions } from './parallel/parted.ts';
import type { StepParts } from './step/steps.ts';

/** Share of the free memory above which a training is reported as large. */
const LARGE = 0.5;

export interface Fitting {
  readonly stage: string;
  /** Size of the last batch of an epoch if it is smaller, which needs a program with memory of its own; else 0. */
  readonly rest: number;
  /** Maximum samples of a part, if the recipe or the saved state sets it. */
  readonly microBatch?: number | undefined;
  /** True for a resumed training: it must cut its batches as before, or its sums would differ from those of an uninterrupted training. */
  readonly isBegun: boolean;
  /** Programs for the parts of a batch; undefined for a loss that compares samples with each other. */
  readonly parts: Omit<PartsOptions, 'samples'> | undefined;
  /** Bytes. */
  readonly free: number;
  readonly onEvent: OnEvent;
}

/** Division of batches: the maximum samples of a part, and a sentence for log and report. */
export interface Cut {
  readonly samples: number;
  readonly note: string;
}

/**
 * A trainer that fits into memory, by an estimate before its first step. If a whole batch does not fit, it is cut into parts whose gradients are
 * added. `UserError` if parts do not fit either, a warning above half of the free memory: the operating system would kill the process during the
 * training.
 */
export async function fittingTrainer(
  options: Omit<TrainerOptions, 'parts'>,
  fitting: Fitting,
): Promise<{ readonly trainer: Trainer; readonly cut?: Cut }> {
  const { stage, rest, microBatch, isBegun, free, onEvent } = fitting;
  const parts = options.batchSize === 1 && fitting.parts?.shards === undefined ? undefined : fitting.parts;
  const make = (samples = options.batchSize): Promise<Trainer> =>
    Trainer.create({
      ...options,
      parts: parts && (samples < options.batchSize || parts.shards !== undefined) ? { ...parts, samples } : undefined,
    });
  const first = await make(microBatch);
  const bytes = first.steps.memoryBytes(rest);
  const { parts: cut } = first.steps;
  const what = cut === undefined ? `steps of ${options.batchSize}` : `parts of ${cut.samples}`;
  const fact = factOf(stage, what, bytes ?? 0);
  if (bytes === undefined || bytes <= free || isBegun || cut !== undefined || parts === undefined) {
    try {
      checkMemory({ fact, bytes: bytes ?? 0, ...fitting, parts, samples: microBatch ?? options.batchSize });
    } catch (error) {
      await first.dispose();
      throw error;
    }
    return {
      trainer: first,
      ...(cut && {
        cut: { samples: microBatch ?? options.batchSize, note: `${stage}: ${noteOf(cut, options.batchSize)}` },
      }),
    };
  }
  await first.dispose();
  const found = await largestParts(fittingSamples(options.batchSize, bytes, free), make, { rest, free });
  if (found.trainer === undefined)
    throw new UserError(
      `${fact}, and ${memoryText(free)} are free`,
      `In parts of single samples it still takes about ${memoryText(found.bytes)}: choose a smaller model or smaller samples, or free memory.`,
    );
  const { trainer } = found;
  const { steps } = trainer;
  if (steps.parts === undefined) throw new Error(`${stage}: a batch of ${options.batchSize} was not cut`);
  const { most: samples } = steps.parts;
  const why = `steps of ${options.batchSize} samples take about ${memoryText(bytes)} of memory, and ${memoryText(free)} are free`;
  const now = memoryText(steps.memoryBytes(rest)!);
  const note = `${stage}: ${why}: ${noteOf(steps.parts, options.batchSize)}; that takes about ${now}`;
  onEvent({ type: 'warning', message: `${note}; set microBatch: ${samples} in the recipe to keep this` });
  return { trainer, cut: { samples, note } };
}

/**
 * Trainer with the largest parts, halved from `samples` down, that take at most half of the free memory; if none do, with the first that fit at all.
 */
async function largestParts(
  samples: number,
  make: (samples: number) => Promise<Trainer>,
  { rest, free }: Pick<Fitting, 'rest' | 'free'>,
): Promise<{ readonly trainer?: Trainer; readonly bytes: number }> {
  let fitting: number | undefined;
  for (; ; samples = Math.ceil(samples / 2)) {
    const trainer = await make(samples);
    const bytes = trainer.steps.memoryBytes(rest)!;
    if (bytes <= LARGE * free || (samples === 1 && fitting === undefined && bytes <= free)) return { trainer, bytes };
    if (bytes <= free) fitting ??= samples;
    await trainer.dispose();
    if (samples === 1) return { ...(fitting !== undefined && { trainer: await make(fitting) }), bytes };
  }
}

function noteOf({ samples, observesMeans }: StepParts, batchSize: number): string {
  const parts = Math.ceil(batchSize / samples);
  const norms = observesMeans ? ', and batch norms normalize each part by itself' : '';
  return `a batch of ${batchSize} is cut into ${parts} parts of at most ${samples} samples, whose gradients are added up${norms}`;
}

function factOf(stage: string, what: string, bytes: number): string {
  return `${stage}: ${what} samples take about ${memoryText(bytes)} of memory`;
}

/** True for memory above half of what is free. */
export const isLarge = (bytes: number, free: number): boolean => bytes > LARGE * free;

/** Number of samples that fit into half of the free memory: the estimate is nearly proportional to the batch. */
export function fittingSamples(samples: number, bytes: number, free: number): number {
  const fitting = 2 ** Math.floor(Math.log2(Math.max(1, (LARGE * free * samples) / bytes)));
  return Math.min(fitting, Math.ceil(samples / 2));
}

interface Need extends Pick<Fitting, 'isBegun' | 'parts' | 'free' | 'onEvent'> {
  readonly fact: string;
  readonly bytes: number;
  /** Number of samples that are computed at once. */
  readonly samples: number;
}

/** `UserError` for a training that needs more memory than is free, a warning above half of it. */
export function checkMemory({ fact, bytes, samples, isBegun, parts, free, onEvent }: Need): void {
  if (bytes <= LARGE * free) return;
  const fitting = fittingSamples(samples, bytes, free);
  const key = parts === undefined ? 'batchSize' : 'microBatch';
  const remedy = `${key}: ${fitting} takes about ${memoryText((bytes * fitting) / samples)}.`;
  if (bytes > free)
    throw new UserError(
      `${fact}, and ${memoryText(free)} are free`,
      isBegun
        ? 'A resumed training cannot change its batches: free memory, and run the same command again.'
        : `Compute fewer samples at once: ${remedy}`,
    );
  onEvent({ type: 'warning', message: `${fact}, more than half of the ${memoryText(free)} that are free; ${remedy}` });
}
