import { oneClassWarning } from '../../../src/tasks/classification/one-class.ts';

/** Class k as often as `counts[k]` says. */
const said = (...counts: number[]): Int32Array =>
  Int32Array.from(counts.flatMap((count, k) => Array.from({ length: count }, () => k)));

it('a model that gives (nearly) one class to samples of several is named, with the class', () => {
  expect(oneClassWarning('m.onnx', said(0, 100), said(50, 50), ['cat', 'dog'])).toMatch(
    /^m\.onnx: answers dog to 100\.0 % of 100 samples/,
  );
  expect(oneClassWarning('m', said(95, 5), said(50, 50))).toMatch(/^m: answers class 0 to 95\.0 %/);
});

it('one that is right is not, also where nearly all samples are of one class', () => {
  expect(oneClassWarning('m', said(50, 50), said(50, 50))).toBeUndefined();
  expect(oneClassWarning('m', said(97, 3), said(95, 5))).toBeUndefined();
  expect(oneClassWarning('m', said(100), said(100))).toBeUndefined();
  // Of so few samples nothing can be said.
  expect(oneClassWarning('m', said(4), said(2, 2))).toBeUndefined();
});
