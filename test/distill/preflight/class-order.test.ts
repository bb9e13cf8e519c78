import { parse } from 'yaml';
import { classList, reordered } from '../../../src/distill/preflight/class-order.ts';

describe('the order of classes', () => {
  it('is found where two classes are changed over, and only those', () => {
    const labels = Int32Array.from({ length: 90 }, (_, i) => i % 3);
    const answers = labels.map((label) => [0, 2, 1][label]!);
    expect(reordered(answers, labels, ['a', 'b', 'c'])).toEqual({ classes: ['a', 'c', 'b'], accuracy: 1 });
  });

  it('stays as it is for classes that are never answered', () => {
    const found = reordered(new Int32Array(9), new Int32Array(9), ['a', 'b', 'c']);
    expect(found.classes).toEqual(['a', 'b', 'c']);
  });

  it('is printed so that a recipe that it is pasted into has the same names', () => {
    const names = ['0', '3.5', 'no', 'null', 'T-shirt/top', 'a, b', 'x: y', '"', 'Ankle boot', '', '~', 'é'];
    expect(parse(classList(names))).toEqual(names);
  });
});

it('a class stays in its place where another one fits as well', () => {
  const [answers, labels] = [Int32Array.of(0, 0, 1, 1, 1, 1), Int32Array.of(0, 1, 0, 0, 1, 1)];
  expect(reordered(answers, labels, ['a', 'b'])).toEqual({ classes: ['a', 'b'], accuracy: 0.5 });
});

it('pairs classes that were never seen with the first that are free, and takes no square of 20,000 classes', () => {
  expect(reordered(Int32Array.of(0, 1), Int32Array.of(2, 0), ['a', 'b', 'c'])).toEqual({
    ...{ classes: ['c', 'a', 'b'], accuracy: 1 },
  });
  const names = Array.from({ length: 20_000 }, (_, i) => `c${i}`);
  const labels = Int32Array.from(names.keys());
  expect(reordered(labels.slice().reverse(), labels, names).classes[0]).toBe('c19999');
});
