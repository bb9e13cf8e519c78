import type { AnswerFormKind } from '../recipe/task.ts';

/** How a model's answer is said: the form, and the names of the classes, numbers, labels or tags in the order of the model's outputs, where they are known. */
export interface AnswerForm {
  readonly kind: AnswerFormKind;
  readonly names: readonly string[] | undefined;
}

/** Names of answers as the server states them, under a key that tells the form. */
export interface StatedNames {
  readonly labels?: readonly string[];
  /** Names of the answers of a model that does not choose one class: labels that a sample may have several of, or numbers. */
  readonly targets?: readonly string[];
  /** Tags, of which the model gives each word of a text one. */
  readonly tags?: readonly string[];
  /** Classes, of which the model gives each pixel of a picture one. */
  readonly mask?: readonly string[];
  /** Classes of the boxes that the model finds in a picture. */
  readonly boxes?: readonly string[];
  /** True if an answer is a vector to search with, whose numbers have no names. */
  readonly vector?: true;
  /** True if answers are logits: softmax turns them into probabilities, or, for `targets`, the logistic function of each. */
  readonly logits: boolean;
}

/** Form of answers with these names; `classes` without names if nothing is stated. */
export function statedForm({ labels, targets, tags, mask, boxes, vector, logits }: StatedNames): AnswerForm {
  if (vector === true) return { kind: 'vector', names: undefined };
  if (boxes !== undefined) return { kind: 'boxes', names: boxes };
  if (mask !== undefined) return { kind: 'mask', names: mask };
  if (tags !== undefined) return { kind: 'tags', names: tags };
  if (targets === undefined) return { kind: 'classes', names: labels };
  return { kind: logits ? 'labels' : 'numbers', names: targets };
}

/** Names of the answers of a file, under the key of the part of a sample that each is about. */
export function namesByPart(
  metadata: ReadonlyMap<string, string>,
  names: readonly string[] | undefined,
): Pick<StatedNames, 'targets' | 'tags' | 'mask' | 'boxes' | 'vector'> {
  const task = metadata.get('task');
  if (task === 'tagging') return { tags: names ?? [] };
  if (task === 'segmentation') return { mask: names ?? [] };
  if (task === 'detection') return { boxes: names ?? [] };
  if (task === 'embedding' || task === 'sentence-similarity') return { vector: true };
  return names === undefined ? {} : { targets: names };
}
