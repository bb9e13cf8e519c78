import type { CompiledStep, Engine } from '../runtime/engine.ts';
import type { Task } from '../tasks/task.ts';
import type { StepProgram } from '../trace/program.ts';
import { batchFeeds, samplesOf, totalWeight, type TrainingBatch } from './batch.ts';
import { added, NOTHING, scoreOf, sumsOf } from './totals.ts';

export interface Evaluation {
  /** Of the task, over all samples by their weight. */
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

/** Evaluates the same weights again and again; a program per batch size is compiled when it is first needed. */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #compiled = new Map<number, CompiledStep>();

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  async run(batches: AsyncIterable<TrainingBatch> | Iterable<TrainingBatch>): Promise<Evaluation> {
    const { task } = this.#options;
    let [totals, index] = [NOTHING, 0];
    for await (const batch of batches) {
      const compiled = await this.#sized(samplesOf(batch, task));
      const feeds = Object.entries(batchFeeds(batch, task, `evaluation, batch ${++index}`));
      const results = await compiled.run(Object.fromEntries(feeds.filter(([name]) => compiled.inputs.has(name))));
      totals = added(totals, {
        loss: Number(results['loss']![0]),
        sums: sumsOf(results),
        weight: totalWeight(batch, task),
        samples: samplesOf(batch, task),
      });
    }
    return { score: scoreOf(totals, task), loss: totals.loss / totals.weight, samples: totals.samples };
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
