import { readBytes } from '../../base/files.ts';
import { allFiles } from '../readers/class-folder.ts';
import { SOUNDS } from '../readers/audio-folder.ts';
import type { AugmentStep } from '../config.ts';
import { sharedFloats } from '../dataset.ts';
import type { Background, Backgrounds } from '../dataset.ts';
import { resampled } from './resample.ts';
import { parseWav } from './wav.ts';

/** Reads the folders of recordings that steps name, at `rate` values per second; undefined if they name none. `UserError` as for samples. */
export async function readBackgrounds(steps: readonly AugmentStep[], rate: number): Promise<Backgrounds | undefined> {
  const folders = new Set(steps.flatMap((step) => ('background' in step ? [step.background.folder] : [])));
  if (folders.size === 0) return undefined;
  const found: Record<string, Background> = {};
  for (const folder of folders) found[folder] = await readFolder(folder, rate);
  return found;
}

async function readFolder(folder: string, rate: number): Promise<Background> {
  const { files } = await allFiles(folder, SOUNDS);
  const sounds: Float32Array[] = [];
  for (const file of files) sounds.push(resampled(parseWav(await readBytes(file), file), rate));
  const starts = [0];
  for (const { length } of sounds) starts.push(starts.at(-1)! + length);
  const values = sharedFloats(starts.at(-1)!);
  sounds.forEach((sound, i) => values.set(sound, starts[i]));
  return { values, starts };
}
