import { orClose } from '../../base/closing.ts';
import { partsEach, batchPartSizes } from '../../data/batches/share.ts';
import type { BatchCut, Share } from '../../data/batches/share.ts';
import { SESSION_BYTES } from '../../graph/memory.ts';
import { several, wanted } from '../../runtime/collectives/collectives.ts';
import type { Collectives } from '../../runtime/collectives/collectives.ts';
import type { CompiledStep } from '../../runtime/engine.ts';
import type { StepProgram } from '../../trace/program.ts';
import type { Task } from '../../tasks/task.ts';
import { fedTo, samplesInBatch } from '../step/batch.ts';
import { partsOf } from './cut.ts';
import { isGradient, MOVED, updateParts } from '../step/gradient.ts';
import { PartGradients } from '../step/gradients.ts';
import type { BatchPartGradients } from '../step/gradients.ts';
import { DividedUpdate } from './divided-update.ts';
import { Exchange } from './exchange.ts';
import { figuresOf, forUpdate, PartSum } from './part-sum.ts';
import { compileOptions } from '../step/steps.ts';
import { SyncedGradients } from './synced-gradients.ts';
import type { StepInput, StepParts, Steps, StepsOptions, StepValues, Wishes } from '../step/steps.ts';

/** A step in two programs, see `gradient.ts`. */
export interface PartsOptions {
  readonly gradient: (samples: number) => StepProgram;
  readonly update: (parts: StepProgram['feeds']) => StepProgram;
  /** Maximum samples of a part. */
  readonly samples: number;
  /** Minimum number of parts of a batch, which several processes share. Default 1. */
  readonly shards?: number | undefined;
  /** The processes that share the parts. Default: this process alone. */
  readonly together?: Collectives | undefined;
  /** Batch norms normalize by the statistics of the whole batch. Default false: of the part. */
  readonly syncBatchNorm?: boolean | undefined;
  /** Minimum number of weights for which the processes divide the update. Default: see `DividedUpdate`. */
  readonly leastDivided?: number | undefined;
}

export interface PartedOptions extends StepsOptions {
  readonly parts: PartsOptions;
  readonly task: Task;
}

/**
 * Steps whose batch is cut into parts that fit into memory: their gradients are added up, and one update follows. The result equals that of the whole
 * batch up to the rounding of sums, except for batch norms that normalize each part on its own.
 */
export class PartedSteps implements Steps {
  readonly compiled: CompiledStep;
  readonly perCall = 1;
  readonly #options: PartedOptions;
  readonly #gradients: BatchPartGradients;
  readonly #sum: PartSum;
  readonly #divided: DividedUpdate | undefined;
  /** Undefined for a single process. */
  readonly #exchange: Exchange | undefined;

  private constructor(options: PartedOptions, gradients: BatchPartGradients, update: CompiledStep) {
    this.#options = options;
    this.#gradients = gradients;
    this.compiled = update;
    const { shards, together, leastDivided: least } = options.parts;
    this.#divided = several(together)
      ? DividedUpdate.of({ update, read: gradients.variables, together, least })
      : undefined;
    const home = this.#divided?.home ?? (several(together) ? {} : homeIn(update));
    this.#sum = new PartSum(shards === undefined ? 'one by one' : 'in pairs', home);
    if (partsEach(batchPartSizes(options.batchSize, cutOf(options.parts)).length, together?.size ?? 1) === 1)
      gradients.placeResults?.(home as Readonly<Record<string, Float32Array>>);
    const outputs = new Map([...gradients.outputs].filter(([name]) => !(name in home)));
    this.#exchange = several(together) ? new Exchange({ outputs, together }) : undefined;
  }

  static async create(options: PartedOptions): Promise<PartedSteps> {
    const { engine, parts, task } = options;
    const { gradient: program, together } = parts;
    const compile = compileOptions(options);
    const settings = { engine, task, program, largest: largest(options), compile };
    const { length: count } = batchPartSizes(options.batchSize, cutOf(parts));
    const gradients = parts.syncBatchNorm
      ? await SyncedGradients.create({ ...settings, together, parts: partsEach(count, together?.size ?? 1) })
      : await PartGradients.create(settings);
    const shared = { ...compile, shareStateWith: gradients.holder };
    const update = await orClose(
      () => engine.compile(parts.update(updateParts(gradients.outputs)), shared),
      () => gradients.dispose(),
    );
    return new PartedSteps(options, gradients, update);
  }

  get share(): Share | undefined {
    const { parts } = this.#options;
    if (!several(parts.together)) return undefined;
    const { rank, size } = parts.together;
    return { rank, size, cuts: [cutOf(parts)] };
  }

  get parts(): StepParts {
    const { samples: most, syncBatchNorm } = this.#options.parts;
    const isMean = (name: string): boolean => name.startsWith(MOVED);
    const observesMeans = syncBatchNorm !== true && [...this.#gradients.outputs.keys()].some(isMean);
    return { most, samples: largest(this.#options), observesMeans };
  }

  async take(given: readonly StepInput[], step: number): Promise<Readonly<Record<string, number>>[]> {
    const figures = [];
    for (const [i, each] of given.entries()) figures.push(await this.#one(each, step + i));
    return figures;
  }

  async #one({ batch, feeds }: StepInput, step: number): Promise<Readonly<Record<string, number>>> {
    const { task, parts } = this.#options;
    this.#sum.clear();
    const all = partsOf(batch, batchPartSizes(samplesInBatch(batch, task), cutOf(parts)), task);
    const { together } = parts;
    const { size, rank } = together ?? { size: 1, rank: 0 };
    const each = partsEach(all.length, size);
    const portion = { own: all.slice(rank * each, (rank + 1) * each), count: all.length, each };
    for await (const result of this.#gradients.of(portion, feeds, step)) this.#sum.add(result);
    const count = Math.ceil(all.length / each);
    const sums = this.#summed(count);
    this.#divided?.sum(count);
    await this.compiled.run(fedTo(this.compiled, { ...feeds, ...forUpdate(sums) }), step);
    this.#divided?.spread();
    return figuresOf(sums);
  }

  settle(): void {
    this.#divided?.settle();
  }

  /**
   * Each process computes a power of two of the parts and adds them in pairs; then the sums of the processes are added in pairs: bit for bit the sum
   * of one process. `count`: number of processes with parts, if parts are fewer than processes.
   */
  #summed(count: number): StepValues {
    const ownSums = this.#sum.values;
    const { rank = 0 } = this.#options.parts.together ?? {};
    return this.#exchange?.sum(rank < count ? ownSums : undefined, count) ?? ownSums;
  }

  agreed(wishes: Wishes): Wishes {
    const [stop, save] = wanted([wishes.stop, wishes.save], this.#options.parts.together);
    return { stop, save };
  }

  memoryBytes(rest: number): number | undefined {
    const [gradient, update] = [this.#gradients.memoryBytes, this.compiled.memoryBytes];
    if (gradient === undefined || update === undefined) return undefined;
    const { batchSize, parts } = this.#options;
    const sizes = new Set([batchSize, rest].flatMap((samples) => batchPartSizes(samples, cutOf(parts))));
    const inParts = [...sizes].reduce((sum, size) => sum + size, 0);
    return update + SESSION_BYTES + ((gradient - SESSION_BYTES) * inParts) / largest(this.#options);
  }

  async dispose(): Promise<void> {
    this.#divided?.dispose();
    await this.compiled.dispose();
    await this.#gradients.dispose();
  }
}

function largest({ batchSize, parts }: Pick<PartedOptions, 'batchSize' | 'parts'>): number {
  return batchPartSizes(batchSize, cutOf(parts))[0]!;
}

/** Memory that the update reads gradients from: gradients that are added up in it need not be copied. */
function homeIn(update: CompiledStep): StepValues {
  const feeds = [...(update.divisible ?? [])].filter(([name]) => isGradient(name));
  update.divide?.(new Map(feeds.map(([name, { data }]) => [name, [{ from: 0, to: data.length }]])));
  return Object.fromEntries(feeds.map(([name, { data }]) => [name, data]));
}

function cutOf({ samples: most, shards = 1 }: PartsOptions): BatchCut {
  return { shards, most };
}
