import { guesses } from '../../data/readers/guess.ts';
import type { SeenData } from '../../data/readers/guess.ts';

/** Data with boxes in a folder, with their splits; `inside`: its names. Undefined if there are none in a layout that is read. */
export async function seenBoxes(place: string, inside: readonly string[]): Promise<SeenData | undefined> {
  for (const type of guesses.names()) {
    const seen = await (await guesses.load(type)).inFolder(place, inside);
    if (seen !== undefined) return seen;
  }
  return undefined;
}

/** Message about a file that describes data beside it, which are named instead; undefined for other files. */
export async function besideData(file: string): Promise<string | undefined> {
  for (const type of guesses.names()) {
    const message = await (await guesses.load(type)).besideData?.(file);
    if (message !== undefined) return message;
  }
  return undefined;
}

/** True for a file that describes data, as a data.yaml of YOLO does, under any name. */
export async function describesData(file: string): Promise<boolean> {
  for (const type of guesses.names()) if ((await (await guesses.load(type)).file?.isOne(file)) === true) return true;
  return false;
}
