import { RandomStream } from '../../src/base/random.ts';

/** Philox4x32-10 in BigInt, straight from the paper's definition. */
function philoxReference(counter: readonly bigint[], key: readonly bigint[]): bigint[] {
  const mask = 0xffffffffn;
  let [x0, x1, x2, x3] = counter as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * x0;
    const p1 = 0xcd9e8d57n * x2;
    [x0, x1, x2, x3] = [(p1 >> 32n) ^ x1 ^ k0, p1 & mask, (p0 >> 32n) ^ x3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [x0, x1, x2, x3];
}

describe('RandomStream', () => {
  it('the reference reproduces a known-answer vector of Random123 (counter and key all ones)', () => {
    const ones = 0xffffffffn;
    expect(philoxReference([ones, ones, ones, ones], [ones, ones])).toEqual([
      0x408f276dn,
      0x41c83b0en,
      0xa20bc7c6n,
      0x6d5451fdn,
    ]);
  });

  it('draws what the reference draws', async () => {
    const { createHash } = await import('node:crypto');
    const digest = createHash('sha256')
      .update(JSON.stringify([7, 'shuffle', 3]))
      .digest();
    const word = (i: number): bigint => BigInt(digest.readUInt32LE(4 * i));
    const expected = [0n, 1n, 2n].flatMap((counter) =>
      philoxReference([counter, 0n, word(2), word(3)], [word(0), word(1)]),
    );
    const stream = new RandomStream(7, 'shuffle', 3);
    expect(expected.map(() => BigInt(stream.uint32()))).toEqual(expected);
  });

  it('gives equal numbers for equal keys and others for other keys', () => {
    const draw = (...key: (string | number)[]): number[] => {
      const stream = new RandomStream(...key);
      return Array.from({ length: 8 }, () => stream.uint32());
    };
    expect(draw(1, 'a')).toEqual(draw(1, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw('1', 'a'));
  });

  it('has the moments of the uniform and the normal distribution', () => {
    const stream = new RandomStream(0, 'moments');
    const n = 20000;
    const moments = (draw: () => number): [number, number] => {
      const values = Array.from({ length: n }, draw);
      const mean = values.reduce((a, b) => a + b, 0) / n;
      return [mean, values.reduce((a, b) => a + (b - mean) ** 2, 0) / n];
    };
    const [uniformMean, uniformVariance] = moments(() => stream.uniform());
    expect(uniformMean).toBeCloseTo(0.5, 1.7);
    expect(uniformVariance).toBeCloseTo(1 / 12, 2);
    const [normalMean, normalVariance] = moments(() => stream.normal());
    expect(Math.abs(normalMean)).toBeLessThan(0.03);
    expect(Math.abs(normalVariance - 1)).toBeLessThan(0.05);
  });

  it('permutes: each index once, another order for another key', () => {
    const a = new RandomStream(1).permutation(1000);
    expect([...a].sort((x, y) => x - y)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(a).not.toEqual(new RandomStream(2).permutation(1000));
  });

  it('stays below its bound, and reaches every value', () => {
    const stream = new RandomStream('below');
    expect(new Set(Array.from({ length: 300 }, () => stream.below(7)))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  });

  it('fills an array with what single draws give, from any place on', () => {
    for (const drawn of [0, 1, 3, 4])
      for (const length of [0, 1, 2, 5, 64, 67]) {
        const [bulk, single] = [new RandomStream('fill'), new RandomStream('fill')];
        for (let i = 0; i < drawn; i++) bulk.uniform();
        for (let i = 0; i < drawn; i++) single.uniform();
        const out = new Float32Array(length);
        bulk.fillUniform(out);
        expect(out).toEqual(Float32Array.from({ length }, () => single.uniform()));
        expect(bulk.uniform()).toBe(single.uniform());
      }
  });

  it('jumps to substreams that repeat and do not overlap', () => {
    const stream = new RandomStream('seek');
    const draw = (index: number) => {
      stream.seek(index);
      return Array.from({ length: 50 }, () => stream.uint32());
    };
    const [zero, one, last] = [draw(0), draw(1), draw(2 ** 32 - 1)];
    expect(draw(1)).toEqual(one);
    const plain = new RandomStream('seek');
    expect(Array.from({ length: 50 }, () => plain.uint32())).toEqual(zero);
    expect(new Set([...zero, ...one, ...last]).size).toBe(150);
  });

  it('forgets the second number of a normal pair when it jumps', () => {
    const stream = new RandomStream('seek');
    const fresh = stream.seek(5).normal();
    expect(stream.seek(5).normal()).toBe(fresh);
  });
});
