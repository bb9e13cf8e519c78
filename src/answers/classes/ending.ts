import { argMax } from '../../base/numbers.ts';
import { ofLogits, softmaxRows, step } from '../../ship/answer-ending.ts';

export const ending = ofLogits({
  nodes: (logits) => [step('Softmax', logits, { axis: 1 })],
  answers: (logits, n) => ({ data: softmaxRows(logits, logits.length / n), isInteger: false }),
  decisions: (answers, { width }) =>
    Array.from({ length: answers.length / width }, (_, row) => argMax(answers, row * width, width)),
});
