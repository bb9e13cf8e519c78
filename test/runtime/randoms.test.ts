import type { Block } from '../../src/base/philox.ts';
import { RandomStream } from '../../src/base/random.ts';
import { fillRandom, fillVectors } from '../../src/runtime/randoms.ts';

/** Numbers by `RandomStream` itself. */
function single(count: number, key: readonly (string | number)[], skipped: number): Float32Array {
  const stream = new RandomStream(...key).skip(skipped);
  return Float32Array.from({ length: count }, () => stream.uniform());
}

it('vectors give the numbers that single draws give, from any place on and of any length', () => {
  for (const count of [1, 3, 4, 15, 16, 17, 64, 4095, 4096, 4099, 9001])
    for (const skipped of [0, 1, 4, 7]) {
      const data = new Float32Array(count + 1).fill(-1);
      fillRandom(data.subarray(0, count), ['seed', 3], 5, 'random/0', skipped);
      expect(data.subarray(0, count)).toEqual(single(count, ['seed', 3, 5, 'random/0'], skipped));
      expect(data[count]).toBe(-1);
    }
});

it('carries to the upper word of the counter within a vector of blocks and behind it', () => {
  const [index, blocks] = [4095, 2 ** 20];
  for (const before of [1, 2, 3, 4, 6]) {
    const expected = new Float32Array(64);
    const stream = new RandomStream('carry').seek(index);
    // Substream 4095 ends where the lower word of the counter does.
    stream.skip(4 * (blocks - before)).fillUniform(expected);
    let block: Block | undefined;
    new RandomStream('carry').fillUniform(new Float32Array(4), (_out, first) => (block = first));
    const out = new Float32Array(64);
    fillVectors(out, { ...block!, counter: index * blocks + blocks - before });
    expect(out).toEqual(expected);
  }
});
