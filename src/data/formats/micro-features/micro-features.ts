import path from 'node:path';
import { UserError } from '../../../base/errors.ts';
import { readBytes } from '../../../base/files.ts';
import { RandomStream } from '../../../base/random.ts';
import { soundStep } from '../../augment/sound.ts';
import type { SoundStep } from '../../augment/sound.ts';
import type { AugmentStep, DatasetConfig } from '../../config.ts';
import { sharedFloats } from '../../dataset.ts';
import type { RawSplit } from '../../dataset.ts';
import { SOUNDS } from '../../readers/audio-folder.ts';
import { allFiles, classFiles } from '../../readers/class-folder.ts';
import { noLabels } from '../../readers/labelled.ts';
import type { Reading, SplitReader } from '../../readers/registry.ts';
import { readBackgrounds } from '../../sounds/backgrounds.ts';
import { clip, clipLength } from '../../sounds/clip.ts';
import { parseWav } from '../../sounds/wav.ts';
import { CHANNELS, framesIn, microFeatures, RATE } from './front-end.ts';

type MicroConfig = Extract<DatasetConfig, { type: 'micro-features' }>;
type Options = Omit<MicroConfig, 'train' | 'text'> & Reading;

/**
 * Reads a sub-folder per class, with WAV files at any depth, each a sample [frames, 40] of the features that microcontrollers compute, see `front-end.ts`.
 * Sounds are brought to 16 kHz and to `seconds`, as `audio-folder` does it. Each sound of train has
 * `copies`, see `CHANGES`, changed before their features are computed: the place of the file and the number of the copy alone decide how.
 * `UserError` names a file that cannot be read.
 */
async function readMicroFeatures(folder: string, options: Options): Promise<RawSplit> {
  const { withoutLabels = false, part, room, seconds = 1, copies, testFraction } = options;
  const isSplitOff = typeof options.validation !== 'string' || testFraction !== undefined;
  if (part === 'train' && options.background !== undefined && copies === undefined)
    throw new UserError(
      'dataset.background: copies get it, and there are none',
      'Add `copies: 4`, or remove background.',
    );
  if (part === 'train' && copies !== undefined && isSplitOff)
    throw new UserError(
      `dataset.copies: copies of a sound of train would be in ${testFraction === undefined ? 'validation' : 'test'}, which is held out of train`,
      `Name a folder of other sounds, \`${testFraction === undefined ? 'validation' : 'test'}: FOLDER\`, or remove copies.`,
    );
  const found = withoutLabels ? undefined : await classFiles(folder, SOUNDS);
  const { files, notes } = found ?? (await allFiles(folder, SOUNDS));
  const length = clipLength({ rate: RATE, seconds });
  const frames = framesIn(length);
  if (frames === 0)
    throw new UserError(
      `dataset.seconds: ${seconds} s are shorter than a frame of the front end, 0.03 s`,
      'Raise dataset.seconds.',
    );
  const changed = part === 'train' ? await changeOf(options, length) : undefined;
  const each = changed === undefined ? 1 : 1 + copies!;
  const [size, count] = [frames * CHANNELS, files.length * each];
  room?.demand(
    4 * count * size,
    `${folder}: features of ${files.length} sounds${each > 1 ? `, ${each} of each` : ''}`,
    'Lower dataset.seconds or dataset.copies, use fewer files, or free memory.',
  );
  const samples = sharedFloats(count * size);
  let [longer, resampledCount] = [0, 0];
  for (const [at, file] of files.entries()) {
    const sound = parseWav(await readBytes(file), file);
    if (sound.rate !== RATE) resampledCount++;
    if (sound.values.length / sound.rate > seconds * 1.001) longer++;
    const heard = clip(sound, { rate: RATE, seconds });
    samples.set(microFeatures(heard), at * each * size);
    for (let copy = 1; copy < each; copy++) {
      const own = Float32Array.from(heard);
      changed!(own, new RandomStream('micro-features', at, copy));
      samples.set(microFeatures(own), (at * each + copy) * size);
    }
  }
  const more = [
    ...(longer > 0
      ? [`${folder}: ${longer} of ${files.length} sounds are longer than ${seconds} s: their middle is used`]
      : []),
    ...(resampledCount > 0
      ? [`${folder}: ${resampledCount} of ${files.length} sounds have another rate than ${RATE}: resampled`]
      : []),
  ];
  const split = { source: folder, sampleShape: [frames, CHANNELS], samples, notes: [...notes, ...more] };
  if (found === undefined) return { ...split, labels: noLabels(count) };
  const { classNames } = found;
  const values = Int32Array.from({ length: count }, (_, i) => found.values[Math.floor(i / each)]!);
  const firstAt = classNames.map((name) => path.join(folder, name));
  return { ...split, labels: { kind: 'name', values, names: classNames, firstAt } };
}

/** What makes a copy of a sound: shares of its length, and decibels. */
const CHANGES = { timeShift: 0.1, gain: 12, ratio: [-5, 20] } as const;

/** Function that changes a copy; undefined without copies. */
async function changeOf({ copies, background }: Options, length: number): Promise<SoundStep | undefined> {
  if (copies === undefined) return undefined;
  const { timeShift, gain, ratio } = CHANGES;
  const noise: AugmentStep =
    background === undefined
      ? { noise: [...ratio] }
      : { background: { folder: background, ratio: [...ratio], probability: 1 } };
  const backgrounds = await readBackgrounds([noise], RATE);
  const steps = [{ timeShift }, noise, { gain }].map((step) => soundStep(step, length, backgrounds)!);
  return (sound, random) => {
    for (const step of steps) step(sound, random);
  };
}

export const reader: SplitReader<MicroConfig> = { shares: 'parsed', read: readMicroFeatures };
