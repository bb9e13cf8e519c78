import { RandomStream } from '../../base/random.ts';

/** How the next token is chosen among the tokens. */
export interface Choice {
  /** Logits are divided by it before a token is drawn; 0 takes the likeliest token. */
  readonly temperature: number;
  /** Draws among the likeliest tokens alone; 0: among all. */
  readonly topK: number;
  /** Draws among the fewest tokens that have this share of the probability together (Holtzman et al. 2020, "The curious case of neural text degeneration"). */
  readonly topP: number;
  readonly seed: number;
}

/** Chooses tokens by their logits; the same seed draws the same tokens. Of equal logits the lower id comes first. */
export function chooser({ temperature, topK, topP, seed }: Choice): (logits: Float32Array) => number {
  const random = new RandomStream('completion', seed);
  return (logits) => {
    if (temperature === 0) return ranked(logits, 1)[0]!.id;
    const order = ranked(
      logits.map((logit) => logit / temperature),
      topK === 0 ? logits.length : topK,
    );
    const all = order.reduce((sum, { probability }) => sum + probability, 0);
    let kept = 0;
    let count = 0;
    while (count < order.length && kept < topP * all) kept += order[count++]!.probability;
    let left = random.uniform() * kept;
    for (const { id, probability } of order.slice(0, count)) {
      left -= probability;
      if (left < 0) return id;
    }
    return order[Math.max(0, count - 1)]!.id;
  };
}

export interface RankedToken {
  readonly id: number;
  readonly probability: number;
}

/** The likeliest tokens by softmax, the likeliest first. */
export function ranked(logits: Float32Array, count: number): RankedToken[] {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const shares = Float64Array.from(logits, (logit) => Math.exp(logit - most));
  const all = shares.reduce((a, b) => a + b, 0);
  const ids = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  return ids.slice(0, count).map((id) => ({ id, probability: shares[id]! / all }));
}
