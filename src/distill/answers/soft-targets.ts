import { bytesOf, fromHalf, sha256, toHalf } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { chanceOf, viewOf } from '../../data/batches/batches.ts';
import type { Chance } from '../../data/batches/batches.ts';
import type { AugmentStep } from '../../data/config.ts';
import { asTeacherSees, fingerprint, sampleId } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { BatchCut } from '../../data/batches/share.ts';
import { originalsOf } from '../../data/pictures/originals.ts';
import type { Safetensors } from '../../formats/safetensors.ts';
import { taskOf } from '../../tasks/registry.ts';
import { taskOfWidth } from '../../tasks/task.ts';
import { oneByOne } from '../../train/turns.ts';
import type { Turns } from '../../train/turns.ts';
import { otherOrder } from '../../files/class-order.ts';
import { namesIn } from '../../files/stated.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { readTop, topWidth, writeTop } from './top-answers.ts';

/** The part of a batch that its soft targets depend on. */
export interface Asked {
  /** [n] rows of the data set. */
  readonly ids: Int32Array;
  readonly x: Float32Array;
  readonly view?: number;
  readonly chance?: Chance;
}

/** The teacher's answers as feeds of a training step, stored or live. */
export interface SoftTargets {
  /** Number of elements of an answer. */
  readonly width: number;
  /** Division of a batch into the parts that processes ask about: a process needs no samples of other parts. Absent for stored answers. */
  readonly cut?: BatchCut;
  /** Starts to count the seconds that a live teacher takes in this process. Absent for stored answers. */
  timed?(): () => number;
  /** Adds the seconds that the teacher took for a training, over all processes and starts. */
  tookFor?(stage: string, seconds: number): void;
  answersFor(batch: Asked): Promise<Readonly<Record<string, Float32Array>>>;
}

export interface StoreOptions {
  readonly teacher: Teacher;
  readonly dataset: Dataset;
  readonly store: 'fp16' | 'fp32';
  /** Number of the largest logits that are stored of each answer. Default: all. */
  readonly top?: number | undefined;
  readonly views: number;
  readonly augment: readonly AugmentStep[];
  readonly seed: number;
}

/** Key of stored answers. Another teacher, preprocessing, data set, augmentation or number format has another key, and so another file. */
export function softTargetsKey({ teacher, dataset, store, top, views, augment, seed }: StoreOptions): string {
  const drawn = augment.length === 0 ? {} : { augment, seed, views };
  return sha256(
    JSON.stringify({
      version: 1,
      teacher: teacher.key,
      data: fingerprint(asTeacherSees(dataset)),
      store,
      top,
      ...drawn,
    }),
  );
}

/** Text that identifies the random views of samples: equal texts mean answers to the same pictures. */
export function drawnFrom(augment: readonly AugmentStep[], seed: number): string {
  return augment.length === 0 ? '' : JSON.stringify({ augment, seed });
}

/** The largest float16; values that round to more become infinite. */
const MOST_HALF = 65504;

/** Collects answers, sample after sample and view after view. `saved()` has all that a resume needs. */
export class SoftTargetsBuilder {
  readonly #options: StoreOptions;
  readonly #key: string;
  readonly #values: Uint16Array | Float32Array;
  /** Number of answered rows, over all views. */
  #done = 0;

  constructor(options: StoreOptions, resumed?: Safetensors) {
    this.#options = options;
    this.#key = softTargetsKey(options);
    this.#values = answerRoom(options, this.total);
    const values = resumed?.tensors.get(nameOfRows(options))?.data;
    if (resumed?.metadata['key'] !== this.#key || values === undefined) return;
    this.#done = Number(resumed.metadata['done']);
    this.#values.set(values as Float32Array);
  }

  get done(): number {
    return this.#done;
  }

  get total(): number {
    return this.#options.dataset.count * this.#options.views;
  }

  /**
   * Stores the teacher's answers to the next samples, `count` at most of each turn: several processes ask about `count` samples each and store all
   * answers, in the same batches as a single process.
   */
  async next(count: number, turns: Turns = oneByOne): Promise<void> {
    const { dataset } = this.#options;
    const batches: { readonly first: number; readonly n: number }[] = [];
    let next = this.#done;
    while (batches.length < turns.size && next < this.total) {
      const n = Math.min(count, dataset.count - (next % dataset.count));
      batches.push({ first: next, n });
      next += n;
    }
    // The bytes travel as floats.
    const numbers = rowWidth(this.#options);
    const width = Math.ceil((count * numbers * this.#values.BYTES_PER_ELEMENT) / 4);
    const all = await turns.inTurns({ count: batches.length, width }, async (item) => {
      const { first, n } = batches[item]!;
      const floats = new Float32Array(width);
      new Uint8Array(floats.buffer).set(bytesOf(await answersTo(this.#options, first, n)));
      return floats;
    });
    const Values = this.#values.constructor as Float32ArrayConstructor;
    for (const [item, { first, n }] of batches.entries())
      this.#values.set(new Values(all.buffer, 4 * width * item, n * numbers), first * numbers);
    this.#done = next;
  }

  /** All answers, or those so far: a state that is saved early is small. */
  saved(): Safetensors {
    const values = this.#values.subarray(0, this.#done * rowWidth(this.#options));
    return answersFile(this.#options, values, { key: this.#key, done: this.#done });
  }
}

/** Array for the answers to `rows` rows. */
export function answerRoom(options: StoreOptions, rows: number): Uint16Array | Float32Array {
  const count = rows * rowWidth(options);
  return options.store === 'fp16' ? new Uint16Array(count) : new Float32Array(count);
}

/** Numbers that are stored of an answer. */
export function rowWidth({ teacher, top }: StoreOptions): number {
  return top === undefined ? teacher.classes : topWidth(top);
}

/** Bytes of the answers to all rows. */
export function bytesOfAnswers(options: StoreOptions): number {
  return options.views * options.dataset.count * rowWidth(options) * (options.store === 'fp16' ? 2 : 4);
}

/** Name of the tensor of a store: rows of the largest logits are no rows of logits. */
export function nameOfRows({ top }: Pick<StoreOptions, 'top'>): 'logits' | 'top' {
  return top === undefined ? 'logits' : 'top';
}

/**
 * The teacher's answers to `count` rows of one view, [count, `rowWidth`] in the number format of the store. `first` is `view * samples + row`.
 * `UserError` for an answer that is not finite or exceeds the format.
 */
export async function answersTo(
  options: StoreOptions,
  first: number,
  count: number,
): Promise<Uint16Array | Float32Array> {
  const { teacher, dataset, augment, seed, store, top } = options;
  const view = Math.floor(first / dataset.count);
  const row = first % dataset.count;
  const rows = Int32Array.from({ length: count }, (_, i) => row + i);
  const drawn = { seed, view, augment };
  const original = originalsOf(dataset, rows, chanceOf(drawn));
  const { logits } = await teacher.answer(viewOf(asTeacherSees(dataset), rows, drawn), count, original);
  const values = answerRoom(options, count);
  const sampleOf = (i: number): string => sampleId(dataset, row + Math.floor(i / teacher.classes));
  for (let i = 0; i < logits.length; i++) {
    if (!Number.isFinite(logits[i]!)) throw notFinite(teacher, sampleOf(i));
    if (store === 'fp16' && Math.abs(logits[i]!) > MOST_HALF) throw tooLarge(teacher, sampleOf(i), logits[i]!);
    if (top === undefined) values[i] = store === 'fp16' ? toHalf(logits[i]!) : logits[i]!;
  }
  const width = rowWidth(options);
  for (let i = 0; top !== undefined && i < count; i++) {
    const answer = logits.subarray(i * teacher.classes, (i + 1) * teacher.classes);
    writeTop(answer, top, values.subarray(i * width, (i + 1) * width));
  }
  return values;
}

/** File content of the answers, of which the first `done` rows are complete. */
export function answersFile(
  options: StoreOptions,
  data: Uint16Array | Float32Array,
  { key, done }: { readonly key: string; readonly done: number },
): Safetensors {
  const { dataset, views, teacher, store, top, augment, seed } = options;
  const dtype = store === 'fp16' ? 'float16' : 'float32';
  const rows = done === views * dataset.count ? [views, dataset.count] : [done];
  return {
    tensors: new Map([
      [nameOfRows(options), { dtype, shape: [...rows, rowWidth(options)], data }],
      ['ids', { dtype: 'int32', shape: [dataset.count], data: dataset.ids }],
    ]),
    metadata: {
      key,
      done: String(done),
      idPrefix: dataset.idPrefix,
      names: JSON.stringify(dataset.classNames),
      ...(top !== undefined && { classes: String(teacher.classes) }),
      drawn: drawnFrom(augment, seed),
    },
  };
}

/** Stored answers, found by sample id rather than by position. */
export class StoredSoftTargets implements SoftTargets {
  readonly #dataset: Dataset;
  readonly #classes: number;
  /** Number of the largest logits of each answer, where the store has no others. */
  readonly #top: number | undefined;
  /** Stored numbers of an answer. */
  readonly #width: number;
  readonly #count: number;
  readonly #views: number;
  readonly #values: Uint16Array | Float32Array;
  /** Row of the store by sample id. */
  readonly #position = new Map<number, number>();

  /** `source`: name of the store in messages. */
  constructor({ tensors, metadata }: Safetensors, dataset: Dataset, source: string) {
    const logits = tensors.get('logits') ?? tensors.get('top');
    const ids = tensors.get('ids');
    if (logits?.shape.length === 2 && metadata['done'] !== undefined) {
      throw new UserError(
        `${source}: holds the first ${metadata['done']} answers of a run that has not collected all of them`,
        'Let the run that writes it finish.',
      );
    }
    if (logits?.shape.length !== 3 || ids === undefined) {
      throw new UserError(
        `${source}: expected the tensors logits [views, samples, classes] and ids [samples], received ${[...tensors.keys()].join(', ') || 'none'}`,
        'Use a soft-target file that Limbeck has written.',
      );
    }
    const prefix = metadata['idPrefix'];
    if (prefix !== undefined && prefix !== dataset.idPrefix) {
      throw new UserError(
        `${source}: holds answers for the split ${prefix}, received samples of ${dataset.idPrefix}`,
        'Use the soft targets of the same split.',
      );
    }
    [this.#views, this.#count, this.#width] = logits.shape as [number, number, number];
    this.#top = tensors.has('top') ? (this.#width - 1) / 2 : undefined;
    this.#classes = this.#top === undefined ? this.#width : Number(metadata['classes']);
    this.#dataset = dataset;
    this.#values = logits.data as Uint16Array | Float32Array;
    ids.data.forEach((id: number | bigint, i: number) => this.#position.set(Number(id), i));
    const missing = dataset.ids.find((id) => !this.#position.has(id));
    if (missing !== undefined) {
      throw new UserError(
        `${source}: no answer for sample ${dataset.idPrefix}/${missing}`,
        'The store belongs to another data set or split; let the teacher answer again.',
      );
    }
    const { width } = taskOfWidth(taskOf(dataset), this.#classes);
    if (this.#classes !== width) {
      throw new UserError(
        `${source}: answers for ${this.#classes} classes, the data set has ${width}`,
        'The store belongs to another data set; let the teacher answer again.',
      );
    }
    const order = otherOrder(source, namesIn(new Map(Object.entries(metadata)), 'names'), dataset.classNames);
    if (order === undefined) return;
    throw new UserError(
      `${source}: answers for ${order.join(', ')} in this order, and the data set has ${dataset.classNames.join(', ')}`,
      'Name them in the order of the run that wrote it, as `dataset.classes` or `dataset.label`, or let the teacher answer again.',
    );
  }

  get width(): number {
    return this.#classes;
  }

  get views(): number {
    return this.#views;
  }

  async answersFor({ ids, view = 0 }: Asked): Promise<Record<string, Float32Array>> {
    const classes = this.#classes;
    const out = new Float32Array(ids.length * classes);
    for (let i = 0; i < ids.length; i++) {
      const at = this.#position.get(this.#dataset.ids[ids[i]!]!)!;
      const from = ((view % this.#views) * this.#count + at) * this.#width;
      if (this.#top !== undefined) {
        const row = this.#values.subarray(from, from + this.#width);
        readTop(row, this.#top, out.subarray(i * classes, (i + 1) * classes));
        continue;
      }
      for (let c = 0; c < classes; c++) {
        const value = this.#values[from + c]!;
        out[i * classes + c] = this.#values instanceof Uint16Array ? fromHalf(value) : value;
      }
    }
    return Promise.resolve({ teacherLogits: out });
  }
}

export function notFinite(teacher: Teacher, sample: string): UserError {
  return new UserError(
    `${teacher.name}: its answer to sample ${sample} is not finite`,
    'Check its normalization (`teacher.normalize`), and whether its weights hold NaN.',
  );
}

function tooLarge(teacher: Teacher, sample: string, value: number): UserError {
  return new UserError(
    `${teacher.name}: its answer to sample ${sample} holds ${value.toPrecision(4)}, more than float16 can (${MOST_HALF})`,
    'Set distill.softTargets.store to fp32, and check its normalization (`teacher.normalize`): logits are rarely beyond 100.',
  );
}

/** Files that are kept under a key and outlive the run that made them. */
export interface KeyedStore {
  load(key: string): Promise<Safetensors | undefined>;
  /** @throws UserError if the disk has less room than this number of bytes */
  refuseWithoutRoom?(bytes: number): Promise<void>;
  save(key: string, content: Safetensors): Promise<void>;
}
