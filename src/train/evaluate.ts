import type { CompiledStep, Engine } from '../runtime/engine.ts';
import type { StepProgram } from '../trace/program.ts';
import { INFERENCE_BYTES, sizeWithin } from './predict.ts';
import type { Task } from '../tasks/task.ts';
import { batchFeeds, fedTo, samplesOf, totalWeight, type TrainingBatch } from './batch.ts';
import { scalars } from './steps.ts';
import { added, NOTHING, scoreOf, sumsOf } from './totals.ts';

export interface Evaluation {
  /** Score of the task over all samples by their weight. */
  readonly score: number;
  /** Weighted mean of the loss with the labels. */
  readonly loss: number;
  readonly samples: number;
}

export interface EvaluatorOptions {
  readonly engine: Engine;
  readonly program: (batchSize: number) => StepProgram;
  readonly task: Task;
  /** The training whose weights are evaluated; absent: the variables as they are now. */
  readonly shareStateWith?: CompiledStep;
}

/** Evaluation of the same weights, any number of times; a program for each batch size is compiled when it is first needed. */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #compiled = new Map<number, CompiledStep>();
  #atOnce: number | undefined;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  async run(batches: AsyncIterable<TrainingBatch> | Iterable<TrainingBatch>): Promise<Evaluation> {
    const { task } = this.#options;
    let [totals, index] = [NOTHING, 0];
    for await (const batch of batches) {
      const samples = samplesOf(batch, task);
      const compiled = await this.#sized(samples);
      const feeds = batchFeeds(batch, task, `evaluation, batch ${++index}`);
      const { loss, ...rest } = scalars(await compiled.run(fedTo(compiled, feeds)));
      totals = added(totals, { loss: loss!, sums: sumsOf(rest), weight: totalWeight(batch, task), samples });
    }
    return { score: scoreOf(totals, task), loss: totals.loss / totals.weight, samples: totals.samples };
  }

  /** Number of samples at once: `most`, or fewer where those would take more than a gigabyte. */
  async atOnce(most: number): Promise<number> {
    return (this.#atOnce ??= await sizeWithin(
      most,
      INFERENCE_BYTES,
      (size) => this.#sized(size),
      (size) => this.#compiled.delete(size),
    ));
  }

  async dispose(): Promise<void> {
    for (const step of this.#compiled.values()) await step.dispose();
    this.#compiled.clear();
  }

  async #sized(size: number): Promise<CompiledStep> {
    let compiled = this.#compiled.get(size);
    if (compiled === undefined) {
      const { engine, program, shareStateWith } = this.#options;
      const first = shareStateWith ?? this.#compiled.values().next().value;
      compiled = await engine.compile(program(size), first === undefined ? {} : { shareStateWith: first });
      this.#compiled.set(size, compiled);
    }
    return compiled;
  }
}
