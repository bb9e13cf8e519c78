import path from 'node:path';
import { classFiles } from './class-folder.ts';
import type { ImageOptions } from './config.ts';
import type { RawSplit } from './dataset.ts';
import { ImageSink } from './images.ts';

const PICTURES = {
  extensions: new Set(['.png', '.jpg', '.jpeg', '.webp']),
  what: 'images',
  kinds: 'PNG, JPEG or WebP',
};

/** One sub-folder per class, with images at any depth below it. The decoded images must fit in memory at the size the model sees. */
export async function readImageFolder(folder: string, options: ImageOptions): Promise<RawSplit> {
  const { classNames, files, values, notes } = await classFiles(folder, PICTURES);
  const sink = new ImageSink(options, files.length);
  await sink.add(files.map((file) => ({ where: file, input: file })));
  return {
    source: folder,
    sampleShape: sink.shape!,
    samples: sink.samples(),
    originals: sink.originals(),
    labels: {
      kind: 'name',
      values,
      names: classNames,
      firstAt: classNames.map((name) => path.join(folder, name)),
    },
    notes,
  };
}
