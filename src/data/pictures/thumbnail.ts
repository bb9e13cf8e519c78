import { isImageShape, countOfElements } from '../dataset.ts';
import type { Dataset, Samples } from '../dataset.ts';
import { rowReader } from '../storage/sample-storage.ts';

/** Longest side of a sample's picture, in pixels. */
const SIDE = 96;

/**
 * A sample before normalization as a PNG file in base64; values other than bytes are stretched from black to white. Undefined for samples that are no
 * picture.
 */
export async function thumbnail(dataset: Dataset, row: number): Promise<string | undefined> {
  const { sampleShape, inputs } = dataset;
  const [height, width, channels] = sampleShape;
  if (!isImageShape(sampleShape) || inputs !== undefined || (channels !== 1 && channels !== 3)) return undefined;
  const values = rowReader(dataset, countOfElements(sampleShape))(row);
  return pictureOf(values, { width: width!, height: height!, channels });
}

/** Values as a PNG file in base64; values other than bytes are stretched from black to white. */
export async function pictureOf(
  values: Samples,
  raw: { readonly width: number; readonly height: number; readonly channels: 1 | 3 },
): Promise<string> {
  const { default: sharp } = await import('sharp');
  const image = sharp(values instanceof Uint8Array ? values : spread(values), { raw });
  const png = await image.resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true }).png().toBuffer();
  return png.toString('base64');
}

function spread(values: Float32Array): Uint8Array {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  return Uint8Array.from(values, (value) => (high > low ? (255 * (value - low)) / (high - low) : 0));
}
