import { RandomStream } from '../../base/random.ts';
import type { Geometry } from '../augment/geometry.ts';
import { imageShape } from '../augment/image.ts';
import type { Mix } from '../augment/mixup.ts';
import { augmenterOf, mixerFor, mosaicFor } from '../augment/steps-of.ts';
import type { AugmentStep } from '../config.ts';
import { countOfElements } from '../dataset.ts';
import type { Dataset, InputPart, TargetValues } from '../dataset.ts';
import { sampleWriter } from './samples.ts';
import { neededOf } from './share.ts';
import type { Share } from './share.ts';
import { mosaicTargets, targetMover, targetsOf } from '../targets/registry.ts';

export interface BatchOptions {
  readonly batchSize: number;
  readonly seed: number;
  readonly epoch: number;
  /** Random order; false: the order of the data set. Default true. */
  readonly shuffle?: boolean | undefined;
  /** Augmentation. Default: none, as evaluations need. */
  readonly augment?: readonly AugmentStep[] | undefined;
  /** Number of fixed views: epoch e shows view e mod views instead of new random changes, see `viewOf`. */
  readonly views?: number | undefined;
  /** Seed of the fixed views. Default: `seed`. Runs with different orders can share their views. */
  readonly viewSeed?: number | undefined;
  /** Number of batches of the epoch to skip, for a resume in the middle of it. Default 0. */
  readonly startBatch?: number | undefined;
  /** [classes] weights of the classes, which become `weights` of samples. */
  readonly classWeights?: Float32Array | undefined;
  /** Samples of each batch that this process needs; the others are not read, and are NaN in `x`. Default: all. */
  readonly share?: Share | undefined;
  /** Reuse the memory of `x`: a batch is then valid only until the next is requested. Default false. */
  readonly reuse?: boolean | undefined;
}

/** Everything that the random changes of samples depend on, besides their ids. */
export interface Chance {
  readonly augment: readonly AugmentStep[];
  readonly seed: number;
  readonly key: readonly ['epoch' | 'view', number];
  /** Seed and epoch of the mixing; absent unless samples are mixed. */
  readonly mix?: { readonly seed: number; readonly epoch: number; readonly index: number };
}

export interface Batch {
  /** Number of the batch in the epoch. */
  readonly index: number;
  /** [n] rows of the data set; `dataset.ids[row]` and `sampleId(dataset, row)` identify the sample. */
  readonly ids: Int32Array;
  /** [n, ...sampleShape] normalized and augmented; NaN for samples outside of the requested share. */
  readonly x: Float32Array;
  /** The shape of `x`. */
  readonly shape: readonly number[];
  /** Slices of `x` for each input of a model with several inputs. */
  readonly inputs?: readonly InputPart[];
  /** [n] class indexes; for regression [n, numbers]; for segmentation [n, height · width], moved by augmentation as the pictures are. */
  readonly targets: TargetValues;
  /** [n] weight of each sample in the loss. */
  readonly weights?: Float32Array;
  /** [n] 1 for a sample with a label (a mixed sample: both have one), else 0; absent if all have one. */
  readonly labelled?: Float32Array;
  readonly mix?: Mix;
  /** Number of the fixed view in this batch. */
  readonly view?: number;
  /** Random changes of its samples. */
  readonly chance: Chance;
}

/** Number of batches in an epoch, including a smaller last one. */
export function batchCount(samples: number, batchSize: number): number {
  return Math.ceil(samples / batchSize);
}

/** The batches of one epoch. Order and content depend only on the data set, `seed` and `epoch`. */
export function* batches(dataset: Dataset, options: BatchOptions): Generator<Batch, void, undefined> {
  const make = batchMaker(dataset, options);
  const count = batchCount(dataset.count, options.batchSize);
  const size = countOfElements(dataset.sampleShape) * Math.min(options.batchSize, dataset.count);
  const buffer = options.reuse === true ? new Float32Array(size) : undefined;
  for (let index = options.startBatch ?? 0; index < count; index++) yield make(index, buffer);
}

/**
 * Batches of steps `from` to `to` of a training that makes complete passes over its samples, independent of its epochs (the intervals between
 * validations): a twin that learns from few samples takes as many steps as the student with many.
 */
export async function* passesOf(
  { from, to }: { readonly from: number; readonly to: number },
  perPass: number,
  pass: (index: number, startBatch: number) => AsyncIterable<Batch>,
): AsyncGenerator<Batch, void, undefined> {
  for (let step = from; step < to;) {
    const left = to - step;
    let yielded = 0;
    for await (const batch of pass(Math.floor(step / perPass), step % perPass)) {
      yield batch;
      if (++yielded === left) break;
    }
    if (yielded === 0) return;
    step += yielded;
  }
}

/** The samples of a data set in order and without augmentation, in batches. */
export function plainBatches(dataset: Dataset, size: number) {
  const batch = batchMaker(dataset, { batchSize: size, seed: 0, epoch: 0, shuffle: false });
  return { count: batchCount(dataset.count, size), size: Math.min(size, dataset.count), batch };
}

/** Makes the batches of an epoch in any order, so workers can share the work and a resumed run can start anywhere. */
export function batchMaker(dataset: Dataset, options: BatchOptions): (index: number, buffer?: Float32Array) => Batch {
  const { seed, epoch, batchSize, classWeights, augment = [], views, share } = options;
  const order = options.shuffle === false ? undefined : orderOf(dataset, new RandomStream(seed, 'order', epoch));
  const view = views === undefined || augment.length === 0 ? undefined : epoch % views;
  const chance: Chance =
    view === undefined
      ? { augment, seed, key: ['epoch', epoch] }
      : { augment, seed: options.viewSeed ?? seed, key: ['view', view] };
  const write = augmentedWriter(dataset, chance);
  const targetsIn = movedTargets(dataset, chance);
  const mixer = mixerFor(augment, dataset.sampleShape, seed, epoch);
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
    // NaN in samples that are not read makes a mistaken use of them visible.
    if (needed.length < n) x.fill(NaN);
    for (const i of needed) write(ids[i]!, x, i * size);
    mixing?.apply(x);
    const targets = targetsIn(ids);
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
 * A random order of the rows. With `perClass`, that many rows of a class, or of a pair, follow each other, or fewer where no more are left, so that a batch has
 * samples to compare. Rows without a label follow each other as well, and a shorter group of them comes last, where it parts no class into two batches.
 */
function orderOf(dataset: Dataset, random: RandomStream): Uint32Array {
  const { count, targets, labelled, vector } = dataset;
  const order = random.permutation(count);
  const perClass = vector?.perClass;
  const width = targets.length / count;
  if (perClass === undefined) return order;
  const groups: number[][] = [];
  const open = new Map<number, number[]>();
  for (const row of order) {
    const label = labelled?.[row] === 0 ? -1 : Math.max(-1, targets[row * width]!);
    let group = open.get(label);
    if (group === undefined || group.length === perClass) groups.push((group = []));
    group.push(row);
    open.set(label, group);
  }
  const last = open.get(-1) ?? [];
  return Uint32Array.from([...groups.filter((group) => group !== last), last].flat());
}

/**
 * View `view` of the samples `rows`, [rows, ...sampleShape]: the samples of `batches` in every epoch e with e mod views = view, before mixing. So the
 * teacher's answer to a view can be stored once, under the sample's id and the view.
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

/** The view without augmentation. */
export const PLAIN: View = { seed: 0, view: 0, augment: [] };

export function chanceOf({ seed, view, augment }: View): Chance {
  return { augment, seed, key: ['view', view] };
}

/**
 * Writes augmented samples. One random key per epoch or view, one substream per sample id: changes of a sample do not depend on its position in the
 * order. `drawn`: shape that lengths are drawn in, if not that of the samples, so that a picture is changed alike at two sizes.
 */
export function augmentedWriter(dataset: Dataset, chance: Chance, drawn?: readonly number[]) {
  const { augment, seed, key } = chance;
  const { sampleShape, normalization, backgrounds } = dataset;
  const shape = imageShape(sampleShape);
  const mosaic = mosaicFor(dataset, chance, shape);
  const alone = sampleWriter(dataset);
  const plain = mosaic === undefined ? alone : mosaic.writer(alone, mosaic.tiles, shape);
  const apply = augmenterOf(augment, sampleShape, normalization, drawn, backgrounds);
  if (apply === undefined) return plain;
  const random = randomOf(dataset, { seed, key });
  const size = countOfElements(sampleShape);
  return (row: number, out: Float32Array, offset: number) => {
    plain(row, out, offset);
    apply(out.subarray(offset, offset + size), random.seek(dataset.ids[row]!));
  };
}

/**
 * Targets of rows, at the places where the augmented samples show them. All samples of a batch count in its weight, so targets are also moved with
 * samples that this process does not read: their changes are drawn without a picture.
 */
function movedTargets(dataset: Dataset, chance: Chance): (rows: Int32Array) => TargetValues {
  const { augment, seed, key } = chance;
  const { sampleShape, normalization, backgrounds } = dataset;
  const move = targetMover(dataset);
  const apply = move && augmenterOf(augment, sampleShape, normalization, sampleShape, backgrounds);
  const size = imageShape(sampleShape);
  const mosaic = mosaicFor(dataset, chance, size);
  if (apply === undefined && mosaic === undefined) return (rows) => targetsOf(dataset, rows);
  const random = randomOf(dataset, { seed, key });
  return (rows) => {
    const geometries = Array.from(rows, (row) => {
      const maps: Geometry = [];
      apply?.(maps, random.seek(dataset.ids[row]!));
      return maps;
    });
    if (mosaic === undefined) return move!(targetsOf(dataset, rows), geometries, size);
    const shown = Array.from(
      rows,
      (row, i) =>
        mosaic.tiles(row)?.map((tile) => ({ row: tile.row, maps: [tile.map, ...geometries[i]!] })) ?? [
          { row, maps: geometries[i]! },
        ],
    );
    const all = shown.flat();
    const moved = move!(
      targetsOf(
        dataset,
        all.map(({ row }) => row),
      ),
      all.map(({ maps }) => maps),
      size,
    );
    return mosaicTargets(dataset).join(
      moved,
      shown.map((tiles) => tiles.length),
    );
  };
}

function randomOf({ idPrefix }: Dataset, { seed, key }: Pick<Chance, 'seed' | 'key'>): RandomStream {
  return new RandomStream(seed, 'augment', idPrefix, ...key);
}

/** Repeats the mixing of a batch on samples of another size. */
export function mixerOf(
  { sampleShape }: Pick<Dataset, 'sampleShape'>,
  { augment, mix }: Chance,
  drawn: readonly number[],
) {
  return mix && mixerFor(augment, sampleShape, mix.seed, mix.epoch, drawn);
}

function labelledIn(labelled: Uint8Array, rows: Int32Array, mix: Mix | undefined): Float32Array {
  return Float32Array.from(rows, (row, i) => labelled[row]! & labelled[rows[mix?.partners[i] ?? i]!]!);
}

/** Weights of samples by their classes; a sample without a label weighs 1. */
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
