import { percent } from '../../base/numbers.ts';
import type { Dataset } from '../../data/dataset.ts';
import { targetsOf } from '../../data/targets/registry.ts';
import { boxesOfAll, detectionsOf } from './detections.ts';
import { overlapOf, ROW } from './suppression.ts';
import { taskOf } from '../../tasks/registry.ts';
import { explainingOrder, wrongOrder } from '../../distill/preflight/diagnosis.ts';
import type { TeacherFault } from '../../distill/preflight/diagnosis.ts';

/** Overlap from which on a detector's box is one of the labelled object, whatever its class. */
const SAME = 0.5;
/** Least number of objects that tell an order of classes. */
const FEWEST = 20;

/**
 * Order of a detector's classes that explains how it names the objects that it finds; undefined for other tasks, and if the order is right. `given`:
 * answers to these rows. `declared`: order in the recipe or the file.
 */
export function otherBoxClasses(
  given: Float32Array,
  dataset: Dataset,
  { rows, declared }: { readonly rows: Int32Array; readonly declared?: readonly string[] | undefined },
): TeacherFault | undefined {
  const { boxes, taught, targetWidth } = taskOf(dataset);
  if (boxes === undefined || taught === undefined) return undefined;
  const final = given.length === rows.length * ROW ? given : taught.of(given);
  const truth = boxesOfAll(targetsOf(dataset, rows), targetWidth);
  const pairs = truth.flatMap((objects, i) => {
    // The surest first.
    const found = detectionsOf(final.subarray(i * ROW, (i + 1) * ROW));
    return objects.flatMap((object) => {
      const match = object.isIgnored ? undefined : found.find((box) => overlapOf(box, object) >= SAME);
      return match === undefined ? [] : [{ answer: match.label, label: object.label }];
    });
  });
  if (pairs.length < FEWEST) return undefined;
  const [answers, labels] = [pairs.map(({ answer }) => answer), pairs.map(({ label }) => label)];
  const right = answers.filter((answer, i) => answer === labels[i]).length / pairs.length;
  const { classNames } = dataset;
  const order = explainingOrder(Int32Array.from(answers), Int32Array.from(labels), classNames, right);
  if (order === undefined) return undefined;
  const { fact, ...remedy } = wrongOrder(order, classNames, declared);
  return {
    fact: `of the ${pairs.length} labelled boxes that it finds it names ${percent(right, 1)} rightly, and ${fact}`,
    ...remedy,
  };
}
