import { bytesOf } from '../../../base/bytes.ts';
import { UserError, shown } from '../../../base/errors.ts';
import { NPY_TYPES, NPY_WORDS, npySizes, unsupportedNpy } from '../../../base/numpy.ts';
import type { NpyArray } from '../../../base/numpy.ts';
import { faultOfArrays } from '../../../base/process/memory.ts';
import { countOfElements, storedSamples } from '../../dataset.ts';
import type { RawLabels, Samples } from '../../dataset.ts';
import { likeSamples } from '../../storage/sample-storage.ts';
import { LabelNames } from '../../splits/label-names.ts';
import { SUPPORTED_LABELS } from '../supported.ts';

/** True for an integer array. */
export function holdsWhole({ code }: NpyArray): boolean {
  return NPY_TYPES[code]?.integer === true;
}

/** Samples of an array: uint8 is kept, other types become float32. */
export function npySamples({ where, shape, code, body }: NpyArray): Samples {
  if (NPY_WORDS.test(code)) throw unsupportedNpy(where, shown(code), code);
  if (code === 'u1') return storedSamples(body, countOfElements(shape), undefined);
  if (code === 'f4' && body.buffer instanceof SharedArrayBuffer && body.byteOffset % 4 === 0)
    return new Float32Array(body.buffer, body.byteOffset, countOfElements(shape));
  const fault = faultOfArrays([{ values: countOfElements(shape), bytesEach: 4 }]);
  if (fault !== undefined) throw new UserError(`${where}: its values ${fault}`, 'Use fewer samples, or free memory.');
  return storedSamples(body, countOfElements(shape), NPY_TYPES[code]);
}

/** Samples [channels, height, width] as [height, width, channels]. */
export function toChannelsLast(samples: Samples, [channels, ...sides]: readonly number[]): Samples {
  const out = likeSamples(samples, samples.length);
  const pixels = countOfElements(sides);
  const size = channels! * pixels;
  for (let start = 0; start < samples.length; start += size) {
    for (let c = 0; c < channels!; c++) {
      for (let p = 0; p < pixels; p++) out[start + p * channels! + c] = samples[start + c * pixels + p]!;
    }
  }
  return out;
}

/** Targets of a regression: [count] or [count, width]. */
export function npyNumbers(array: NpyArray): RawLabels {
  const { where, shape, code, body } = array;
  if (shape.length < 1 || shape.length > 2 || countOfElements(shape) === 0) {
    throw new UserError(
      `${where}: labels have the shape [${shape.join(', ')}], expected [samples] or [samples, numbers]`,
      'Reshape the array; its first axis counts the samples.',
    );
  }
  if (NPY_WORDS.test(code)) return wordLabels(array);
  const { bytes, read } = NPY_TYPES[code]!;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const values = Float32Array.from({ length: countOfElements(shape) }, (_, i) => read(view, i * bytes));
  return { kind: 'numbers', values, width: shape[1] ?? 1 };
}

/** Masks [samples, height, width] of whole numbers from 0 to 255. */
export function npyMasks({ where, shape, code, body }: NpyArray): RawLabels {
  const kind = NPY_TYPES[code];
  if (shape.length !== 3 || countOfElements(shape) === 0 || kind?.integer !== true)
    throw new UserError(
      `${where}: masks are ${code} of shape [${shape.join(', ')}], expected whole numbers [samples, height, width]`,
      'Save masks as uint8: the class of each pixel, 255 for none.',
    );
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const values = new Uint8Array(countOfElements(shape));
  for (let i = 0; i < values.length; i++) {
    const value = kind.read(view, i * kind.bytes);
    if (!(value >= 0 && value <= 255))
      throw new UserError(
        `${where}: mask ${Math.floor(i / (shape[1]! * shape[2]!))} holds ${value}, expected numbers from 0 to 255`,
        'Save masks as uint8: the class of each pixel, 255 for none.',
      );
    values[i] = value;
  }
  return { kind: 'numbers', values, width: shape[1]! * shape[2]! };
}

/** Class indexes, or words. */
export function npyLabels(array: NpyArray): RawLabels {
  const { where, shape, code, body } = array;
  if (countOfElements(shape.slice(1)) !== 1) {
    throw new UserError(
      `${where}: labels have the shape [${shape.join(', ')}], expected one class index per sample`,
      `${SUPPORTED_LABELS} One-hot labels: save labels.argmax(axis=1).`,
    );
  }
  if (NPY_WORDS.test(code)) return wordLabels(array);
  const { bytes, integer, read } = NPY_TYPES[code]!;
  const count = shape[0] ?? 0;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const value = read(view, i * bytes);
    values[i] = value;
    if (values[i] !== value) {
      throw new UserError(
        `${where}: sample ${i}: label ${value} is no class index${integer ? '' : ` (the array is float${8 * bytes})`}`,
        `${SUPPORTED_LABELS} Save whole numbers from 0, as labels.astype('int64').`,
      );
    }
  }
  return { kind: 'index', values };
}

function wordLabels({ where, shape, code, body }: NpyArray): RawLabels {
  const { element } = npySizes(code)!;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const labels = new LabelNames();
  for (let i = 0; i < (shape[0] ?? 0); i++) {
    const at = (): string => `${where}: sample ${i}`;
    const name = (code.startsWith('U') ? utf32 : utf8)(view, i * element, element).trim();
    if (name === '') labels.pushNone(at);
    else labels.push(name, at);
  }
  return labels.labels();
}

function utf32(view: DataView, at: number, bytes: number): string {
  const letters: string[] = [];
  for (let i = at; i < at + bytes; i += 4) {
    const point = view.getUint32(i, true);
    if (point === 0) break;
    letters.push(point > 0x10ffff ? '\uFFFD' : String.fromCodePoint(point));
  }
  return letters.join('');
}

function utf8(view: DataView, at: number, bytes: number): string {
  const text = Buffer.from(view.buffer, view.byteOffset + at, bytes);
  const end = text.indexOf(0);
  return text.subarray(0, end < 0 ? bytes : end).toString('utf8');
}

/** An array in the format of numpy.save (1.0). */
export function npyBytes(shape: readonly number[], data: Samples | Int32Array): Uint8Array {
  return Buffer.concat([
    npyHead(shape, data instanceof Uint8Array ? '|u1' : data instanceof Int32Array ? '<i4' : '<f4'),
    bytesOf(data),
  ]);
}

/** Header of an .npy file of version 1, which the numbers follow. */
export function npyHead(shape: readonly number[], code: string): Uint8Array {
  const text = `{'descr': '${code}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = text.padEnd(Math.ceil((11 + text.length) / 64) * 64 - 11) + '\n';
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 255, padded.length >> 8]);
  return Buffer.concat([head, Buffer.from(padded, 'latin1')]);
}
