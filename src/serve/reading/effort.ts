import { plainHeader } from '../../data/pictures/header.ts';
import { isFlat } from '../json.ts';

/** Measure of a job by which it is done at once, or where. Texts and files never are: their size says little of the time that they take. */
export interface Effort {
  /** JSON of numbers, or with tensors. */
  readonly json?: Uint8Array;
  /** Bytes of a message besides raw tensors. */
  readonly typedBytes?: number;
  /** Values that are written as text. */
  readonly values?: number;
  readonly text?: Uint8Array;
  /** Picture or sound. */
  readonly file?: Uint8Array;
}

/** `here`: less than a few milliseconds of this process. `short`: of another process, milliseconds of what is no attack. */
export type JobPlace = 'here' | 'short' | 'long';

/** Bytes that are read at once: a few milliseconds of JSON that is made to cost time. */
const SMALL = 2 ** 14;
/** Bytes of JSON of little but numbers that are read at once: less than a millisecond, which the way to the other process and back costs too. */
const SMALL_NUMBERS = 2 ** 16;
/** Values that are written at once, in a few milliseconds. */
const FEW_VALUES = 2 ** 14;
/** How many times as much is short. */
const SHORT = 8;
/** Pixels of a picture that is decoded in some milliseconds. */
const FEW_PIXELS = 2 ** 20;

export function placeOfJob({ json, typedBytes, values, text, file }: Effort): JobPlace {
  if (json !== undefined) {
    const { length } = json;
    return length <= SMALL || (length <= SMALL_NUMBERS && isFlat(json)) ? 'here' : short(length <= SHORT * SMALL);
  }
  if (typedBytes !== undefined) return typedBytes <= SMALL ? 'here' : short(typedBytes <= SHORT * SMALL);
  if (values !== undefined) return values <= FEW_VALUES ? 'here' : short(values <= SHORT * FEW_VALUES);
  if (text !== undefined) return short(text.length <= SMALL);
  // Formats other than PNG and JPEG do not say their size where it is found at once.
  const header = file && plainHeader(file);
  return short(header !== undefined && header.width * header.height <= FEW_PIXELS);
}

function short(isSo: boolean): JobPlace {
  return isSo ? 'short' : 'long';
}
