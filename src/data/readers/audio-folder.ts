import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import { allFiles, classFiles } from './class-folder.ts';
import { clip, clipLength } from '../sounds/clip.ts';
import type { ClipOptions } from '../sounds/clip.ts';
import { sharedFloats } from '../dataset.ts';
import type { RawSplit } from '../dataset.ts';
import { noLabels } from './labelled.ts';
import type { LabelsRead } from './labelled.ts';
import type { RoomGiven } from '../storage/memory-budget.ts';
import { parseWav } from '../sounds/wav.ts';
import type { DatasetConfig } from '../config.ts';
import type { SplitReader } from './registry.ts';

export const SOUNDS = {
  extensions: new Set(['.wav', '.wave']),
  what: 'sounds',
  kinds: 'WAV',
  convert: 'ffmpeg -i in.mp3 -ac 1 -c:a pcm_s16le out.wav',
};

/** Number of files read at a time. */
const AT_ONCE = 16;

/**
 * Reads a sub-folder per class, with WAV files at any depth, each a sample [length, 1] of values from -1 to 1; without labels, all WAV files of the
 * folder. Other sample rates are resampled, longer sounds cut to their middle, shorter ones padded with silence. `UserError` names a file that cannot
 * be read.
 */
export async function readAudioFolder(
  folder: string,
  { withoutLabels = false, room, ...options }: ClipOptions & LabelsRead & RoomGiven,
): Promise<RawSplit> {
  const found = withoutLabels ? undefined : await classFiles(folder, SOUNDS);
  const { files, notes } = found ?? (await allFiles(folder, SOUNDS));
  const length = clipLength(options);
  if (length === 0)
    throw new UserError('dataset.seconds: a sound has no value', 'Raise dataset.seconds or dataset.rate.');
  room?.demand(
    4 * files.length * length,
    `${folder}: ${files.length} sounds of ${length} values`,
    'Lower dataset.rate or dataset.seconds, use fewer files, or free memory.',
  );
  const samples = sharedFloats(files.length * length);
  let [longer, resampledCount] = [0, 0];
  const read = async (file: string, at: number): Promise<void> => {
    const sound = parseWav(await readBytes(file), file);
    if (sound.rate !== options.rate) resampledCount++;
    if (sound.values.length / sound.rate > options.seconds * 1.001) longer++;
    samples.set(clip(sound, options), at * length);
  };
  for (let from = 0; from < files.length; from += AT_ONCE)
    await Promise.all(files.slice(from, from + AT_ONCE).map((file, i) => read(file, from + i)));
  const more = [
    ...(longer > 0
      ? [`${folder}: ${longer} of ${files.length} sounds are longer than ${options.seconds} s: their middle is used`]
      : []),
    ...(resampledCount > 0
      ? [`${folder}: ${resampledCount} of ${files.length} sounds have another rate than ${options.rate}: resampled`]
      : []),
  ];
  const split = { source: folder, sampleShape: [length, 1], samples, notes: [...notes, ...more] };
  if (found === undefined) return { ...split, labels: noLabels(files.length) };
  const { classNames, values } = found;
  const firstAt = classNames.map((name) => path.join(folder, name));
  return { ...split, labels: { kind: 'name', values, names: classNames, firstAt } };
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'audio-folder' }>> = {
  shares: 'parsed',
  read: readAudioFolder,
};
