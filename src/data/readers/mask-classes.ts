import { shown, UserError } from '../../base/errors.ts';
import { readUtf8 } from '../../base/files.ts';
import type { MaskSize } from '../pictures/mask.ts';
import { IGNORED } from '../targets/ignored.ts';

/** `UserError` for a pixel of a class that does not exist. */
export function refuseUnknownClasses(mask: Uint8Array, file: string, { width }: MaskSize, classes: number): void {
  const at = mask.findIndex((value) => value >= classes && value !== IGNORED);
  if (at === -1) return;
  throw new UserError(
    `${file}: pixel ${at % width}, ${Math.floor(at / width)} (x, y) is ${mask[at]!}, and there are the classes 0 … ${classes - 1}`,
    `Name all classes in the order of their numbers; ${IGNORED} marks pixels without a class.`,
  );
}

/** Names of the classes in the masks of train: numbers if nothing names them. `UserError` for numbers that are hardly classes. */
export function maskClassNames(
  values: Uint8Array,
  source: string,
  named: readonly string[] | undefined,
): readonly string[] {
  const seen = new Set<number>();
  for (const value of values) if (value !== IGNORED) seen.add(value);
  const highest = Math.max(-1, ...seen);
  if (highest < 1)
    throw new UserError(
      `${source}: its masks hold no number besides 0 and ${IGNORED}, and ${IGNORED} marks pixels without a class`,
      'Write the number of its class at each pixel, such as 1 at those of the object and 0 at the background.',
    );
  if (named !== undefined) return named;
  if (2 * seen.size > highest) return Array.from({ length: highest + 1 }, (_, i) => String(i));
  throw new UserError(
    `${source}: nothing names the classes, and its masks hold ${seen.size} numbers up to ${highest}`,
    'Name the classes in the order of their numbers, as `classes` or in labels.txt; shades of grey are no numbers of classes.',
  );
}

/**
 * Class names of a file, one on each line, or those that the recipe gives them. labelme's lists begin with a name for pixels without a class.
 */
export async function listedClassNames(
  file: string,
  classes: readonly string[] | undefined,
): Promise<readonly string[]> {
  const lines = (await readUtf8(file)).split(/\r?\n/).map((line) => line.trim());
  const filled = lines.filter((line) => line !== '');
  const names = filled[0] === '__ignore__' ? filled.slice(1) : filled;
  if (names.length < 2)
    throw new UserError(
      `${file}: names ${names.length} classes, expected at least 2`,
      'Write a name on each line, in the order of the numbers in masks: 0 is often the background.',
    );
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UserError(`${file}: names the class ${shown(twice)} twice`, 'Give every class its own name.');
  if (classes === undefined) return names;
  if (classes.length === names.length && names.every((name, i) => name === classes[i] || !classes.includes(name)))
    return classes;
  throw new UserError(
    `${file}: names the classes ${names.join(', ')}, and the recipe ${classes.join(', ')}`,
    'Leave `classes` out, or name as many classes in the order of the file.',
  );
}
