import { Stopwatch } from '../../base/clock.ts';
import { batchCount, passesOf } from '../../data/batches/batches.ts';
import type { Batch } from '../../data/batches/batches.ts';
import { labelledCount } from '../../data/readers/labelled.ts';
import { Prefetcher } from '../../data/batches/prefetch.ts';
import type { Share } from '../../data/batches/share.ts';
import { known, leastConfidence } from '../../distill/answers/known.ts';
import type { StageContext } from '../context.ts';
import { epochOptions } from './options.ts';
import type { FitOptions, TrainingPlan } from './options.ts';
import { StrongViews } from './strong-views.ts';

interface SourceOptions extends Pick<TrainingPlan, 'learnt' | 'task' | 'stepsPerEpoch' | 'partial'> {
  /** True for a loss that reads a strong view of each sample. */
  readonly readsStrong: boolean;
}

type Context = Pick<StageContext, 'engine' | 'data' | 'recipe'>;

/** Batches of a training with the teacher's answers to them, and the seconds that steps have waited for samples. */
export class BatchSource {
  readonly waiting = new Stopwatch();
  readonly #context: Context;
  readonly #options: Omit<FitOptions, 'build'>;
  readonly #source: SourceOptions;
  readonly #strong: StrongViews | undefined;
  readonly #hasLabels: boolean;
  /** Opened with the first batch: a finished training reads no samples. */
  #prefetcher: Prefetcher | undefined;

  constructor(context: Context, options: Omit<FitOptions, 'build'>, source: SourceOptions) {
    [this.#context, this.#options, this.#source] = [context, options, source];
    this.#hasLabels = labelledCount(context.data.train) > 0;
    const { answers, strong: augment = [] } = options;
    if (source.readsStrong && answers !== undefined)
      this.#strong = new StrongViews(source.learnt, { augment, answers });
  }

  /** Batches of an epoch from `startBatch` on. If several processes share each batch, only the part `own` is read. */
  async *epoch(epoch: number, startBatch: number, own?: Share): AsyncGenerator<Batch, void, undefined> {
    const { recipe, engine, data } = this.#context;
    const { answers, settings } = this.#options;
    const { learnt, stepsPerEpoch } = this.#source;
    const prefetcher = (this.#prefetcher ??= new Prefetcher(learnt));
    const share = own && answers?.cut ? { ...own, cuts: [...own.cuts, answers.cut] } : own;
    const passes = { from: epoch * stepsPerEpoch + startBatch, to: (epoch + 1) * stepsPerEpoch };
    // Batches to request ahead: those of a whole call, and the smaller batch that ends an epoch early.
    const needed = 1 + (engine.stepsPerCall ?? 1);
    const perPass = batchCount(learnt.count, settings.batchSize);
    const batches = passesOf(passes, perPass, (pass, first) => {
      const done = (pass * perPass) / (settings.epochs * stepsPerEpoch);
      const shown = { ...epochOptions(recipe, this.#options, pass, done), startBatch: first, share, needed };
      this.#strong?.begin(shown);
      return prefetcher.epoch({ ...shown, classWeights: data.classWeights });
    });
    for await (const batch of this.waiting.timed(batches)) yield await this.#answered(batch);
  }

  async close(): Promise<void> {
    await this.#prefetcher?.close();
    await this.#strong?.close();
  }

  async #answered(batch: Batch): Promise<Batch> {
    const answers = await this.#options.answers?.answersFor(batch);
    const answered = { ...batch, teacher: { ...answers, ...(this.#strong && (await this.#strong.of(batch))) } };
    if (!this.#source.partial) return answered;
    const minConfidence = leastConfidence(this.#context.recipe);
    return known(answered, { task: this.#source.task, hasLabels: this.#hasLabels, minConfidence });
  }
}
