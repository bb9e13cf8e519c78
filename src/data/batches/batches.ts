import { RandomStream } from '../../base/random.ts';
import { createAugmenter } from '../augment/augment.ts';
import { createMixer } from '../augment/mix.ts';
import type { Mix } from '../augment/mixup.ts';
import type { AugmentStep } from '../config.ts';
import { countOfElements } from '../dataset.ts';
import type { Dataset, InputPart, TargetValues } from '../dataset.ts';
import { sampleWriter } from './samples.ts';
import { neededOf } from './share.ts';
import type { Share } from './share.ts';
import { targetsOf } from '../targets/registry.ts';

export interface BatchOptions {
  readonly batchSize: number;
  readonly seed: number;
  readonly epoch: number;
  /** Default true; false: in the order of the data set. */
  readonly shuffle?: boolean | undefined;
  /** Default: none. Evaluation wants none. */
  readonly augment?: readonly AugmentStep[] | undefined;
  /** Draw the augmentation from this many fixed views instead of anew: epoch e sees view e mod views, see `viewOf`. */
  readonly views?: number | undefined;
  /** Seed of the fixed views, if it is not `seed`: runs that differ in their order can see the same views. */
  readonly viewSeed?: number | undefined;
  /** First batch to give, e.g. after a resume: the batches from here on equal those of a whole epoch. Default 0. */
  readonly startBatch?: number | undefined;
  /** [classes]; fills `weights`. */
  readonly classWeights?: Float32Array | undefined;
  /** Samples of each batch that one of several processes needs; `x` holds NaN in place of the others, which are not read. Default: all. */
  readonly share?: Share | undefined;
  /** Use one `x` for all batches: each is then valid only until the next is asked for. Default false. */
  readonly reuse?: boolean | undefined;
}

/** All that the random changes of samples depend on, beside their ids. */
export interface Chance {
  readonly augment: readonly AugmentStep[];
  readonly seed: number;
  readonly key: readonly ['epoch' | 'view', number];
  /** Seed and epoch that mixing draws from; absent where samples are not mixed. */
  readonly mix?: { readonly seed: number; readonly epoch: number; readonly index: number };
}

export interface Batch {
  /** Position in the epoch. */
  readonly index: number;
  /** [n] rows of the data set; `dataset.ids[row]` and `sampleId(dataset, row)` name the sample. */
  readonly ids: Int32Array;
  /** [n, ...sampleShape] normalized and augmented; NaN for samples that are not in the share that was asked for. */
  readonly x: Float32Array;
  /** The shape of `x`. */
  readonly shape: readonly number[];
  /** Parts of `x` that belong to each input, for a model with several. */
  readonly inputs?: readonly InputPart[];
  /** [n] class indexes; of regression [n, numbers]. */
  readonly targets: TargetValues;
  /** [n] weight of each sample in the loss. */
  readonly weights?: Float32Array;
  /** [n] 1 where a sample has a label, of a mixed one where both have; absent where all have. */
  readonly labelled?: Float32Array;
  readonly mix?: Mix;
  /** Number of the fixed view that this batch shows. */
  readonly view?: number;
  /** Random changes that its samples were given. */
  readonly chance: Chance;
}

/** Batches in an epoch, the last, smaller one included. */
export function batchCount(samples: number, batchSize: number): number {
  return Math.ceil(samples / batchSize);
}

/** The batches of one epoch. Their order and content depend on the data set, `seed` and `epoch` alone. */
export function* batches(dataset: Dataset, options: BatchOptions): Generator<Batch, void, undefined> {
  const make = batchMaker(dataset, options);
  const count = batchCount(dataset.count, options.batchSize);
  const size = countOfElements(dataset.sampleShape) * Math.min(options.batchSize, dataset.count);
  const buffer = options.reuse === true ? new Float32Array(size) : undefined;
  for (let index = options.startBatch ?? 0; index < count; index++) yield make(index, buffer);
}

/**
 * Batches of step `from` up to step `to` of a training that goes through its samples pass after pass, whatever the epochs are called by
 * which it is validated: a twin that learns from few samples takes as many steps as the student that learns from many.
 */
export async function* passesOf(
  { from, to }: { readonly from: number; readonly to: number },
  perPass: number,
  pass: (index: number, startBatch: number) => AsyncIterable<Batch>,
): AsyncGenerator<Batch, void, undefined> {
  for (let step = from; step < to;) {
    const left = to - step;
    let taken = 0;
    for await (const batch of pass(Math.floor(step / perPass), step % perPass)) {
      yield batch;
      if (++taken === left) break;
    }
    if (taken === 0) return;
    step += taken;
  }
}

/** The samples of a data set in their order and as they are, in batches. */
export function plainBatches(dataset: Dataset, size: number) {
  const batch = batchMaker(dataset, { batchSize: size, seed: 0, epoch: 0, shuffle: false });
  return { count: batchCount(dataset.count, size), size: Math.min(size, dataset.count), batch };
}

/** Maker of any batch of an epoch, in any order; so workers can share the work and a resumed run can start anywhere. */
export function batchMaker(dataset: Dataset, options: BatchOptions): (index: number, buffer?: Float32Array) => Batch {
  const { seed, epoch, batchSize, classWeights, augment = [], views, share } = options;
  const order =
    options.shuffle === false ? undefined : new RandomStream(seed, 'order', epoch).permutation(dataset.count);
  const view = views === undefined || augment.length === 0 ? undefined : epoch % views;
  const chance: Chance =
    view === undefined
      ? { augment, seed, key: ['epoch', epoch] }
      : { augment, seed: options.viewSeed ?? seed, key: ['view', view] };
  const write = augmentedWriter(dataset, chance);
  const mixer = createMixer(augment, dataset.sampleShape, seed, epoch);
  const size = countOfElements(dataset.sampleShape);

  return (index, buffer) => {
    const start = index * batchSize;
    const n = Math.min(batchSize, dataset.count - start);
    const ids = new Int32Array(n);
    const x = buffer === undefined ? new Float32Array(n * size) : buffer.subarray(0, n * size);
    for (let i = 0; i < n; i++) ids[i] = order === undefined ? start + i : order[start + i]!;
    const mixing = mixer?.(n, index);
    const mix = mixing?.mix;
    const needed = neededOf(n, share, mix?.partners);
    // A sample that was not read makes NaN of all that uses it, so the mistake shows.
    if (needed.length < n) x.fill(NaN);
    for (const i of needed) write(ids[i]!, x, i * size);
    mixing?.apply(x);
    const targets = targetsOf(dataset, ids);
    const labelled = dataset.labelled && labelledIn(dataset.labelled, ids, mix);
    return {
      index,
      ids,
      x,
      shape: [n, ...dataset.sampleShape],
      targets,
      ...(classWeights && {
        weights: sampleWeights(
          targets as Int32Array,
          classWeights,
          mix,
          dataset.labelled && ids.map((row) => dataset.labelled![row]!),
        ),
      }),
      ...(labelled && { labelled }),
      ...(mix && { mix }),
      ...(dataset.inputs && { inputs: dataset.inputs }),
      ...(view !== undefined && { view }),
      chance: mix === undefined ? chance : { ...chance, mix: { seed, epoch, index } },
    };
  };
}

/**
 * View `view` of the samples `rows`, [rows, ...sampleShape]: what `batches` gives for them in every epoch e with
 * e mod views = view, mixed samples aside. A teacher's answer to a view can so be stored once, under the sample's id and the view.
 */
export function viewOf(dataset: Dataset, rows: ArrayLike<number>, view: View): Float32Array {
  const size = countOfElements(dataset.sampleShape);
  const write = augmentedWriter(dataset, chanceOf(view));
  const out = new Float32Array(rows.length * size);
  for (let i = 0; i < rows.length; i++) write(rows[i]!, out, i * size);
  return out;
}

export interface View {
  readonly seed: number;
  readonly view: number;
  readonly augment: readonly AugmentStep[];
}

/** Samples as they are. */
export const PLAIN: View = { seed: 0, view: 0, augment: [] };

export function chanceOf({ seed, view, augment }: View): Chance {
  return { augment, seed, key: ['view', view] };
}

/**
 * One key per epoch or view, one substream per sample id: a sample's chance does not depend on where it is in the order. `drawn`: the
 * shape that lengths are drawn in, if the samples have another: one picture at two sizes is changed alike.
 */
export function augmentedWriter(dataset: Dataset, { augment, seed, key }: Chance, drawn?: readonly number[]) {
  const plain = sampleWriter(dataset);
  const { sampleShape, normalization, backgrounds } = dataset;
  const apply = createAugmenter(augment, sampleShape, normalization, drawn, backgrounds);
  if (apply === undefined) return plain;
  const random = new RandomStream(seed, 'augment', dataset.idPrefix, ...key);
  const size = countOfElements(sampleShape);
  return (row: number, out: Float32Array, offset: number) => {
    plain(row, out, offset);
    apply(out.subarray(offset, offset + size), random.seek(dataset.ids[row]!));
  };
}

/** The mixing of a batch at another size. */
export function mixerOf(
  { sampleShape }: Pick<Dataset, 'sampleShape'>,
  { augment, mix }: Chance,
  drawn: readonly number[],
) {
  return mix && createMixer(augment, sampleShape, mix.seed, mix.epoch, drawn);
}

function labelledIn(labelled: Uint8Array, rows: Int32Array, mix: Mix | undefined): Float32Array {
  return Float32Array.from(rows, (row, i) => labelled[row]! & labelled[rows[mix?.partners[i] ?? i]!]!);
}

/** A sample without a label weighs 1, whichever class it may be of. */
function sampleWeights(
  labels: Int32Array,
  classWeights: Float32Array,
  mix: Mix | undefined,
  labelled: Int32Array | undefined,
): Float32Array {
  const own = Float32Array.from(labels, (label, i) => (labelled?.[i] === 0 ? 1 : classWeights[label]!));
  if (mix === undefined) return own;
  return own.map((weight, i) => mix.lambda[i]! * weight + (1 - mix.lambda[i]!) * own[mix.partners[i]!]!);
}
