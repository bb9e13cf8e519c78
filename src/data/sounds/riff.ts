/** Sound of one channel: values from -1 to 1, `rate` values per second. */
interface RiffSound {
  readonly rate: number;
  readonly values: Float32Array;
}

/** Fault of a WAV file, and what helps. */
export class WavError extends Error {
  readonly remedy: string;

  constructor(fact: string, remedy: string) {
    super(fact);
    this.remedy = remedy;
  }
}

type ReadValue = (view: DataView, at: number) => number;

/** Readers of PCM values by their number of bits, scaled to -1 to 1. */
const PCM: Readonly<Record<number, ReadValue>> = {
  8: (view, at) => (view.getUint8(at) - 128) / 128,
  16: (view, at) => view.getInt16(at, true) / 2 ** 15,
  24: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23,
  32: (view, at) => view.getInt32(at, true) / 2 ** 31,
};
const FLOAT: Readonly<Record<number, ReadValue>> = {
  32: (view, at) => view.getFloat32(at, true),
  64: (view, at) => view.getFloat64(at, true),
};

/** Encodings by their number; the extensible one is specified further down in the header. */
export const PCM_TAG = 1;
const [FLOAT_TAG, EXTENSIBLE_TAG] = [3, 0xfffe];
const OTHERS: Readonly<Record<number, string>> = {
  2: 'ADPCM',
  6: 'A-law',
  7: 'µ-law',
  17: 'IMA ADPCM',
  49: 'GSM 6.10',
  80: 'MPEG',
  85: 'MP3',
  353: 'WMA',
};

/** Other kinds of files, by their first bytes. */
const KINDS: Readonly<Record<string, string>> = {
  RF64: 'a WAV file of the kind RF64',
  RIFX: 'a WAV file of the kind RIFX',
  fLaC: 'a FLAC file',
  OggS: 'an Ogg file',
  FORM: 'an AIFF file',
  ID3: 'an MP3 file',
  '.snd': 'an AU file',
};

/** Floats beyond this are integers that were never divided, rather than a loud sound from -1 to 1. */
const LOUDEST = 32;

const CONVERT = 'Convert it, e.g. with `ffmpeg -i in.wav -ac 1 -c:a pcm_s16le out.wav`.';

/**
 * Sound of a WAV file (RIFF, "Multimedia Programming Interface and Data Specifications 1.0"): PCM of 8, 16, 24 or 32 bits or floats, one channel or the
 * mean of two. `WavError` for other encodings, more channels, and files that are damaged or empty. It also runs in a kit.
 */
export function riffSound(bytes: Uint8Array): RiffSound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || name(0) !== 'RIFF' || name(8) !== 'WAVE') {
    const known = KINDS[name(0)] ?? KINDS[name(0).slice(0, 3)] ?? 'no WAV file';
    throw new WavError(`${known}: expected RIFF and WAVE at its start`, CONVERT);
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (name(at) === 'fmt ') format = formatOf(view, body, size);
    if (name(at) === 'data') {
      if (format === undefined) throw damaged('its data come before its format');
      // Programs that write to a pipe cannot know the size, and write the largest number.
      const isOpen = size === 0xffffffff;
      if (!isOpen && body + size > bytes.length)
        throw new WavError(
          `truncated: its header promises ${size} bytes of sound, received ${bytes.length - body}`,
          'Get the file again and compare its size with the source.',
        );
      const behind = body + size + (size % 2);
      if (behind + 8 <= bytes.length && name(behind) === 'data')
        throw new WavError(`its sound is in several parts, expected one`, CONVERT);
      return {
        rate: format.rate,
        values: valuesOf(view, body, isOpen ? bytes.length - body : size, format),
      };
    }
    at = body + size + (size % 2);
  }
  throw damaged(format === undefined ? 'it has no format' : 'it has no data');
}

interface Format {
  readonly rate: number;
  readonly channels: number;
  readonly bytes: number;
  readonly read: ReadValue;
}

function formatOf(view: DataView, at: number, size: number): Format {
  if (size < 16 || at + size > view.byteLength) throw damaged('its format is cut off');
  let tag = view.getUint16(at, true);
  if (tag === EXTENSIBLE_TAG) {
    if (size < 26) throw damaged('its format is cut off');
    tag = view.getUint16(at + 24, true);
  }
  const channels = view.getUint16(at + 2, true);
  const rate = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  if (tag !== PCM_TAG && tag !== FLOAT_TAG)
    throw new WavError(`its encoding is ${OTHERS[tag] ?? `number ${tag}`}, expected PCM or floats`, CONVERT);
  const read = (tag === PCM_TAG ? PCM : FLOAT)[bits];
  if (read === undefined)
    throw new WavError(`${bits} bits a value, expected ${tag === PCM_TAG ? '8, 16, 24 or 32' : '32 or 64'}`, CONVERT);
  if (channels !== 1 && channels !== 2) throw new WavError(`${channels} channels, expected one or two`, CONVERT);
  if (rate === 0) throw damaged('its rate is 0');
  const [frame, expected] = [view.getUint16(at + 12, true), (channels * bits) / 8];
  if (frame !== expected)
    throw new WavError(
      `${frame} bytes for the ${channels === 1 ? 'value' : 'values'} of a moment, expected ${expected}: ${channels} of ${bits} bits`,
      CONVERT,
    );
  return { rate, channels, bytes: bits / 8, read };
}

function valuesOf(view: DataView, from: number, size: number, { channels, bytes, read }: Format): Float32Array {
  const count = Math.floor(size / (bytes * channels));
  if (count === 0) throw new WavError(`no sound in it`, 'Remove the file, or record it again.');
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += read(view, from + (i * channels + c) * bytes);
    values[i] = sum / channels;
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) throw damaged(`value ${bad} of its sound is ${values[bad]!}`);
  const loud = values.findIndex((value) => Math.abs(value) > LOUDEST);
  if (loud !== -1)
    throw new WavError(
      `value ${loud} of its sound is ${values[loud]!}, expected -1 to 1`,
      'Divide its values by the largest one of their type, e.g. by 32768 where they were integers of 16 bits.',
    );
  return values;
}

function damaged(fact: string): WavError {
  return new WavError(`not a valid WAV file: ${fact}`, 'Get the file again and compare its size with the source.');
}
