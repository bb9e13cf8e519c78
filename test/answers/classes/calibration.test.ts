import { calibrationOf, reliabilityOf } from '../../../src/answers/classes/calibration.ts';
import { sideBySide } from '../../../src/tasks/classification/classes.ts';

/** Logits of a two-class model that is sure of its class by these probabilities. */
const logits = (rows: readonly (readonly [sure: number, says: 0 | 1])[]): Float32Array =>
  Float32Array.from(
    rows.flatMap(([sure, says]) => {
      const gap = Math.log(sure / (1 - sure));
      return says === 0 ? [gap, 0] : [0, gap];
    }),
  );

describe('calibration', () => {
  it('is the gap between accuracy and confidence, bin by bin, weighted by samples', () => {
    // Bins of a fifteenth: 0.6-0.667 holds 0.62 and 0.64, 0.867-0.933 holds 0.9 twice, 0.933-1 holds 0.98.
    const rows = [
      [0.62, 0],
      [0.64, 1],
      [0.9, 0],
      [0.9, 1],
      [0.98, 1],
    ] as const;
    const { ece, confidence, bins } = calibrationOf(logits(rows), Int32Array.of(0, 0, 0, 1, 0), 2);
    expect(bins).toHaveLength(15);
    const rounded = (i: number) => ({ ...bins[i], confidence: Number(bins[i]!.confidence!.toFixed(5)) });
    expect(rounded(9)).toEqual({ samples: 2, confidence: 0.63, accuracy: 0.5 });
    expect(rounded(13)).toEqual({ samples: 2, confidence: 0.9, accuracy: 1 });
    expect(rounded(14)).toEqual({ samples: 1, confidence: 0.98, accuracy: 0 });
    expect(bins[0]).toEqual({ samples: 0, confidence: null, accuracy: null });
    expect(ece).toBeCloseTo((2 * 0.13 + 2 * 0.1 + 0.98) / 5, 5);
    expect(confidence).toBeCloseTo((0.62 + 0.64 + 1.8 + 0.98) / 5, 5);
  });

  it('has the upper end of a bin in it, and is not hurt by large logits', () => {
    // Three equal logits of 1000: a third each, the end of the fifth bin of fifteen.
    const { bins, ece } = calibrationOf(new Float32Array(3).fill(1000), Int32Array.of(0), 3);
    expect(bins[4]!.samples).toBe(1);
    expect(ece).toBeCloseTo(2 / 3, 6);
    expect(calibrationOf(Float32Array.of(5000, 0), Int32Array.of(0), 2)).toMatchObject({ ece: 0, confidence: 1 });
  });
});

describe('two models side by side', () => {
  it('are told apart by who is right, and whether errors are the same', () => {
    const labels = Int32Array.of(0, 1, 2, 0, 1, 2);
    const own = Int32Array.of(0, 1, 0, 1, 0, 0);
    const other = Int32Array.of(0, 0, 2, 1, 2, 2);
    expect(sideBySide(own, other, labels)).toEqual({
      ...{ bothRight: 1, onlyThis: 1, onlyOther: 2, sameError: 1, differentErrors: 1 },
    });
  });
});

it('the probabilities of a label are held against how often it is there, bin by bin', () => {
  // Bins (0, 0.5] and (0.5, 1]: 0.2 and 0.4 with one of two, 0.6, 0.8 and 1 with all three.
  const { ece, bins } = reliabilityOf([0.2, 0.4, 0.6, 0.8, 1], [true, false, true, true, true], 2);
  expect(bins[0]).toEqual({ samples: 2, probability: expect.closeTo(0.3, 12) as number, share: 0.5 });
  expect(bins[1]).toEqual({ samples: 3, probability: expect.closeTo(0.8, 12) as number, share: 1 });
  expect(ece).toBeCloseTo((2 * 0.2 + 3 * 0.2) / 5, 12);
});
