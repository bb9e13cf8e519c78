import { RandomStream } from '../../../src/base/random.ts';
import { drawnAnswers } from '../../../src/compress/prune/fisher.ts';

const ROWS = 4000;

function sharesAt(temperature: number): number[] {
  const logits = Float32Array.from({ length: 3 * ROWS }, (_, i) => Math.log([1, 2, 5][i % 3]!));
  const drawn = drawnAnswers(logits, { classes: 3, temperature, random: new RandomStream('drawn', temperature) });
  const counts = [0, 0, 0];
  for (let row = 0; row < ROWS; row++) {
    const values = [...drawn.subarray(3 * row, 3 * row + 3)];
    const best = values.indexOf(Math.max(...values));
    counts[best]!++;
    // Sure of it: the others have no share that float32 can tell from nothing.
    const others = values.filter((_, i) => i !== best);
    for (const value of others) expect(Math.exp(value / temperature)).toBeLessThan(1e-38);
  }
  return counts.map((count) => count / ROWS);
}

it.each([
  [1, [1 / 8, 2 / 8, 5 / 8]],
  [2, [1, Math.sqrt(2), Math.sqrt(5)].map((share) => share / (1 + Math.sqrt(2) + Math.sqrt(5)))],
])('classes are drawn as often as the teacher at temperature %s gives them', (temperature, shares) => {
  sharesAt(temperature).forEach((share, i) => expect(Math.abs(share - shares[i]!)).toBeLessThan(0.025));
});
