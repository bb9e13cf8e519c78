import { classFiguresOf } from '../../../src/answers/classes/figures.ts';

// Expected values are those of scikit-learn 1.8: roc_auc_score (multi_class='ovr'), f1_score (average='macro') and log_loss of the softmax.
it('figures of two classes are those of scikit-learn, with equal probabilities too', () => {
  const logits = Float32Array.of(0, 2, 1, 0.5, 0, 2, 0, -1, 3, 1, 0, 0.25);
  const { auc, macroF1, logLoss } = classFiguresOf(logits, Int32Array.of(1, 0, 0, 0, 1, 1), 2);
  expect(auc).toBeCloseTo(0.5, 12);
  expect(macroF1).toBeCloseTo(0.6666666666666666, 12);
  expect(logLoss).toBeCloseTo(0.9573436874510152, 6);
});

it('figures of several classes are those of scikit-learn, and finite for an answer that is surely wrong', () => {
  const logits = Float32Array.of(2, 0, 0, 0, 1, 0.5, 0, 0, 3, 1, 2, 0, 0, 0.5, 0, -1, 0, 4, 30, 0, 0);
  const labels = Int32Array.of(0, 1, 2, 0, 1, 1, 2);
  const { auc, macroF1, logLoss } = classFiguresOf(logits, labels, 3);
  expect(auc).toBeCloseTo(0.561111111111111, 12);
  expect(macroF1).toBeCloseTo(0.5555555555555555, 12);
  expect(logLoss).toBeCloseTo(5.320209288183659, 6);
  // A class that no sample has or is given counts in neither mean.
  const wider = Float32Array.from({ length: 28 }, (_, i) =>
    i % 4 === 3 ? -200 : logits[Math.floor(i / 4) * 3 + (i % 4)]!,
  );
  const four = classFiguresOf(wider, labels, 4);
  expect([four.auc, four.macroF1, four.logLoss]).toEqual([auc, macroF1, logLoss]);
});

it('there is no curve without two classes', () => {
  expect(classFiguresOf(Float32Array.of(1, 0, 2, 0), Int32Array.of(0, 0), 2).auc).toBeNull();
});
