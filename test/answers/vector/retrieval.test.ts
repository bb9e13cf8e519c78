import {
  hitsOf,
  likenessOf,
  NEIGHBOURS,
  ofClasses,
  ofNeighbours,
  retrievalOf,
} from '../../../src/answers/vector/retrieval.ts';

/** Directions in degrees as vectors. */
const at = (...degrees: number[]) => ({
  values: Float32Array.from(
    degrees.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]),
  ),
  width: 2,
});

describe('retrieval by classes', () => {
  // In order of nearness: 0 → 1, 2, 3, 4; 1 → 0, 2, 3, 4; 2 → 1, 3, 0, 4; 3 → 2, 4, 1, 0; 4 → 3, 2, 1, 0.
  const vectors = at(0, 10, 25, 41, 60);
  const classes = [0, 1, 0, 1, 0];

  it('has recall and mean average precision at R by hand', () => {
    const { queries, recall, map } = retrievalOf(vectors, ofClasses(classes));
    expect(queries).toBe(5);
    expect(recall).toEqual([0, 1, 1]);
    // Class 0 has R = 2: of 0 and 4 the second of two is relevant, of 2 neither. Class 1 has R = 1, and the nearest is of class 0.
    expect(map).toBeCloseTo((1 / 4 + 0 + 1 / 4 + 0 + 0) / 5, 12);
    expect([...hitsOf(vectors, ofClasses(classes))]).toEqual([0, 0, 0, 0, 0]);
  });

  it('leaves out queries without others of their class, and samples of an unknown class', () => {
    const { queries, recall } = retrievalOf(vectors, ofClasses([0, 0, 1, -1, -1]));
    expect([queries, recall[0]]).toEqual([2, 1]);
    expect([...hitsOf(vectors, ofClasses([0, 0, 1, -1, -1]))]).toEqual([1, 1, -1, -1, -1]);
  });

  it('is 1 where all nearest samples are of the class', () => {
    expect(retrievalOf(at(0, 1, 2, 90, 91, 92), ofClasses([0, 0, 0, 1, 1, 1]))).toEqual({
      ...{ queries: 6, recall: [1, 1, 1], map: 1 },
    });
  });
});

describe('retrieval without labels', () => {
  const degrees = Array.from({ length: 40 }, (_, i) => i * i * 0.1);

  it('counts the nearest ten by other vectors', () => {
    const relevance = ofNeighbours(at(...degrees));
    expect(relevance.count(0)).toBe(NEIGHBOURS);
    expect(
      Array.from({ length: 40 }, (_, i) => relevance.isRelevant(0, i))
        .map(Number)
        .join(''),
    ).toBe(`0${'1'.repeat(10)}${'0'.repeat(29)}`);
    expect(retrievalOf(at(...degrees), relevance)).toEqual({ queries: 40, recall: [1, 1, 1], map: 1 });
  });

  it('says how alike two models are', () => {
    const turned = at(...degrees.map((angle) => angle + 60));
    const { cosine, overlap } = likenessOf(at(...degrees), turned);
    expect(cosine).toBeCloseTo(0.5, 6);
    expect(overlap).toBe(1);
    // Scaling a vector changes neither.
    expect(likenessOf({ ...turned, values: turned.values.map((value) => 7 * value) }, turned)).toEqual({
      ...{ cosine: expect.closeTo(1, 6) as number, overlap: 1 },
    });
  });
});
