import { ofLogits, step } from '../../ship/answer-ending.ts';

export const ending = ofLogits({
  // The logits [batch, rows, columns, classes] are resized bilinearly between the centres of cells, and the first of the largest is taken.
  nodes: (logits, [, rows, columns], { masks }) => {
    const { size } = masks!;
    const resize = step('ResizeBilinear', logits, { size, alignCorners: false, halfPixelCenters: true });
    const resized = rows === size[0] && columns === size[1] ? [] : [resize];
    const indexes = step('ArgMax', resized[0]?.outputs[0] ?? logits, { axis: 3 });
    return [...resized, indexes, step('Cast', indexes.outputs[0]!, { dtype: 'uint8' })];
  },
  answers: (logits, n, { masks }) => {
    const rows = Array.from({ length: n }, (_, row) => Float64Array.from(masks!.given(logits, row)));
    const data = new Float64Array(rows.reduce((sum, { length }) => sum + length, 0));
    rows.forEach((mask, row) => data.set(mask, row * mask.length));
    return { data, isInteger: true };
  },
  decisions: (answers) => answers,
});
