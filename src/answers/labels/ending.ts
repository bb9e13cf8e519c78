import { ofLogits, step } from '../../ship/answer-ending.ts';

export const ending = ofLogits({
  nodes: (logits) => [step('Sigmoid', logits)],
  answers: (logits) => ({ data: logits.map((value) => 1 / (1 + Math.exp(-value))), isInteger: false }),
  decisions: (answers) => Array.from(answers, (value) => Number(value >= 0.5)),
});
