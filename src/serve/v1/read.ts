import { shown } from '../../base/errors.ts';
import { numbersOfDate, timeOfDate } from '../../data/dates.ts';
import { missingNumbers } from '../../data/splits/columns.ts';
import type { Column, Normalization } from '../../data/dataset.ts';
import { normalized } from '../../data/normalized.ts';
import { letterboxedPixels } from '../../data/pictures/letterboxed-pixels.ts';
import { scaledPixels } from '../../data/pictures/pixels.ts';
import { jsonIn } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { bytesFromJson } from '../v2/json-tensor.ts';
import type { DescribedModel } from './described.ts';

/** A picture of PNG, JPEG, WebP, GIF, TIFF or AVIF, whatever the request calls it, as raw values 0 … 255 of the size and the channels that the model sees. */
export async function pixelsOf(
  picture: Uint8Array,
  { shape, normalization, fit }: DescribedModel,
): Promise<Uint8Array> {
  const [height, width, channels] = shape;
  if (shape.length !== 3 || (channels !== 1 && channels !== 3) || normalization === undefined) {
    throw new Refusal(400, 'this model takes no pictures: its file does not say how to prepare them');
  }
  const beyond = farthest(normalization);
  if (beyond > FARTHEST)
    throw new Refusal(
      400,
      `this model takes no pictures of values 0 to 255: they would become up to ${beyond.toPrecision(3)} after its preparation; send the values that its data had`,
    );
  const { OF_CLIENTS, withPicture } = await import('../../data/pictures/picture.ts');
  try {
    const { data } = await withPicture(picture, OF_CLIENTS, (image, found) =>
      (fit === 'letterbox' ? letterboxedPixels : scaledPixels)(image, found, [height!, width!], channels),
    );
    return data;
  } catch (error) {
    throw new Refusal(400, `the picture cannot be decoded: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** Limit in deviations from the mean: no value of a picture of the training data lies further out. */
const FARTHEST = 8;

/** Largest result of 0 … 255 after a preparation that shifts or scales: e.g. 16 for pictures whose values were 0 to 16. */
function farthest(normalization: Normalization): number {
  const { scale, mean, std } = normalization;
  const isPlain = scale === 1 && mean.every((value) => value === 0) && std.every((value) => value === 1);
  if (isPlain) return 0;
  const ends = [0, 255].flatMap((value) => mean.map(() => value));
  return Math.max(...normalized(ends, normalization).map(Math.abs));
}

/** `{"inputs": …}` or the values themselves: one sample, or several, raw as the data of the recipe was. */
export function valuesOf(body: Uint8Array, { shape, columns }: DescribedModel): Float32Array {
  const given = jsonIn(body, () => 'the body is no JSON; send pictures with content-type image/png and the like');
  const isBareRow = columns !== undefined && isRow(given) && !('inputs' in given);
  const values = isBareRow ? given : inputsIn(given);
  if (columns !== undefined) {
    const rows = Array.isArray(values) ? values : [values];
    if (rows.length > 0 && rows.every(isRow))
      return Float32Array.from(rows.flatMap((row) => numbersOfRow(row, columns)));
  }
  const flat = ofFlatSamples(values, shape);
  if (flat !== undefined) return flat;
  const depth = depthOf(values);
  const expected = `a sample of shape [${shape.join(', ')}], or an array of them`;
  if (!Array.isArray(values) || (depth !== shape.length && depth !== shape.length + 1)) {
    throw new Refusal(
      400,
      `expected ${expected}, received ${values === undefined ? 'none' : depth === 0 ? shown(values) : `an array of depth ${depth}`}`,
    );
  }
  const samples = filled(depth === shape.length ? [values] : values, columns);
  if (samples.length === 0) throw new Refusal(400, `expected ${expected}, received none`);
  const full = [samples.length, ...shape];
  const bytes = bytesFromJson('inputs', 'float32', full, samples);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/**
 * Values of samples of several axes that are sent flat, as example.json of a kit has them: one list of all numbers of a sample, or several such lists.
 * Undefined for others.
 */
function ofFlatSamples(values: unknown, shape: readonly number[]): Float32Array | undefined {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (shape.length < 2 || !Array.isArray(values)) return undefined;
  const samples: readonly unknown[] = depthOf(values) === 1 ? [values] : values;
  const isFlat = samples.every((sample) => Array.isArray(sample) && sample.length === size && depthOf(sample) === 1);
  // A sample of one step is a list of its step as well as a list of one flat sample.
  if (!isFlat || samples.length === 0) return undefined;
  const bytes = bytesFromJson('inputs', 'float32', [samples.length, size], samples);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** Rows of numbers, with the number that train had in place of each null. */
function filled(rows: readonly unknown[], columns: readonly Column[] = []): readonly unknown[] {
  const missing = missingNumbers(columns);
  if (missing.every((number) => number === undefined)) return rows;
  return rows.map((row) => (Array.isArray(row) ? row.map((value: unknown, i) => value ?? missing[i] ?? value) : row));
}

/** `inputs` of a body that is an object, and any other value as it is. `Refusal` for a key beside it, which nothing would read. */
export function inputsIn(given: unknown): unknown {
  if (!isRow(given)) return given;
  const other = Object.keys(given).find((key) => key !== 'inputs');
  if (other === undefined) return given['inputs'];
  const remedy = other === 'top' ? 'it belongs into the address: ?top=3' : 'expected {"inputs": …}';
  throw new Refusal(400, `unknown key ${shown(other)} in the body; ${remedy}`);
}

type Row = Readonly<Record<string, unknown>>;

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A row of a table by the names of its columns, as the numbers that a model sees; NaN for each word of a column whose word train has not. */
function numbersOfRow(row: Row, columns: readonly Column[]): number[] {
  const unread = Object.keys(row).find((key) => !columns.some(({ name }) => name === key));
  if (unread !== undefined)
    throw new Refusal(
      400,
      `unknown column ${shown(unread)}; the columns are ${columns.map(({ name }) => name).join(', ')}`,
    );
  return columns.flatMap(({ name, words, date, missing }) => {
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    if (value === null && missing !== undefined) return words?.map(() => 0) ?? missing;
    if (date !== undefined) {
      const time = timeOfDate(value);
      if (time !== undefined && !Number.isNaN(time)) return numbersOfDate(time, date);
      throw new Refusal(
        400,
        `column ${shown(name)}: expected a date, as in 2024-01-31 or 2024-01-31T10:30:00Z, received ${shown(value)}`,
      );
    }
    if (words !== undefined) {
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
        // JSON has lost its last digits, and it may stand for several words.
        if (Number.isInteger(value) && !Number.isSafeInteger(value))
          throw new Refusal(
            400,
            `column ${shown(name)}: ${value} has more digits than JSON's numbers keep; send a text`,
          );
        const at = wordOf(value, words);
        return words.map((_, i) => (at === -1 ? NaN : Number(i === at)));
      }
      throw new Refusal(400, `column ${shown(name)}: expected a word, received ${shown(value)}`);
    }
    if (typeof value === 'number' && Number.isFinite(Math.fround(value))) return [value];
    if (typeof value === 'boolean') return [value ? 1 : 0];
    throw new Refusal(400, `column ${shown(name)}: expected a number, received ${shown(value)}`);
  });
}

/** Place of a value among the words of train; those of a text file may write it otherwise: `True`, `2.0`. */
function wordOf(value: string | number | boolean, words: readonly string[]): number {
  const word = String(value).trim();
  const same = words.indexOf(word);
  if (same !== -1 || typeof value === 'string') return same;
  return words.findIndex((one) => (typeof value === 'number' ? Number(one) === value : one.toLowerCase() === word));
}

function depthOf(values: unknown): number {
  let depth = 0;
  for (let inner = values; Array.isArray(inner); inner = inner[0]) depth++;
  return depth;
}
