// Needs the features labels, numbers and tags.
import { EVALUATIONS } from '../../../src/commands/terminal/evaluation.ts';

for (const form of EVALUATIONS.names()) await EVALUATIONS.load(form);

const rowsOf = (text: string): string[][] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));

it('classes have their accuracy, and a class without a sample none', () => {
  const classFigures = { auc: 0.93204, macroF1: 0.871, logLoss: 0.301 };
  const text = EVALUATIONS.of('classes')({ perClass: { cat: 0.5, dog: null }, classFigures });
  const rows = [['class', 'accuracy'], ['cat', '50.00 %'], ['dog', '-']]; // prettier-ignore
  expect(rowsOf(text)).toEqual([...rows, ['ROC AUC 93.20 %, macro F1 87.10 %, log loss 0.301']]);
  expect(rowsOf(EVALUATIONS.of('classes')({ perClass: { cat: 0.5, dog: null } }))).toEqual(rows);
});

it('numbers have their errors', () => {
  const rows = [{ name: 'age', mae: 1.5, rmse: 2.25, r2: null, bias: 0 }];
  const text = EVALUATIONS.of('numbers')({ errors: { rows, points: [] } });
  expect(rowsOf(text)).toEqual([['predicts', 'MAE', 'RMSE', 'R²'], ['age', '1.5', '2.25', '-']]); // prettier-ignore
});

it('labels have their average precision and F1', () => {
  const rows = [{ name: 'red', samples: 3, averagePrecision: 0.25, f1: null }];
  const text = EVALUATIONS.of('labels')({ labels: { meanAveragePrecision: 0.25, rightDecisions: 1, rows } });
  expect(rowsOf(text)).toEqual([['label', 'samples', 'average precision', 'F1'], ['red', '3', '25.00 %', '-']]); // prettier-ignore
});

it('entities have a row for each type, and a sentence on the words below', () => {
  const figures = { there: 2, given: 1, right: 1, precision: 1, recall: 0.5, f1: 2 / 3 };
  const text = EVALUATIONS.of('tags')({
    entities: { words: 8, rightWords: 0.875, precision: 1, recall: 0.5, rows: [{ name: 'LOC', ...figures }] },
  });
  const rows = rowsOf(text);
  expect(rows.map(([first]) => first).slice(1)).toContain('LOC');
  expect(rows.at(-1)).toEqual(['right on 87.50 % of 8 words']);
});
