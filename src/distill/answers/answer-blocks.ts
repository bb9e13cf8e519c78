import { sha256 } from '../../base/bytes.ts';
import type { Safetensors } from '../../formats/safetensors.ts';
import { answerRoom, answersFile, answersTo, rowWidth, softTargetsKey, nameOfRows } from './soft-targets.ts';
import type { StoreOptions } from './soft-targets.ts';

/** Maximum number of blocks per view: more would make many small files. */
const MOST_BLOCKS = 1024;

/** A block of the answers to one view of the samples. */
export interface AnswerBlock {
  readonly number: number;
  /** Number of rows before the block, over all views. */
  readonly first: number;
  readonly count: number;
}

/** Division of answers into blocks; it does not depend on the number of processes. */
export interface AnswerPlan {
  /** Hash of the answers and their division: blocks of different plans cannot be merged. */
  readonly key: string;
  /** Number of samples in a call of the teacher. */
  readonly batchSize: number;
  readonly blocks: readonly AnswerBlock[];
}

/**
 * Blocks of whole batches, as a single process would ask them: a teacher's answer to a sample can differ in its last bit with the size of the batch,
 * so merged blocks have the bytes of a single process only if the batches are the same.
 */
export function answerPlan(options: StoreOptions, batchSize: number, mostBlocks = MOST_BLOCKS): AnswerPlan {
  const { dataset, views } = options;
  const batches = Math.ceil(dataset.count / batchSize);
  const size = batchSize * Math.ceil(batches / mostBlocks);
  const blocks: AnswerBlock[] = [];
  for (let view = 0; view < views; view++)
    for (let first = 0; first < dataset.count; first += size)
      blocks.push({
        number: blocks.length,
        first: view * dataset.count + first,
        count: Math.min(size, dataset.count - first),
      });
  return { key: sha256(softTargetsKey(options), String(batchSize), String(size)), batchSize, blocks };
}

/** Asks the teacher about the samples of a block. */
export async function answerBlock(
  options: StoreOptions,
  { key, batchSize }: AnswerPlan,
  { first, count }: AnswerBlock,
  seconds: () => number,
): Promise<Safetensors> {
  const width = rowWidth(options);
  const data = answerRoom(options, count);
  for (let done = 0; done < count; done += batchSize)
    data.set(await answersTo(options, first + done, Math.min(batchSize, count - done)), done * width);
  const dtype = options.store === 'fp16' ? 'float16' : 'float32';
  return {
    tensors: new Map([[nameOfRows(options), { dtype, shape: [count, width], data }]]),
    metadata: { key, first: String(first), seconds: String(seconds()) },
  };
}

/** True if a file holds this block, not a block of another plan or position. */
export function isBlock({ metadata }: Safetensors, { key }: AnswerPlan, { first }: AnswerBlock): boolean {
  return metadata['key'] === key && metadata['first'] === String(first);
}

/** Merges the answers of all blocks, in any order, into the order of a single process; `seconds` is the sum over all blocks. */
export class BlockMerge {
  readonly #options: StoreOptions;
  readonly #values: Uint16Array | Float32Array;
  #seconds = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#values = answerRoom(options, options.views * options.dataset.count);
  }

  add({ first }: AnswerBlock, { tensors, metadata }: Safetensors): void {
    const { data } = tensors.get(nameOfRows(this.#options))!;
    this.#values.set(data as Float32Array, first * rowWidth(this.#options));
    this.#seconds += Number(metadata['seconds']);
  }

  /** All answers; valid after the last block was added. */
  get whole(): Safetensors {
    const { dataset, views } = this.#options;
    const { tensors, metadata } = answersFile(this.#options, this.#values, {
      key: softTargetsKey(this.#options),
      done: views * dataset.count,
    });
    return { tensors, metadata: { ...metadata, seconds: String(this.#seconds) } };
  }
}
