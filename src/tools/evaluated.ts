import type { Dataset } from '../data/dataset.ts';
import type { AnswerFormKind } from '../recipe/task.ts';
import { accuracyOf } from '../tasks/classification/chance.ts';
import { classesOf, perClassOf as countsOf } from '../tasks/classification/classes.ts';
import type { EvaluationFigures } from '../tasks/described.ts';
import type { Task } from '../tasks/task.ts';

type Evaluated = (task: Task, score: number, given: Float32Array, dataset: Dataset) => EvaluationFigures;

const scored: Evaluated = (task, value, given, { targets }) => {
  const { errors, labels, entities, masks, boxes, vectors } = task.describe(given, targets);
  return {
    score: { name: task.score.name, value },
    ...(errors && { errors }),
    ...(labels && { labels }),
    ...(entities && { entities }),
    ...(masks && { masks }),
    ...(boxes && { boxes }),
    ...(vectors && { vectors }),
  };
};

/** Figures of an evaluation by the form of the answers. */
export const EVALUATED: Readonly<Record<AnswerFormKind, Evaluated>> = {
  classes: ({ score, ...task }, value, given, dataset) => {
    const { classFigures } = task.describe(given, dataset.targets);
    return {
      ...(!score.isShareRight && { score: { name: score.name, value } }),
      accuracy: accuracyOf(given, dataset.targets, task.width),
      perClass: perClassOf(given, dataset),
      ...(classFigures && { classFigures }),
    };
  },
  numbers: scored,
  labels: scored,
  tags: scored,
  mask: scored,
  boxes: scored,
  vector: scored,
};

/** Accuracy of each class, by name. */
function perClassOf(logits: Float32Array, { targets, classNames: classes }: Dataset): Record<string, number | null> {
  const width = classes.length;
  const { samples, right } = countsOf(classesOf(logits, width), targets as Int32Array, width);
  return Object.fromEntries(classes.map((name, i) => [name, samples[i] === 0 ? null : right[i]! / samples[i]!]));
}
