import path from 'node:path';
import { allFiles, classFiles } from './class-folder.ts';
import type { ImageOptions } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import { ImageSink } from '../pictures/images.ts';
import type { PicturesGiven } from '../pictures/images.ts';
import { noLabels } from './labelled.ts';
import type { DatasetConfig } from '../config.ts';
import type { SplitReader } from './registry.ts';

export const PICTURES = {
  extensions: new Set(['.png', '.jpg', '.jpeg', '.webp']),
  what: 'images',
  kinds: 'PNG, JPEG or WebP',
};

/** Reads a sub-folder per class, with images at any depth. */
export async function readImageFolder(folder: string, options: ImageOptions, given?: PicturesGiven): Promise<RawSplit> {
  const { classNames, files, values, notes } = await classFiles(folder, PICTURES);
  const sink = new ImageSink(options, files.length, given);
  await sink.addFiles(files);
  const held = sink.held(folder);
  return {
    source: folder,
    sampleShape: sink.shape!,
    ...held,
    originals: sink.originals(),
    labels: {
      kind: 'name',
      values,
      names: classNames,
      firstAt: classNames.map((name) => path.join(folder, name)),
    },
    notes: [...held.notes, ...notes],
  };
}

/** Reads pictures without classes: all in the folder, at any depth. */
export async function readPictures(folder: string, options: ImageOptions, given?: PicturesGiven): Promise<RawSplit> {
  const { files, notes } = await allFiles(folder, PICTURES);
  const sink = new ImageSink(options, files.length, given);
  await sink.addFiles(files);
  const held = sink.held(folder);
  const read = { sampleShape: sink.shape!, ...held, originals: sink.originals() };
  return { source: folder, ...read, labels: noLabels(files.length), notes: [...held.notes, ...notes] };
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'image-folder' }>> = {
  shares: 'decoded',
  read: (source, options) =>
    (options.withoutLabels === true ? readPictures : readImageFolder)(source, options, options),
};
