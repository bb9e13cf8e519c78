import { UserError } from '../../base/errors.ts';
import { PCM_TAG, riffSound, WavError } from './riff.ts';

/** Sound of one channel: values from -1 to 1, `rate` values per second. */
export interface Sound {
  /** The file, for messages. */
  readonly where?: string;
  readonly rate: number;
  readonly values: Float32Array;
}

/** Parses a WAV file, see `riffSound`. `UserError` for what that refuses. */
export function parseWav(bytes: Uint8Array, where: string): Sound {
  try {
    return { where, ...riffSound(bytes) };
  } catch (error) {
    if (error instanceof WavError) throw new UserError(`${where}: ${error.message}`, error.remedy);
    throw error;
  }
}

/** A WAV file of 16-bit PCM and one channel; values beyond -1 and 1 are clipped. */
export function wavBytes({ rate, values }: Pick<Sound, 'rate' | 'values'>): Buffer {
  const size = 2 * values.length;
  const bytes = Buffer.alloc(44 + size);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + size, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(PCM_TAG, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(2 * rate, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(size, 40);
  values.forEach((value, i) => bytes.writeInt16LE(Math.round(32767 * Math.max(-1, Math.min(1, value))), 44 + 2 * i));
  return bytes;
}
