import { classFolder } from './class-folder.ts';
import type { ImageOptions } from './config.ts';
import type { RawSplit } from './dataset.ts';
import { ImageSink } from './images.ts';

const EXTENSIONS = ['.png', '.jpg', '.jpeg', '.webp'];

/**
 * One sub-folder per class, with images at any depth below it. Files are taken in order of their paths (by code unit), and
 * this order is what sample ids count. The decoded images must fit in memory at the size the model sees; see ImageSink.
 */
export async function readImageFolder(folder: string, options: ImageOptions): Promise<RawSplit> {
  const { files, labels, notes } = await classFolder(folder, { what: 'images', extensions: EXTENSIONS });
  const sink = new ImageSink(options, files.length);
  await sink.add(files.map((file) => ({ where: file, input: file })));
  return { source: folder, sampleShape: sink.shape!, samples: sink.samples(), labels, notes };
}
