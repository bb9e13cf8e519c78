import { bytesOfSample } from './answer-size.ts';
import { CostLine } from './batch/cost.ts';
import type { BatchingOptions } from './batch/policy.ts';
import { RequestQueue } from './batch/queue.ts';
import { Statistics } from './statistics.ts';
import type { ModelLimits } from './limits.ts';
import type { ModelFacts } from '../measure/batching/facts.ts';
import type { WeightFacts } from './weights.ts';

/** The one version that each model has. */
export const MODEL_VERSION = '1';

/** A model that is being served. */
export interface ServedModel {
  readonly name: string;
  /** Key that workers know it by; each loading gets a new one. */
  readonly key: string;
  readonly facts: ModelFacts;
  readonly options: BatchingOptions;
  readonly limits: ModelLimits;
  /** Most samples of a call: 1 where requests are not put together. */
  readonly maxBatch: number;
  readonly queue: RequestQueue;
  readonly cost: CostLine;
  readonly statistics: Statistics;
  /** Metadata of the file: labels, preparation. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly sha256: string;
  /** The file that it was read from. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly weights: WeightFacts;
}

/** What a request is read by: plain data, which other processes can be given. */
export type AskedModel = Pick<ServedModel, 'name' | 'key' | 'facts' | 'options' | 'limits' | 'file'>;

export interface ModelSetup {
  readonly name: string;
  readonly key: string;
  readonly facts: ModelFacts;
  readonly options: BatchingOptions;
  readonly limits: ModelLimits;
  readonly metadata: ReadonlyMap<string, string>;
  readonly sha256: string;
  /** The file that it was read from. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly weights: WeightFacts;
}

/** `before`: the same model as it was loaded last; its requests and its counts go on. */
export function servedModel(setup: ModelSetup, before?: ServedModel): ServedModel {
  const { facts, options } = setup;
  const cost = new CostLine();
  for (const [samples, ms] of facts.cost) cost.add(samples, ms);
  const joins = facts.batching.kind !== 'whole' && (!options.exact || facts.exact !== false);
  return {
    ...setup,
    maxBatch: joins ? mostTogether(options.maxBatch, setup) : 1,
    queue: before?.queue ?? new RequestQueue(options.priorityLevels),
    cost,
    statistics: before?.statistics ?? new Statistics(),
  };
}

/** Samples of a call whose answers together are within the limit of one. */
function mostTogether(most: number, { facts, limits }: Pick<ModelSetup, 'facts' | 'limits'>): number {
  return Math.max(1, Math.min(most, Math.floor(limits.bytes / bytesOfSample(facts))));
}

/** True if clients see a batch as the first size of its tensors. */
export function takesBatches({ facts }: Pick<ServedModel, 'facts'>): boolean {
  return facts.batching.kind !== 'whole';
}

/** Name of the output that has a number for each class of each sample. */
export function classesOutput({ facts }: Pick<ServedModel, 'facts'>): string | undefined {
  return facts.outputs.find(({ shape, dtype }) => shape.length === 2 && dtype === 'float32')?.name;
}
