import { staticSize } from '../graph/shapes.ts';
import type { Collectives } from '../runtime/collectives.ts';
import type { CompiledStep } from '../runtime/engine.ts';
import type { StepProgram } from '../trace/program.ts';
import { RANDOM_PREFIX } from '../trace/random.ts';
import { traceProgram } from '../trace/trace.ts';
import type { Task } from '../tasks/task.ts';
import { batchFeeds, fedTo, samplesOf } from './batch.ts';
import { evenSizes, partsOf } from './cut.ts';
import type { Part } from './cut.ts';
import { MOVED, updateParts } from './gradient.ts';
import { PartSum } from './part-sum.ts';
import { Slices } from './slices.ts';
import { compileOptions } from './steps.ts';
import type { Given, Steps, StepsOptions, Values } from './steps.ts';

/** A step in two programs, see `gradient.ts`. */
export interface PartsOptions {
  readonly gradient: (samples: number) => StepProgram;
  readonly update: (parts: StepProgram['feeds']) => StepProgram;
  /** Most samples of a part. */
  readonly samples: number;
  /** Least number of parts of a batch, which several processes share. Default 1. */
  readonly shards?: number | undefined;
  /** The processes that share the parts; default: this one alone. */
  readonly together?: Collectives | undefined;
}

export interface PartedOptions extends StepsOptions {
  readonly parts: PartsOptions;
  readonly task: Task;
}

/**
 * Steps whose batch is cut into parts that fit into memory, one after another: their gradients are added up, and one update follows.
 * The same result as of the whole batch up to the rounding of sums, but for batch norms, which normalize each part by itself.
 */
export class PartedSteps implements Steps {
  readonly compiled: CompiledStep;
  readonly perCall = 1;
  readonly #options: PartedOptions;
  readonly #gradient: CompiledStep;
  readonly #randomsPerSample: ReadonlyMap<string, number>;
  readonly #sized = new Map<number, CompiledStep>();
  readonly #sum = new PartSum();
  /** Where several processes share the work: this one's part of the sums, and arrays that are used again. */
  readonly #slice = new PartSum();
  readonly #rooms = new Map<string, Float32Array>();

  private constructor(
    options: PartedOptions,
    gradient: CompiledStep,
    update: CompiledStep,
    randomsPerSample: ReadonlyMap<string, number>,
  ) {
    this.#options = options;
    this.#gradient = gradient;
    this.compiled = update;
    this.#randomsPerSample = randomsPerSample;
    this.#sized.set(largest(options), gradient);
  }

  static async create(options: PartedOptions): Promise<PartedSteps> {
    const { engine, parts } = options;
    const randomsPerSample = randomsOf(parts.gradient);
    const common = compileOptions(options);
    const gradient = await engine.compile(parts.gradient(largest(options)), { ...common, randomsPerSample });
    const shared = { ...common, shareStateWith: gradient };
    const update = await engine.compile(parts.update(updateParts(gradient.outputs)), shared);
    return new PartedSteps(options, gradient, update, randomsPerSample);
  }

  /** Most samples of a part, as it was asked for. */
  get most(): number {
    return this.#options.parts.samples;
  }

  /** Samples of the largest part of a whole batch. */
  get samples(): number {
    return largest(this.#options);
  }

  /** True if the network observes means over each part, as batch norms do. */
  get observesMeans(): boolean {
    return [...this.#gradient.outputs.keys()].some((name) => name.startsWith(MOVED));
  }

  async take(given: readonly Given[], step: number): Promise<Readonly<Record<string, number>>[]> {
    const figures = [];
    for (const [i, each] of given.entries()) figures.push(await this.#one(each, step + i));
    return figures;
  }

  async #one({ batch, feeds }: Given, step: number): Promise<Readonly<Record<string, number>>> {
    const { task, parts } = this.#options;
    this.#sum.clear();
    const all = partsOf(batch, sizesOf(samplesOf(batch, task), parts), task);
    const { together } = parts;
    if (together === undefined || together.size === 1)
      for (const part of all) this.#sum.add(await this.#gradientOf(part, feeds, step));
    else await this.#shared(all, together, (part) => this.#gradientOf(part, feeds, step));
    await this.compiled.run(fedTo(this.compiled, { ...feeds, ...this.#sum.forUpdate }), step);
    return this.#sum.figures;
  }

  /**
   * Each process computes some of the parts, one after another, and adds up a slice of the results of all parts, in their order: the same
   * bits as one process alone. So each sends a result once, and adds up as much less as there are processes.
   */
  async #shared(
    parts: readonly Part[],
    together: Collectives,
    compute: (part: Part) => Promise<Values>,
  ): Promise<void> {
    const { rank, size } = together;
    const each = Math.ceil(parts.length / size);
    const slices = new Slices(this.#gradient.outputs, size);
    const { width } = slices;
    const own = this.#room('own', size * each * width);
    const flat = this.#room('flat', size * width);
    for (const [i, part] of parts.slice(rank * each, (rank + 1) * each).entries()) {
      slices.write(await compute(part), flat);
      for (let to = 0; to < size; to++) own.set(flat.subarray(to * width, (to + 1) * width), (to * each + i) * width);
    }
    const got = together.alltoall(own);
    this.#slice.clear();
    parts.forEach((_, i) => this.#slice.add(slices.read(got.subarray(i * width, (i + 1) * width), rank)));
    const sum = this.#room('sum', width);
    slices.write(this.#slice.values, sum, rank);
    this.#sum.add(slices.read(together.allgather(sum)));
  }

  #room(of: string, length: number): Float32Array {
    const known = this.#rooms.get(of);
    if (known?.length === length) return known;
    const room = new Float32Array(length);
    this.#rooms.set(of, room);
    return room;
  }

  agreed(wants: boolean): boolean {
    const { together } = this.#options.parts;
    return together === undefined ? wants : together.allreduce(Float32Array.of(wants ? 1 : 0))[0]! > 0;
  }

  async #gradientOf(part: Part, feeds: Given['feeds'], step: number) {
    const compiled = await this.#of(samplesOf(part.batch, this.#options.task));
    const own = batchFeeds(part.batch, this.#options.task, `step ${step + 1}`);
    const shares = { share: Float32Array.of(part.share), samples: Float32Array.of(part.samples) };
    return compiled.run(fedTo(compiled, { ...feeds, ...own, ...shares }), step, part.first);
  }

  memoryBytes(rest: number): number | undefined {
    const [gradient, update] = [this.#gradient.memoryBytes, this.compiled.memoryBytes];
    if (gradient === undefined || update === undefined) return undefined;
    const { batchSize, parts } = this.#options;
    const sizes = new Set([batchSize, rest].flatMap((samples) => sizesOf(samples, parts)));
    const inParts = [...sizes].reduce((sum, size) => sum + size, 0);
    return update + (gradient * inParts) / this.samples;
  }

  async dispose(): Promise<void> {
    for (const step of this.#sized.values()) if (step !== this.#gradient) await step.dispose();
    await this.compiled.dispose();
    await this.#gradient.dispose();
  }

  async #of(size: number): Promise<CompiledStep> {
    let compiled = this.#sized.get(size);
    if (compiled === undefined) {
      const { engine, parts } = this.#options;
      const randoms = { randomsPerSample: this.#randomsPerSample };
      const options = { shareStateWith: this.#gradient, ...compileOptions(this.#options), ...randoms };
      compiled = await engine.compile(parts.gradient(size), options);
      this.#sized.set(size, compiled);
    }
    return compiled;
  }
}

function largest({ batchSize, parts }: Pick<PartedOptions, 'batchSize' | 'parts'>): number {
  return sizesOf(batchSize, parts)[0]!;
}

/** Each shard is cut into as few parts as there can be of at most `most` samples. */
function sizesOf(samples: number, { samples: most, shards = 1 }: PartsOptions): number[] {
  const shard = Math.ceil(samples / Math.min(shards, samples));
  return evenSizes(samples, Math.min(shards, samples) * Math.ceil(shard / most));
}

/** Numbers of each random feed that belong to one sample: those that it has more for two samples than for one. */
function randomsOf(program: PartsOptions['gradient']): Map<string, number> {
  const [one, two] = [1, 2].map((samples) => {
    const inputs = [...traceProgram(program(samples)).inputs].filter(([name]) => name.startsWith(RANDOM_PREFIX));
    return new Map(inputs.map(([name, { shape }]) => [name, staticSize(shape)]));
  }) as [Map<string, number>, Map<string, number>];
  return new Map([...one].map(([name, size]) => [name, two.get(name)! - size]));
}
