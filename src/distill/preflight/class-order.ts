import { UserError } from '../../base/errors.ts';
import { joinedValues, widthOfFields } from '../../tasks/fields.ts';
import type { AnswerField } from '../../tasks/fields.ts';

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
 * Answers [n, width] of several outputs in the order of the data set: the classes of the first field, or of a detector's scores, or all numbers of a row
 * where each has a name.
 */
export function joinedInOrder(
  values: Readonly<Record<string, Float32Array>>,
  fields: readonly AnswerField[],
  n: number,
  order: readonly number[] | undefined,
): Float32Array {
  if (order === undefined || fields.length === 1 || order.length === widthOfFields(fields))
    return inClassOrder(joinedValues(values, fields, n), order);
  // Of a detector's fields the second has the classes.
  const { name } = fields.find((field) => field.name === 'scores') ?? fields[0]!;
  return joinedValues({ ...values, [name]: inClassOrder(values[name]!, order) }, fields, n);
}

/** Accuracy of a teacher after its answers are reassigned to classes. */
export interface Reordering {
  /** The classes in the best order. */
  readonly classes: readonly string[];
  readonly accuracy: number;
}

/** Assigns each answer to the class that it most often stands for, the clearest first. */
export function reordered(answers: Int32Array, labels: Int32Array, names: readonly string[]): Reordering {
  const classes = names.length;
  // Pairs that some sample has: their number does not grow with the square of the classes.
  const counts = new Map<number, number>();
  answers.forEach((answer, i) => {
    const pair = answer * classes + labels[i]!;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  });
  // Among equally good assignments an answer keeps its own class, then the first pair counts.
  const pairs = [...counts].map(([pair, count]) => ({
    answer: Math.floor(pair / classes),
    label: pair % classes,
    count,
  }));
  const fit = ({ answer, label, count }: (typeof pairs)[number]): number => count + (answer === label ? 0.5 : 0);
  const labelOf = new Map<number, number>();
  const taken = new Set<number>();
  let right = 0;
  const assign = (answer: number, label: number, count: number): void => {
    if (labelOf.has(answer) || taken.has(label)) return;
    labelOf.set(answer, label);
    taken.add(label);
    right += count;
  };
  pairs.sort((a, b) => fit(b) - fit(a) || a.answer - b.answer || a.label - b.label);
  for (const { answer, label, count } of pairs) assign(answer, label, count);
  names.forEach((_, own) => assign(own, own, 0));
  const free = names.filter((_, label) => !taken.has(label)).values();
  return {
    classes: names.map((_, answer) => (labelOf.has(answer) ? names[labelOf.get(answer)!]! : free.next().value!)),
    accuracy: right / labels.length,
  };
}

/** Class names as text for a recipe, quoted if YAML would read another type: 3 is a number and no is false. */
export function classList(names: readonly string[]): string {
  const isPlain = (name: string): boolean =>
    /^[A-Za-z_][\w ./-]*[\w]$|^[A-Za-z_]$/.test(name) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(name);
  return `[${names.map((name) => (isPlain(name) ? name : JSON.stringify(name))).join(', ')}]`;
}
