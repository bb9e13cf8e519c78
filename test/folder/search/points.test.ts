import { excessOf, paretoSet, pickOf, survivors } from '../../../src/folder/search/points.ts';
import type { Point } from '../../../src/folder/search/points.ts';
import { RandomStream } from '../../../src/base/random.ts';

const point = (id: string, validation: number, p95Ms: number, sizeBytes: number): Point => ({
  ...{ id, run: id, model: 'scratch', validation, p95Ms, sizeBytes },
  ...{ width: 1, amount: 0, precision: 'fp32', epochs: 1, params: 1, p50Ms: p95Ms },
});

/** Said again here, so that the test does not believe what it tests. */
const beats = (a: Point, b: Point): boolean => {
  const gains = [a.validation - b.validation, b.p95Ms - a.p95Ms, b.sizeBytes - a.sizeBytes];
  return gains.every((gain) => gain >= 0) && gains.some((gain) => gain > 0);
};

describe('points of a search', () => {
  it('exceed a budget by the largest share over one of its limits', () => {
    const it = point('a', 0.9, 2, 30_000);
    expect(excessOf(it, { p95Ms: 2, sizeKb: 30, maxDrop: 5 }, 0.95)).toBeCloseTo(0, 9);
    expect(excessOf(it, { p95Ms: 1, sizeKb: 20 }, undefined)).toBeCloseTo(1, 9);
    expect(excessOf(it, { sizeKb: 20 }, 0.95)).toBeCloseTo(0.5, 9);
    expect(excessOf(it, { maxDrop: 0 }, 0.95)).toBeCloseTo(0.05 / 0.95, 9);
    expect(excessOf(it, { p95Ms: 4 }, 0.95)).toBeCloseTo(-0.5, 9);
    expect(excessOf(it, { p95Ms: 4, maxDrop: 50 }, undefined)).toBe(Infinity);
  });

  it('are in the Pareto set exactly if nothing dominates them, equal ones included', () => {
    const random = new RandomStream('points');
    const coarse = (): number => random.below(20) + 1;
    const points = Array.from({ length: 60 }, (_, i) => point(String(i), coarse() / 20, coarse(), coarse()));
    points.push({ ...points[0]!, id: 'equal' });
    const front = paretoSet(points);
    expect(front.length).toBeGreaterThan(3);
    for (const each of points) expect(front.includes(each)).toBe(!points.some((other) => beats(other, each)));
    for (const each of points) {
      expect(front.includes(each) || front.some((other) => beats(other, each))).toBe(true);
    }
  });

  it('are picked by accuracy within the budget, and by closeness to it where none is within', () => {
    const points = [point('good', 0.95, 3, 10), point('fast', 0.9, 1, 10), point('faster', 0.92, 1, 10)];
    expect(pickOf(points, { p95Ms: 2 }, undefined)?.id).toBe('faster');
    expect(pickOf(points, { p95Ms: 5 }, undefined)?.id).toBe('good');
    expect(pickOf([point('far', 0.99, 9, 9), point('near', 0.1, 3, 9)], { p95Ms: 2 }, undefined)?.id).toBe('near');
    expect(pickOf([], { p95Ms: 2 }, undefined)).toBeUndefined();
  });

  it('keep the better half of the candidates, with room for the Pareto set', () => {
    const groups = new Map([
      ['slow', [point('1', 0.99, 9, 9)]],
      ['best', [point('2', 0.9, 1, 2)]],
      ['beaten', [point('3', 0.89, 1.5, 3)]],
      ['small', [point('4', 0.5, 1, 1)]],
    ]);
    expect(survivors(groups, { p95Ms: 2 }, undefined)).toEqual(['best', 'small']);
    expect(survivors(new Map([['one', [point('1', 1, 1, 1)]]]), { p95Ms: 2 }, undefined)).toEqual(['one']);
  });
});
