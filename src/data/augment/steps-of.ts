import { OnDemand } from '../../base/on-demand.ts';
import type { AugmentStep } from '../config.ts';
import type { Dataset } from '../dataset.ts';
import type { createAugmenter, Augmenter } from './augment.ts';
import { mixesBatch } from './kinds.ts';
import type { createMixer, Mixer } from './mix.ts';
import type { ImageShape } from './image.ts';

const SINGLE = new OnDemand('augmentation of samples', () => import('./augment.ts'));
const MIXES = new OnDemand('augmentation that mixes samples', () => import('./mix.ts'));
const MOSAIC = new OnDemand('mosaics', () => import('./mosaic.ts'));

/** Loads the code of augmentation steps, which the functions below then call. Without steps nothing is loaded. */
export async function loadAugmentation(steps: readonly AugmentStep[] = []): Promise<void> {
  if (steps.some((step) => 'mosaic' in step)) await MOSAIC.load();
  if (steps.some(mixesBatch)) await MIXES.load();
  if (steps.length > 0) await SINGLE.load();
}

/** See `createAugmenter`; undefined without steps. */
export function augmenterOf(...given: Parameters<typeof createAugmenter>): Augmenter | undefined {
  return given[0].length === 0 ? undefined : SINGLE.module.createAugmenter(...given);
}

/** See `createMixer`; undefined without steps that mix samples of a batch. */
export function mixerFor(...given: Parameters<typeof createMixer>): Mixer | undefined {
  return given[0].some(mixesBatch) ? MIXES.module.createMixer(...given) : undefined;
}

/** Mosaics of the rows of a data set, see `mosaicOf`, with the writer of the pictures; undefined without a step `mosaic`. */
export function mosaicFor(
  dataset: Dataset,
  chance: {
    readonly augment: readonly AugmentStep[];
    readonly seed: number;
    readonly key: readonly (string | number)[];
  },
  shape: ImageShape,
) {
  if (!chance.augment.some((step) => 'mosaic' in step)) return undefined;
  const { mosaicOf, mosaicWriter } = MOSAIC.module;
  const tiles = mosaicOf(dataset, chance, shape);
  return tiles && { tiles, writer: mosaicWriter };
}
