import { RandomStream } from '../../src/base/random.ts';
import { binOf, largestGap, spreadOf, stabilityIndex, usualAnswers } from '../../src/measure/usual-answers.ts';

describe('the spread of an answer', () => {
  it('is its class, the probability of that and the entropy of all', () => {
    const p = [0.2, 0.5, 0.3];
    const { best, confidence, entropy } = spreadOf([9, ...p.map((share) => Math.log(share) + 7)], 1, 3);
    expect(best).toBe(1);
    expect(confidence).toBeCloseTo(0.5, 9);
    expect(entropy).toBeCloseTo(-p.reduce((sum, share) => sum + share * Math.log(share), 0), 9);
    expect(spreadOf([1000, 0, -Infinity], 0, 3)).toEqual({ best: 0, confidence: 1, entropy: 0 });
  });
});

describe('usual answers', () => {
  const random = new RandomStream('usual');
  const logits = Float32Array.from({ length: 3000 }, () => 4 * random.normal());

  it('are counted in bins of about as many samples each', () => {
    const usual = usualAnswers(logits, 3, 'test');
    expect(usual.samples).toBe(1000);
    expect(usual.classes.reduce((sum, count) => sum + count, 0)).toBe(1000);
    for (const { edges, counts } of [usual.confidence, usual.entropy]) {
      expect(counts).toHaveLength(edges.length + 1);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1000);
      expect(Math.max(...counts)).toBeLessThan(60);
      expect([...edges].sort((a, b) => a - b)).toEqual(edges);
    }
  });

  it('have fewer bins where many samples are alike', () => {
    const { confidence } = usualAnswers(
      Float32Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 1000 : 0)),
      3,
      'test',
    );
    expect(confidence).toEqual({ edges: [], counts: [100] });
  });

  it('are found again by their edges', () => {
    expect([-1, 1, 1.5, 2, 9].map((value) => binOf([1, 2], value))).toEqual([0, 0, 1, 1, 2]);
  });
});

describe('two histograms', () => {
  it('of one distribution have an index near 0, whatever the number of samples', () => {
    const random = new RandomStream('index');
    const drawn = (n: number): number[] => {
      const counts = Array.from({ length: 20 }, () => 0);
      for (let i = 0; i < n; i++) counts[random.below(20)]!++;
      return counts;
    };
    const indices = Array.from({ length: 200 }, () => stabilityIndex(drawn(200), drawn(10_000)));
    expect(Math.max(...indices)).toBeLessThan(0.12);
    expect(indices.reduce((sum, value) => sum + value, 0) / 200).toBeLessThan(0.03);
  });

  it('of two have the index and the gap that their shares say', () => {
    const [p, q] = [
      [0.5, 0.3, 0.2],
      [0.2, 0.3, 0.5],
    ];
    const counts = p.map((share) => 1e6 * share);
    const reference = q.map((share) => 1e6 * share);
    const expected = p.reduce((sum, share, i) => sum + (share - q[i]!) * Math.log(share / q[i]!), 0);
    expect(stabilityIndex(counts, reference)).toBeCloseTo(expected, 4);
    expect(largestGap(counts, reference)).toBeCloseTo(0.3, 9);
    expect(stabilityIndex([10, 0, 0], [0, 0, 10])).toBeGreaterThan(1);
  });
});
