import { RandomStream } from '../../../src/base/random.ts';
import { forUpdate, PartSum } from '../../../src/train/parallel/part-sum.ts';

const random = new RandomStream('part sum', 1);
const results = (): Record<string, Float32Array> => ({
  'gradient/w': Float32Array.from({ length: 5 }, () => random.normal()),
  'lowest/low': Float32Array.of(random.normal()),
  loss: Float32Array.of(random.normal()),
});

function summed(parts: readonly Readonly<Record<string, Float32Array>>[], into = new PartSum('in pairs')) {
  into.clear();
  for (const part of parts) into.add(part);
  return Object.fromEntries(Object.entries(into.values).map(([name, values]) => [name, values.slice()])) as ReturnType<
    typeof results
  >;
}

it.each([1, 2, 3, 5, 6, 7, 8, 13])('%i parts in pairs: sums of halves, quarters, … have the same bits', (count) => {
  const parts = Array.from({ length: count }, results);
  const whole = summed(parts);
  const again = new PartSum('in pairs');
  for (const each of [1, 2, 4, 8]) {
    const blocks = Array.from({ length: Math.ceil(count / each) }, (_, i) =>
      summed(parts.slice(i * each, (i + 1) * each), again),
    );
    expect(summed(blocks)).toEqual(whole);
  }
  expect(whole['lowest/low']![0]).toBe(Math.min(...parts.map((part) => part['lowest/low']![0]!)));
});

it('adds one by one in the order of the parts', () => {
  const parts = Array.from({ length: 6 }, results);
  const expected = parts[0]!['gradient/w']!.slice();
  for (const part of parts.slice(1)) part['gradient/w']!.forEach((value, i) => (expected[i]! += value));
  const sum = new PartSum('one by one');
  for (let again = 0; again < 2; again++) expect(summed(parts, sum)['gradient/w']).toEqual(expected);
  expect(Object.keys(forUpdate(sum.values))).toEqual(['gradient/w', 'lowest/low']);
});
