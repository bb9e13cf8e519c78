import type { Batch } from '../../data/batches/batches.ts';
import type { AugmentStep } from '../../data/config.ts';
import type { Dataset } from '../../data/dataset.ts';
import { Prefetcher } from '../../data/batches/prefetch.ts';
import type { EpochOptions } from '../../data/batches/prefetch.ts';
import type { SoftTargets } from '../../distill/answers/soft-targets.ts';
import { STRONG } from '../../train/step/step.ts';
import { inputFeedsOf } from '../../train/step/batch.ts';

/**
 * Strong views for the batches of a training: the same samples with the batch's augmentation and further changes, and the teacher's answers to them.
 * Random numbers are keyed by the batch, so a resumed run sees the same views.
 */
export class StrongViews {
  readonly #prefetcher: Prefetcher;
  readonly #augment: readonly AugmentStep[];
  readonly #answers: SoftTargets;
  #views: AsyncGenerator<Batch, void, undefined> | undefined;

  constructor(dataset: Dataset, options: { readonly augment: readonly AugmentStep[]; readonly answers: SoftTargets }) {
    this.#prefetcher = new Prefetcher(dataset);
    [this.#augment, this.#answers] = [options.augment, options.answers];
  }

  /** Begins an epoch; `of` must then be called with its batches in order. */
  begin(options: EpochOptions): void {
    this.#views = this.#prefetcher.epoch({ ...options, augment: [...(options.augment ?? []), ...this.#augment] });
  }

  /** Feeds of the strong view of a batch. */
  async of({ index }: Pick<Batch, 'index'>): Promise<Record<string, Float32Array>> {
    const next = await this.#views?.next();
    if (next === undefined || next.done === true || next.value.index !== index)
      throw new Error(`the strong view of batch ${index} was asked for out of order`);
    const view = next.value;
    const inputs = inputFeedsOf(view.x, view.ids.length, view.inputs) as Record<string, Float32Array>;
    const { teacherLogits } = await this.#answers.answersFor(view);
    const feeds = { ...inputs, teacherLogits: teacherLogits! };
    return Object.fromEntries(Object.entries(feeds).map(([name, values]) => [STRONG + name, values]));
  }

  async close(): Promise<void> {
    await this.#prefetcher.close();
  }
}
