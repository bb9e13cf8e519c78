import { beyondBudget, lengthBeyondBudget, likenessText } from '../../../src/convert/budgets.ts';
import { LikenessTally } from '../../../src/convert/likeness.ts';
import type { OutputLikeness } from '../../../src/convert/likeness.ts';

interface Options {
  readonly classes?: number;
  readonly isInteger?: boolean;
  readonly samples?: number;
}

function likeness(expected: readonly number[], actual: readonly number[], options: Options = {}): OutputLikeness {
  const { classes, isInteger = false, samples = expected.length } = options;
  const tally = new LikenessTally('y', classes);
  const values = (of: readonly number[]) => ({
    data: Float64Array.from(of),
    shape: [samples, of.length / samples],
    isInteger,
  });
  tally.add(values(expected), values(actual));
  return tally.result();
}

describe('two outputs', () => {
  it('of the same numbers do not differ, infinities and NaN at the same places included', () => {
    const same = likeness([1, Infinity, NaN, -2], [1, Infinity, NaN, -2]);
    expect(same).toMatchObject({ sqnrDb: Infinity, relativeError: 0, largestError: 0 });
    expect(beyondBudget(same, 'fp32')).toBeUndefined();
  });

  it('differ by the power of the error, and by the largest one as a share of the range', () => {
    // 3² + 4² over 0.3² + 0.4² is 100.
    const { sqnrDb, relativeError } = likeness([3, -4], [3.3, -4.4]);
    expect(sqnrDb).toBeCloseTo(20, 10);
    expect(relativeError).toBeCloseTo(0.4 / 7, 10);
  });

  it.each([
    ['a NaN', [1, 2], [1, NaN]],
    ['an infinity', [1, 2], [1, Infinity]],
    ['a number for a NaN', [1, NaN], [1, 2]],
    ['another length', [1, 2], [1]],
  ])('of which one has %s are not alike in any precision', (_what, expected, actual) => {
    const unlike = likeness(expected, actual);
    expect(unlike.sqnrDb).toBe(-Infinity);
    expect(beyondBudget(unlike, 'int4')).toMatch(/^output y: no likeness at all/);
  });

  it('whose answers hardly differ between samples are told by what does', () => {
    // Temperatures in kelvin, of which the file has kept the mean alone.
    const kelvin = likeness([290, 300, 310, 300], [300, 300, 300, 300]);
    expect(kelvin.sqnrDb).toBeGreaterThan(30);
    expect(kelvin.variationDb).toBeCloseTo(0, 5);
    expect(likeness([5, 5, 5], [5, 5, 6]).variationDb).toBeNull();
  });

  it('are lost in part where the error is larger than what differs there, as scores beside boxes', () => {
    // Rows of two boxes and two scores; the last number is the same in every sample.
    const boxes = [100, 300, 0.2, 7, 200, 50, 0.4, 7, 50, 400, 0.3, 7];
    const rounded = boxes.map((value) => 10 * Math.round(value / 10));
    const part = likeness(boxes, rounded, { samples: 3 });
    expect(part.sqnrDb).toBeGreaterThan(30);
    const error = Math.sqrt((0.2 ** 2 + 0.4 ** 2 + 0.3 ** 2) / 3);
    expect(part.lost).toEqual({ axis: 1, places: [2], of: 4, error: expect.closeTo(error, 6) as number });
    const exact = boxes.map((value) => value * (1 + 1e-7));
    expect(likeness(boxes, exact, { samples: 3 }).lost).toBeNull();
    // All of it is told by `variationDb`.
    expect(likeness([1, 2, 3, 4], [0, 0, 0, 0], { samples: 2 }).lost).toBeNull();
  });

  it('of classes are compared by class too, those of labels by equality alone', () => {
    const scores = likeness([1, 0, 0, 1], [0, 1, 0, 1], { classes: 2, samples: 2 });
    expect(scores.top1Agreement).toBe(0.5);
    expect(beyondBudget(scores, 'int8')).toMatch(
      /same class on 50\.00 %; expected at least 10 dB and the same class on 90/,
    );
    const labels = likeness([7, 8, 9, 9], [7, 8, 9, 1], { isInteger: true });
    expect(labels).toMatchObject({ sqnrDb: null, top1Agreement: 0.75 });
    expect(likenessText(labels)).toBe('output y: same value on 75.00 %');
  });

  it('of a regression have no classes, whatever their largest number is', () => {
    const off = likeness([1, 2, 3], [0.02, 0.04, 0.06]);
    expect(off.top1Agreement).toBeNull();
    expect(beyondBudget(off, 'int8')).toMatch(/^output y: 0\.2 dB, largest error 147\.00 % of its range; expected/);
  });
});

it('vectors of another length are refused, whatever their directions are', () => {
  const unit = Float32Array.of(1, 0, 0.6, 0.8, 0, 0);
  expect(lengthBeyondBudget(unit, Float32Array.of(0.99, 0, 0.6, 0.81, 0, 0), 2)).toBeUndefined();
  expect(lengthBeyondBudget(unit, Float32Array.of(1, 0, 0.48, 0.64, 0, 0), 2)).toBe(
    'a vector of length 0.8000; expected 1.0000',
  );
  expect(lengthBeyondBudget(unit, Float32Array.of(1, 0, 0.6, NaN, 0, 0), 2)).toMatch(/^a vector of length NaN/);
});
