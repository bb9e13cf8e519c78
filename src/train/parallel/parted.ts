import { orClose } from '../../base/closing.ts';
import { partsEach, batchPartSizes } from '../../data/batches/share.ts';
import type { BatchCut, Share } from '../../data/batches/share.ts';
import { SESSION_BYTES } from '../../graph/memory.ts';
import type { CompiledStep } from '../../runtime/engine.ts';
import type { StepProgram } from '../../trace/program.ts';
import type { Task } from '../../tasks/task.ts';
import { fedTo, samplesInBatch } from '../step/batch.ts';
import { partsOf } from './cut.ts';
import { MOVED, updateParts } from '../step/gradient.ts';
import { PartGradients } from '../step/gradients.ts';
import type { BatchPartGradients } from '../step/gradients.ts';
import { figuresOf, forUpdate, PartSum } from './part-sum.ts';
import { alone } from '../processes.ts';
import type { Sharing, StepSums } from '../processes.ts';
import { compileOptions } from '../step/steps.ts';
import { SyncedGradients } from './synced-gradients.ts';
import type { StepInput, StepParts, Steps, StepsOptions, Wishes } from '../step/steps.ts';

/** A step in two programs, see `gradient.ts`. */
export interface PartsOptions {
  readonly gradient: (samples: number) => StepProgram;
  readonly update: (parts: StepProgram['feeds']) => StepProgram;
  /** Maximum samples of a part. */
  readonly samples: number;
  /** Minimum number of parts of a batch, which several processes share. Default 1. */
  readonly shards?: number | undefined;
  /** The processes that share the parts. Default: this process alone. */
  readonly sharing?: Sharing | undefined;
  /** Batch norms normalize by the statistics of the whole batch. Default false: of the part. */
  readonly syncBatchNorm?: boolean | undefined;
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
  readonly #sharing: Sharing;
  readonly #sums: StepSums;

  private constructor(options: PartedOptions, gradients: BatchPartGradients, update: CompiledStep) {
    this.#options = options;
    this.#gradients = gradients;
    this.compiled = update;
    const { shards, sharing = alone } = options.parts;
    this.#sharing = sharing;
    this.#sums = sharing.sums({ update, read: gradients.variables, outputs: gradients.outputs });
    const { home } = this.#sums;
    this.#sum = new PartSum(shards === undefined ? 'one by one' : 'in pairs', home);
    if (partsEach(batchPartSizes(options.batchSize, cutOf(options.parts)).length, sharing.size) === 1)
      gradients.placeResults?.(home as Readonly<Record<string, Float32Array>>);
  }

  static async create(options: PartedOptions): Promise<PartedSteps> {
    const { engine, parts, task } = options;
    const { gradient: program, sharing = alone } = parts;
    const compile = compileOptions(options);
    const settings = { engine, task, program, largest: largest(options), compile };
    const { length: count } = batchPartSizes(options.batchSize, cutOf(parts));
    const gradients = parts.syncBatchNorm
      ? await SyncedGradients.create({ ...settings, sharing, parts: partsEach(count, sharing.size) })
      : await PartGradients.create(settings);
    const shared = { ...compile, shareStateWith: gradients.holder };
    const update = await orClose(
      () => engine.compile(parts.update(updateParts(gradients.outputs)), shared),
      () => gradients.dispose(),
    );
    return new PartedSteps(options, gradients, update);
  }

  get share(): Share | undefined {
    const { rank, size } = this.#sharing;
    return size === 1 ? undefined : { rank, size, cuts: [cutOf(this.#options.parts)] };
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
    const { size, rank } = this.#sharing;
    const each = partsEach(all.length, size);
    const portion = { own: all.slice(rank * each, (rank + 1) * each), count: all.length, each };
    for await (const result of this.#gradients.of(portion, feeds, step)) this.#sum.add(result);
    const count = Math.ceil(all.length / each);
    const sums = this.#sums.over(this.#sum.values, count);
    await this.compiled.run(fedTo(this.compiled, { ...feeds, ...forUpdate(sums) }), step);
    this.#sums.spread();
    return figuresOf(sums);
  }

  settle(): void {
    this.#sums.settle();
  }

  agreed(wishes: Wishes): Wishes {
    const [stop, save] = this.#sharing.agreed([wishes.stop, wishes.save]);
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
    this.#sums.dispose();
    await this.compiled.dispose();
    await this.#gradients.dispose();
  }
}

function largest({ batchSize, parts }: Pick<PartedOptions, 'batchSize' | 'parts'>): number {
  return batchPartSizes(batchSize, cutOf(parts))[0]!;
}

function cutOf({ samples: most, shards = 1 }: PartsOptions): BatchCut {
  return { shards, most };
}
