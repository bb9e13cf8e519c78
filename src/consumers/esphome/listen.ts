import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import { RandomStream } from '../../base/random.ts';
import { RATE } from '../../data/formats/micro-features/front-end.ts';
import { SOUNDS } from '../../data/readers/audio-folder.ts';
import { allFiles } from '../../data/readers/class-folder.ts';
import { resampled } from '../../data/sounds/resample.ts';
import { parseWav } from '../../data/sounds/wav.ts';
import type { Heard } from './alarms.ts';
import { asHeard, lengthOf } from './device.ts';
import type { Device } from './device.ts';

/** Seconds of noise before a clip, more than a device waits before its first detection, and behind it. */
const [BEFORE, BEHIND] = [1.8, 0.6];

async function readSound(file: string): Promise<Float32Array> {
  return resampled(parseWav(await readBytes(file), file), RATE);
}

/** Clips, each amid noise as loud as its quietest 30 ms: a device hears a room before and behind a word. */
export async function hearClips(device: Device, files: readonly string[]): Promise<Heard[]> {
  const found: Heard[] = [];
  for (const file of files) {
    const sound = await readSound(file);
    const random = new RandomStream('room', found.length);
    const loud = quietest(sound);
    const noise = (seconds: number) => Float32Array.from({ length: lengthOf(seconds) }, () => loud * random.normal());
    const before = await device.hear(asHeard(noise(BEFORE)));
    const rest = await device.hear(asHeard(joined(sound, noise(BEHIND))));
    found.push({ name: file, probabilities: Uint8Array.from([...before, ...rest]), from: before.length });
  }
  return found;
}

/** Recordings without the word, one after another. `UserError` for a folder with less than a minute of sound. */
export async function hearRecordings(device: Device, folder: string): Promise<Heard[]> {
  const { files } = await allFiles(folder, SOUNDS);
  const found: Heard[] = [];
  let seconds = 0;
  for (const file of files) {
    const sound = await readSound(file);
    seconds += sound.length / RATE;
    found.push({ name: file, probabilities: await device.hear(asHeard(sound)), from: 0 });
  }
  if (seconds < 60 || files.length < 2)
    throw new UserError(
      `${folder}: ${files.length} ${files.length === 1 ? 'recording' : 'recordings'} of ${seconds.toFixed(1)} s in all, expected two or more and at least a minute`,
      'Half of them choose the cutoff and half judge it: add recordings without the wake word, best of hours.',
    );
  return found;
}

function joined(...parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}

/** Root mean square of the quietest 30 ms. */
function quietest(sound: Float32Array): number {
  const size = lengthOf(0.03);
  let least = Infinity;
  for (let at = 0; at + size <= sound.length; at += size)
    least = Math.min(least, Math.hypot(...sound.subarray(at, at + size)) / Math.sqrt(size));
  return least === Infinity ? 0 : least;
}
