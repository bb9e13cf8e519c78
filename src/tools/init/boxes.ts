import { guesses } from '../../data/readers/guess.ts';
import { dataType } from '../../recipe/data-types.ts';
import type { DataTypeName } from '../../recipe/data-types.ts';
import type { SeenData } from '../../data/readers/guess.ts';

/** Data with boxes or points in a folder, with their splits; `inside`: its names. Undefined if there are none in a layout that is read. */
export async function seenBoxes(
  place: string,
  inside: readonly string[],
  wantsBoxes = false,
): Promise<SeenData | undefined> {
  for (const type of typesFor(wantsBoxes)) {
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
  return (await describedAs(file)) !== undefined;
}

/** Type of the data that a file describes; undefined for other files. */
export async function describedAs(file: string, wantsBoxes = false): Promise<DataTypeName | undefined> {
  for (const type of typesFor(wantsBoxes))
    if ((await (await guesses.load(type)).file?.isOne(file)) === true) return type;
  return undefined;
}

function typesFor(wantsBoxes: boolean): readonly DataTypeName[] {
  const types = guesses.names() as readonly DataTypeName[];
  return wantsBoxes ? types.filter((type) => dataType(type).holds === 'boxes') : types;
}
