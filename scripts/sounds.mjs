/** What the scripts that make data sets of sounds share: WAV files, numbers drawn by a key, and the twelve classes. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

/** Values a second of every sound. */
export const RATE = 16_000;

/** The ten words of MLPerf Tiny's keyword spotting; the other two classes are other words and silence. */
export const WORDS = ['yes', 'no', 'up', 'down', 'left', 'right', 'on', 'off', 'stop', 'go'];
export const [UNKNOWN, SILENCE] = ['_unknown_', '_silence_'];

/** Random numbers of a key, from 0 to 1: the same in every run. */
export function draws(...key) {
  let count = 0;
  return () =>
    createHash('sha256')
      .update(JSON.stringify([...key, count++]))
      .digest()
      .readUInt32LE(0) /
    2 ** 32;
}

/** A WAV file of values from -1 to 1, in 16 bits and one channel. */
export function wav(samples) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + 2 * samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(2 * RATE, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(2 * samples.length, 40);
  const body = Buffer.alloc(2 * samples.length);
  samples.forEach((value, i) => body.writeInt16LE(Math.max(-32768, Math.min(32767, Math.round(32767 * value))), 2 * i));
  return Buffer.concat([head, body]);
}
