import * as tf from '@tensorflow/tfjs-core';
import { countOfElements } from '../../data/dataset.ts';
import type { AnswerField } from '../../tasks/fields.ts';

/** Answers [batch, width] from the outputs of a model, each [batch, ...shape]. */
export function joinedOutputs(
  outputs: Readonly<Record<string, tf.Tensor>>,
  fields: readonly AnswerField[],
): tf.Tensor2D {
  const rows = fields.map(({ name }) => asRows(outputs[name]!));
  return rows.length === 1 ? rows[0]! : tf.concat(rows, 1);
}

function asRows(answers: tf.Tensor): tf.Tensor2D {
  const { shape } = answers;
  return shape.length === 2 ? (answers as tf.Tensor2D) : tf.reshape(answers, [-1, countOfElements(shape.slice(1))]);
}
