import { UserError } from '../base/errors.ts';

/** Index in the teacher's answer of each class of the data set; undefined for the same order. */
export function orderOf(
  name: string,
  classes: readonly string[] | undefined,
  own: readonly string[],
): number[] | undefined {
  if (classes === undefined) return undefined;
  const known = new Set(own);
  const placeOf = new Map(classes.map((label, i) => [label, i]));
  const unknown = classes.find((label) => !known.has(label));
  // Of a name that is there twice the map has the last place.
  const twice = classes.find((label, i) => placeOf.get(label) !== i);
  if (unknown !== undefined || twice !== undefined || classes.length !== own.length) {
    const received =
      unknown !== undefined
        ? `the unknown class ${unknown}`
        : twice !== undefined
          ? `the class ${twice} twice`
          : `${classes.length} names`;
    throw new UserError(
      `teacher.classes: expected the ${own.length} classes of the data set in the order of ${name}, received ${received}`,
      `The classes of the data set: ${own.join(', ')}.`,
    );
  }
  return own.map((label) => placeOf.get(label)!);
}

/** Reorders a teacher's logits [n, classes] into the order of the data set. */
export function inClassOrder(logits: Float32Array, order: readonly number[] | undefined): Float32Array {
  if (order === undefined) return logits;
  const classes = order.length;
  return logits.map((_, i) => logits[i - (i % classes) + order[i % classes]!]!);
}

/**
 * Names of a file's answers if they are the data set's in another order. `UserError` if only some of them are at other positions, unless they are
 * numbers, which may count from another start.
 */
export function otherOrder(
  file: string,
  stated: readonly string[] | undefined,
  own: readonly string[],
  remedy = 'Give both the same names, in whatever order; `teacher.classes` may name the classes of a teacher in its order.',
): readonly string[] | undefined {
  if (stated?.length !== own.length || new Set(stated).size !== stated.length) return undefined;
  const moved = stated.find((name, i) => name !== own[i] && own.includes(name));
  if (moved === undefined) return undefined;
  if (stated.every((name) => own.includes(name))) return stated;
  if ([...stated, ...own].every((name) => /^\d+$/.test(name))) return undefined;
  throw new UserError(
    `${file}: answers for ${shortList(stated)}, and the data set has ${shortList(own)}: ${moved} is at another place`,
    remedy,
  );
}

function shortList(names: readonly string[]): string {
  return names.length <= 12 ? names.join(', ') : `${names.slice(0, 11).join(', ')}, …`;
}
