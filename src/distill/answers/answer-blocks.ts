import { sha256 } from '../../base/bytes.ts';
import type { Safetensors } from '../../formats/safetensors.ts';
import { answerRoom, answersFile, answersTo, softTargetsKey } from './soft-targets.ts';
import type { StoreOptions } from './soft-targets.ts';

/** Most blocks of one view: with more, files would be many and small. */
const MOST_BLOCKS = 1024;

/** Some of the answers to one view of the samples. */
export interface AnswerBlock {
  readonly number: number;
  /** Rows answered before it, over all views. */
  readonly first: number;
  readonly count: number;
}

/** Answers cut into blocks, however many processes there are to give them. */
export interface AnswerPlan {
  /** Hash of the answers and of how they are cut: blocks of another plan do not fit together. */
  readonly key: string;
  /** Samples that the teacher is asked about at once. */
  readonly batchSize: number;
  readonly blocks: readonly AnswerBlock[];
}

/**
 * Blocks of whole batches, as one process would ask them one after another: a teacher's answer to a sample can differ in its last bit
 * with the size of the batch, so merged blocks are the bytes of one process only if the batches are the same.
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

/** Ask the teacher about the samples of a block. */
export async function answerBlock(
  options: StoreOptions,
  { key, batchSize }: AnswerPlan,
  { first, count }: AnswerBlock,
  seconds: () => number,
): Promise<Safetensors> {
  const { classes } = options.teacher;
  const data = answerRoom(options, count);
  for (let done = 0; done < count; done += batchSize)
    data.set(await answersTo(options, first + done, Math.min(batchSize, count - done)), done * classes);
  const dtype = options.store === 'fp16' ? 'float16' : 'float32';
  return {
    tensors: new Map([['logits', { dtype, shape: [count, classes], data }]]),
    metadata: { key, first: String(first), seconds: String(seconds()) },
  };
}

/** True for the block itself, and not for one of another plan or place. */
export function isBlock({ metadata }: Safetensors, { key }: AnswerPlan, { first }: AnswerBlock): boolean {
  return metadata['key'] === key && metadata['first'] === String(first);
}

/** Answers of all blocks in the order of a single process, whatever the order of the blocks; `seconds` is the sum over all blocks. */
export class BlockMerge {
  readonly #options: StoreOptions;
  readonly #values: Uint16Array | Float32Array;
  #seconds = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#values = answerRoom(options, options.views * options.dataset.count);
  }

  add({ first }: AnswerBlock, { tensors, metadata }: Safetensors): void {
    this.#values.set(tensors.get('logits')!.data as Float32Array, first * this.#options.teacher.classes);
    this.#seconds += Number(metadata['seconds']);
  }

  /** Answers of all blocks together; read it after the last one was added. */
  get whole(): Safetensors {
    const { dataset, views } = this.#options;
    const { tensors, metadata } = answersFile(this.#options, this.#values, {
      ...{ key: softTargetsKey(this.#options), done: views * dataset.count },
    });
    return { tensors, metadata: { ...metadata, seconds: String(this.#seconds) } };
  }
}
