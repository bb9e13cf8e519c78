import type { RandomStream } from '../../base/random.ts';

/** Mixture of a batch: share `lambda[i]` of sample i, the rest of the sample at position `partners[i]`. */
export interface Mix {
  /** [n] positions in the same batch. */
  readonly partners: Int32Array;
  /** [n] in [0, 1]; the target is `lambda · target + (1 - lambda) · target of the partner`. */
  readonly lambda: Float32Array;
}

/** The mixture drawn for a batch. */
export interface Mixing {
  readonly mix: Mix;
  /** Mixes the samples [n, ...sampleShape] in place. */
  readonly apply: (x: Float32Array) => void;
}

/** Zhang et al. 2018, "mixup: Beyond empirical risk minimization", equation 1; one weight per sample. */
export function mixup(n: number, alpha: number, random: RandomStream): Mixing {
  const partners = Int32Array.from(random.permutation(n));
  const lambda = Float32Array.from({ length: n }, () => beta(alpha, random));
  return { mix: { partners, lambda }, apply: (x) => mixed(x, { partners, lambda }) };
}

function mixed(x: Float32Array, { partners, lambda }: Mix): void {
  const n = partners.length;
  const size = x.length / n;
  const plain = x.slice();
  for (let i = 0; i < n; i++) {
    const weight = lambda[i]!;
    const partner = partners[i]! * size;
    for (let at = i * size, from = partner; at < (i + 1) * size; at++, from++) {
      x[at] = weight * plain[at]! + (1 - weight) * plain[from]!;
    }
  }
}

/** Draws from Beta(alpha, alpha), as a ratio of two gamma draws. */
export function beta(alpha: number, random: RandomStream): number {
  const a = gamma(alpha, random);
  const b = gamma(alpha, random);
  // Both draws underflow only for a tiny alpha, whose distribution is concentrated at 0 and 1.
  return a + b === 0 ? random.below(2) : a / (a + b);
}

/** Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; their section 8 for shapes below 1. */
function gamma(shape: number, random: RandomStream): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}
