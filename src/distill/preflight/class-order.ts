import { inClassOrder } from '../../files/class-order.ts';
import { joinedValues, widthOfFields } from '../../tasks/fields.ts';
import type { AnswerField } from '../../tasks/fields.ts';

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
