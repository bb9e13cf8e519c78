import type { Dataset } from '../data/dataset.ts';
import { accuracyOf } from '../tasks/classification/chance.ts';
import { classesOf, perClassOf as countsOf } from '../tasks/classification/classes.ts';
import type { EvaluationFigures } from '../tasks/described.ts';
import type { Task } from '../tasks/task.ts';

/** Figures of an evaluation: the accuracy, also of each class, where one class is right; else the score and what the task says of the answers. */
export function evaluated(task: Task, value: number, given: Float32Array, dataset: Dataset): EvaluationFigures {
  const { perClass: _, ...described } = task.describe(given, dataset.targets);
  if (task.classes === undefined) return { score: { name: task.score.name, value }, ...described };
  const { classFigures } = described;
  return {
    ...(!task.score.isShareRight && { score: { name: task.score.name, value } }),
    accuracy: accuracyOf(given, dataset.targets, task.width),
    perClass: perClassOf(given, dataset),
    ...(classFigures && { classFigures }),
  };
}

/** Accuracy of each class, by name. */
function perClassOf(logits: Float32Array, { targets, classNames: classes }: Dataset): Record<string, number | null> {
  const width = classes.length;
  const { samples, right } = countsOf(classesOf(logits, width), targets as Int32Array, width);
  return Object.fromEntries(classes.map((name, i) => [name, samples[i] === 0 ? null : right[i]! / samples[i]!]));
}
