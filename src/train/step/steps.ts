import type { Share } from '../../data/batches/share.ts';
import { SESSION_BYTES } from '../../graph/memory.ts';
import type { TensorData } from '../../graph/types.ts';
import type { CompiledStep, CompileOptions, Engine } from '../../runtime/engine.ts';
import type { StepProgram } from '../../trace/program.ts';
import { fedTo } from './batch.ts';
import type { TrainingBatch } from './batch.ts';

export type StepValues = Readonly<Record<string, TensorData>>;

/** Input of a step: a batch, and all feeds. */
export interface StepInput {
  readonly batch: TrainingBatch;
  readonly feeds: StepValues;
}

export interface Wishes {
  readonly stop: boolean;
  readonly save: boolean;
}

/** Steps of a training, compiled as one program or as gradient and update. */
export interface Steps {
  /** Compiled step that holds all variables of the training. */
  readonly compiled: CompiledStep;
  /** Parts of each batch, if it is cut. */
  readonly parts?: StepParts | undefined;
  /** Number of steps in one call. */
  readonly perCall: number;
  /** Part of every batch that this process computes; it reads no other samples. Absent: the whole batch. */
  readonly share?: Share | undefined;
  /** Takes a step for each batch of equal size; `step`: number of the first. Returns the figures of each, with `loss`. */
  take(given: readonly StepInput[], step: number): Promise<readonly Readonly<Record<string, number>>[]>;
  /**
   * Estimated bytes of a training; `rest`: size of a smaller last batch (0: none), which needs a program with memory of its own. Undefined if the
   * engine gives no estimate.
   */
  memoryBytes(rest: number): number | undefined;
  /** Agreement of several processes, reached if any of them asks to stop before the next step or to save after it. */
  agreed?(wishes: Wishes): Wishes;
  /** Brings all variables up to date if processes divide the update. All processes must call it. */
  settle?(): void;
  dispose(): Promise<void>;
}

/** Parts that the batch of a step is computed in. */
export interface StepParts {
  /** Requested maximum of samples in a part. */
  readonly most: number;
  /** Samples of the largest part of a whole batch. */
  readonly samples: number;
  /** True if the network observes statistics of each part on its own, as batch norms do. */
  readonly observesMeans: boolean;
}

export interface StepsOptions {
  readonly engine: Engine;
  /** The step for a batch of this size; called for the usual size and for the smaller last batch. */
  readonly program: (batchSize: number) => StepProgram;
  readonly batchSize: number;
  /** Precision of the step's products. */
  readonly precision?: CompileOptions['precision'];
  /** Key of the random feeds. */
  readonly randomKey?: readonly (string | number)[];
  /** Step whose variables this step shares. */
  readonly shareStateWith?: CompiledStep | undefined;
}

/** Steps with forward, backward and update in one program, and a second program for the smaller last batch. */
export class WholeSteps implements Steps {
  readonly compiled: CompiledStep;
  readonly perCall: number;
  readonly #options: StepsOptions;
  readonly #sized = new Map<number, CompiledStep>();

  private constructor(options: StepsOptions, compiled: CompiledStep) {
    this.#options = options;
    this.compiled = compiled;
    this.perCall = options.engine.stepsPerCall ?? 1;
    this.#sized.set(options.batchSize, compiled);
  }

  static async create(options: StepsOptions): Promise<WholeSteps> {
    const { engine, program, batchSize } = options;
    return new WholeSteps(options, await engine.compile(program(batchSize), compileOptions(options)));
  }

  async take(given: readonly StepInput[], step: number): Promise<Readonly<Record<string, number>>[]> {
    const compiled = await this.#of(given[0]!.feeds['weights']!.length);
    const feeds = given.map((each) => fedTo(compiled, each.feeds));
    const results =
      feeds.length === 1 || compiled.runs === undefined
        ? await oneByOne(compiled, feeds, step)
        : await compiled.runs(feeds, step);
    return results.map(scalars);
  }

  memoryBytes(rest: number): number | undefined {
    const { memoryBytes: bytes } = this.compiled;
    return bytes === undefined ? undefined : bytes + ((bytes - SESSION_BYTES) * rest) / this.#options.batchSize;
  }

  async dispose(): Promise<void> {
    for (const step of this.#sized.values()) if (step !== this.compiled) await step.dispose();
    await this.compiled.dispose();
  }

  async #of(size: number): Promise<CompiledStep> {
    let compiled = this.#sized.get(size);
    if (compiled === undefined) {
      const { engine, program } = this.#options;
      const options = { ...compileOptions(this.#options), shareStateWith: this.compiled };
      compiled = await engine.compile(program(size), options);
      this.#sized.set(size, compiled);
    }
    return compiled;
  }
}

export function compileOptions({ randomKey, precision, shareStateWith }: StepsOptions): CompileOptions {
  return { precision, ...(randomKey && { randomKey }), ...(shareStateWith && { shareStateWith }) };
}

async function oneByOne(compiled: CompiledStep, feeds: readonly StepValues[], step: number): Promise<StepValues[]> {
  const results = [];
  // Results are valid only until the next call.
  for (const [i, each] of feeds.entries()) results.push(copied(await compiled.run(each, step + i)));
  return results;
}

function copied(results: StepValues): Record<string, TensorData> {
  return Object.fromEntries(Object.entries(results).map(([name, values]) => [name, values.slice()]));
}

export function scalars(results: StepValues): Record<string, number> {
  return Object.fromEntries(Object.entries(results).map(([name, values]) => [name, Number(values[0])]));
}
