import { staticSize } from '../../graph/shapes.ts';
import type { TensorType } from '../../graph/types.ts';
import { divisibleStep } from '../../runtime/divisible-step.ts';
import type { CompiledStep, CompileOptions, Engine } from '../../runtime/engine.ts';
import { RANDOM_PREFIX } from '../../trace/random.ts';
import { traceProgram } from '../../trace/trace.ts';
import type { StepProgram } from '../../trace/program.ts';
import type { Task } from '../../tasks/task.ts';
import { batchFeeds, fedTo, samplesInBatch } from './batch.ts';
import type { BatchPart } from '../parallel/cut.ts';
import type { StepValues } from './steps.ts';

/** The parts of a batch that this process computes, and the number of all parts. */
export interface OwnParts {
  readonly own: readonly BatchPart[];
  readonly count: number;
  /** Number of parts of a process; the last processes may have fewer. */
  readonly each: number;
}

/** Gradients of the parts of a batch. */
export interface BatchPartGradients {
  /** A compiled program with the variables that the gradients depend on. */
  readonly holder: CompiledStep;
  readonly outputs: ReadonlyMap<string, TensorType>;
  /** Names of the variables that the programs read. */
  readonly variables: ReadonlySet<string>;
  /** Estimated bytes of the programs for the largest part; undefined if the engine gives no estimate. */
  readonly memoryBytes: number | undefined;
  /** Results of this process' parts, one after another; each is valid until the next is requested. */
  of(parts: OwnParts, feeds: StepValues, step: number): AsyncIterable<StepValues>;
  /** Sets the memory for the results of each part, for a process with a single part of each batch. */
  placeResults?(places: Readonly<Record<string, Float32Array>>): void;
  dispose(): Promise<void>;
}

export interface GradientsOptions {
  readonly engine: Engine;
  readonly task: Task;
  readonly program: (samples: number) => StepProgram;
  /** Samples of the largest part. */
  readonly largest: number;
  readonly compile: CompileOptions;
}

/** The usual gradients: each part is one call, independent of the others. */
export class PartGradients implements BatchPartGradients {
  readonly holder: CompiledStep;
  readonly #options: GradientsOptions;
  readonly #sized = new Map<number, CompiledStep>();
  #places: Readonly<Record<string, Float32Array>> = {};

  private constructor(options: GradientsOptions, holder: CompiledStep) {
    this.#options = options;
    this.holder = holder;
    this.#sized.set(options.largest, holder);
  }

  static async create(given: GradientsOptions): Promise<PartGradients> {
    const options = withRandoms(given);
    const { engine, program, largest, compile } = options;
    return new PartGradients(options, await engine.compile(program(largest), compile));
  }

  get outputs(): ReadonlyMap<string, TensorType> {
    return this.holder.outputs;
  }

  get variables(): ReadonlySet<string> {
    return divisibleStep(this.holder)?.variables ?? new Set();
  }

  get memoryBytes(): number | undefined {
    return this.holder.memoryBytes;
  }

  placeResults(places: Readonly<Record<string, Float32Array>>): void {
    this.#places = places;
    for (const step of this.#sized.values()) divisibleStep(step)?.placeResults(places);
  }

  async *of({ own }: OwnParts, feeds: StepValues, step: number): AsyncGenerator<StepValues> {
    const { task } = this.#options;
    for (const part of own) {
      const compiled = await this.#for(samplesInBatch(part.batch, task));
      yield compiled.run(fedTo(compiled, feedsOfPart(part, feeds, task, step)), step, part.first);
    }
  }

  async dispose(): Promise<void> {
    for (const step of this.#sized.values()) if (step !== this.holder) await step.dispose();
    await this.holder.dispose();
  }

  async #for(size: number): Promise<CompiledStep> {
    let compiled = this.#sized.get(size);
    if (compiled === undefined) {
      const { engine, program, compile } = this.#options;
      compiled = await engine.compile(program(size), { ...compile, shareStateWith: this.holder });
      divisibleStep(compiled)?.placeResults(this.#places);
      this.#sized.set(size, compiled);
    }
    return compiled;
  }
}

/** All feeds of a part. */
export function feedsOfPart(part: BatchPart, feeds: StepValues, task: Task, step: number): StepValues {
  const own = batchFeeds(part.batch, task, `step ${step + 1}`);
  return { ...feeds, ...own, share: Float32Array.of(part.share), samples: Float32Array.of(part.samples) };
}

/** Adds to the options how many elements of each random feed belong to a sample: the difference between its sizes for two samples and for one. */
export function withRandoms(options: GradientsOptions): GradientsOptions {
  const [one, two] = [1, 2].map((samples) => {
    const inputs = [...traceProgram(options.program(samples)).inputs].filter(([name]) =>
      name.startsWith(RANDOM_PREFIX),
    );
    return new Map(inputs.map(([name, { shape }]) => [name, staticSize(shape)]));
  }) as [Map<string, number>, Map<string, number>];
  const randomsPerSample = new Map([...one].map(([name, size]) => [name, two.get(name)! - size]));
  return { ...options, compile: { ...options.compile, randomsPerSample } };
}
