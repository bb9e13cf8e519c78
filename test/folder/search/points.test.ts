import { excessOf, paretoSet, pickOf, survivors } from '../../../src/folder/search/points.ts';
import type { Judge, MeasuredPoint } from '../../../src/folder/search/points.ts';
import { accuracyScore } from '../../../src/tasks/score.ts';
import { scoreOfTask } from '../../../src/tasks/registry.ts';
import { RandomStream } from '../../../src/base/random.ts';

const point = (id: string, validation: number, p95Ms: number, sizeBytes: number): MeasuredPoint => ({
  ...{ id, run: id, model: 'scratch', validation, p95Ms, sizeBytes },
  ...{ width: 1, amount: 0, precision: 'fp32', epochs: 1, params: 1, p50Ms: p95Ms },
});

const by = (budget: Judge['budget'], teacher?: number): Judge => ({ budget, teacher, score: accuracyScore });

/** Said again here, so that the test does not believe what it tests. */
const beats = (a: MeasuredPoint, b: MeasuredPoint): boolean => {
  const gains = [a.validation - b.validation, b.p95Ms - a.p95Ms, b.sizeBytes - a.sizeBytes];
  return gains.every((gain) => gain >= 0) && gains.some((gain) => gain > 0);
};

describe('points of a search', () => {
  it('exceed a budget by the largest share over one of its limits', () => {
    const it = point('a', 0.9, 2, 30_000);
    expect(excessOf(it, by({ p95Ms: 2, sizeKb: 30, maxDrop: 5 }, 0.95))).toBeCloseTo(0, 9);
    expect(excessOf(it, by({ p95Ms: 1, sizeKb: 20 }))).toBeCloseTo(1, 9);
    expect(excessOf(it, by({ sizeKb: 20 }, 0.95))).toBeCloseTo(0.5, 9);
    expect(excessOf(it, by({ maxDrop: 0 }, 0.95))).toBeCloseTo(0.05 / 0.95, 9);
    expect(excessOf(it, by({ p95Ms: 4 }, 0.95))).toBeCloseTo(-0.5, 9);
    expect(excessOf(it, by({ p95Ms: 4, maxDrop: 50 }))).toBe(Infinity);
  });

  it('are in the Pareto set exactly if nothing dominates them, equal ones included', () => {
    const random = new RandomStream('points');
    const coarse = (): number => random.below(20) + 1;
    const points = Array.from({ length: 60 }, (_, i) => point(String(i), coarse() / 20, coarse(), coarse()));
    points.push({ ...points[0]!, id: 'equal' });
    const front = paretoSet(points, accuracyScore);
    expect(front.length).toBeGreaterThan(3);
    for (const each of points) expect(front.includes(each)).toBe(!points.some((other) => beats(other, each)));
    for (const each of points) {
      expect(front.includes(each) || front.some((other) => beats(other, each))).toBe(true);
    }
  });

  it('are picked by accuracy within the budget, and by closeness to it where none is within', () => {
    const points = [point('good', 0.95, 3, 10), point('fast', 0.9, 1, 10), point('faster', 0.92, 1, 10)];
    expect(pickOf(points, by({ p95Ms: 2 }))?.id).toBe('faster');
    expect(pickOf(points, by({ p95Ms: 5 }))?.id).toBe('good');
    expect(pickOf([point('far', 0.99, 9, 9), point('near', 0.1, 3, 9)], by({ p95Ms: 2 }))?.id).toBe('near');
    expect(pickOf([], by({ p95Ms: 2 }))).toBeUndefined();
  });

  it('keep the better half of the candidates, with room for the Pareto set', () => {
    const groups = new Map([
      ['slow', [point('1', 0.99, 9, 9)]],
      ['best', [point('2', 0.9, 1, 2)]],
      ['beaten', [point('3', 0.89, 1.5, 3)]],
      ['small', [point('4', 0.5, 1, 1)]],
    ]);
    expect(survivors(groups, by({ p95Ms: 2 }))).toEqual(['best', 'small']);
    expect(survivors(new Map([['one', [point('1', 1, 1, 1)]]]), by({ p95Ms: 2 }))).toEqual(['one']);
  });

  it('of an error are the better the lower it is, and may lose so many percent of it', () => {
    const points = [point('good', 40, 3, 10), point('fast', 60, 1, 10), point('worse', 61, 1, 10)];
    const judge = (budget: Judge['budget'], teacher?: number): Judge => ({
      budget,
      teacher,
      score: scoreOfTask('regression'),
    });
    expect(paretoSet(points, scoreOfTask('regression')).map(({ id }) => id)).toEqual(['good', 'fast']);
    expect(pickOf(points, judge({ p95Ms: 5 }))?.id).toBe('good');
    expect(pickOf(points, judge({ p95Ms: 2 }))?.id).toBe('fast');
    expect(excessOf(points[1]!, judge({ maxDrop: 50 }, 40))).toBeCloseTo(0, 9);
    expect(excessOf(points[1]!, judge({ maxDrop: 10 }, 40))).toBeCloseTo(0.4, 9);
    expect(excessOf(point('exact', 0, 1, 1), judge({ maxDrop: 0 }, 0))).toBe(0);
  });
});
