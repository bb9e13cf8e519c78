import { toHalf } from '../../../src/base/bytes.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { readTop, topWidth, writeTop } from '../../../src/distill/answers/top-answers.ts';

const probabilities = (logits: Float32Array): number[] => {
  const powers = Array.from(logits, Math.exp);
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
};

it('keeps the probabilities of the largest, and gives the others the same share of the rest', () => {
  const random = new RandomStream('top answers', '');
  for (const [classes, top] of [
    [5, 1],
    [10, 9],
    [1000, 16],
  ] as const) {
    // prettier-ignore
    const logits = Float32Array.from({ length: classes }, () => 4 * random.normal());
    const row = new Float32Array(topWidth(top));
    writeTop(logits, top, row);
    const read = new Float32Array(classes);
    readTop(row, top, read);
    const [expected, found] = [probabilities(logits), probabilities(read)];
    const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]!);
    for (const c of order.slice(0, top)) expect(found[c]).toBeCloseTo(expected[c]!, 6);
    const rest = order.slice(top);
    const share = rest.reduce((sum, c) => sum + expected[c]!, 0) / rest.length;
    for (const c of rest) expect(found[c]).toBeCloseTo(share, 6);
  }
});

it('stores float16 as its bits, and the indexes of 65,536 classes beside them', () => {
  const logits = new Float32Array(65_536).fill(-3);
  [logits[65_535], logits[7]] = [9.5, 1.25];
  const row = new Uint16Array(topWidth(2));
  writeTop(logits, 2, row);
  expect([...row]).toEqual([toHalf(9.5), toHalf(1.25), toHalf(-3), 65_535, 7]);
  const read = new Float32Array(65_536);
  readTop(row, 2, read);
  expect([...read]).toEqual([...logits]);
});
