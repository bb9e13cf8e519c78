import type { Kernel } from '../../networks/network.ts';
import type { State, StateTensor } from '../../runtime/engine.ts';
import type { MaskPlan } from '../../train/step/masks.ts';
import type { Skipped } from '../../base/skipped.ts';

/** The share of weights that is gone at a step: Zhu & Gupta 2017, "To prune, or not to prune", equation 1, from 0. */
export function cubicSparsity(step: number, ramp: number, final: number): number {
  return step >= ramp ? final : final * (1 - (1 - step / ramp) ** 3);
}

/** The `sparsity` smallest weights are masked: of each layer, or `global`, wherever they are. The first of equal ones go. */
export function magnitudeMasks(
  weights: State,
  names: readonly string[],
  sparsity: number,
  budget: 'global' | 'layer',
): State {
  const masks = new Map(names.map((name) => [name, ones(weights.get(name)!)]));
  if (budget === 'layer') for (const name of names) clearSmallest(weights, [name], masks, sparsity);
  else clearSmallest(weights, names, masks, sparsity);
  return masks;
}

/** Masks that keep the `keep` largest of every `outOf` weights in a row along the inputs (Mishra et al. 2021). */
export function patternMasks(
  weights: State,
  targets: readonly Kernel[],
  { keep, outOf }: { readonly keep: number; readonly outOf: number },
): { result: State; skipped: Skipped[] } {
  const result = new Map<string, StateTensor>();
  const skipped: Skipped[] = [];
  for (const { name, shape, inputs } of targets) {
    const count = shape[inputs]!;
    if (count % outOf !== 0) {
      skipped.push({ what: name, why: `its ${count} inputs are not a multiple of ${outOf}` });
      continue;
    }
    const weight = weights.get(name)!;
    const mask = ones(weight);
    const stride = shape.slice(inputs + 1).reduce((total, size) => total * size, 1);
    for (let start = 0; start < mask.data.length; start++) {
      if (Math.floor(start / stride) % outOf !== 0) continue;
      const run = Array.from({ length: outOf }, (_, i) => start + i * stride);
      for (const i of smallest(weight.data as Float32Array, run).slice(0, outOf - keep)) mask.data[i] = 0;
    }
    result.set(name, mask);
  }
  return { result, skipped };
}

export interface GradualOptions {
  readonly sparsity: number;
  readonly budget: 'global' | 'layer';
  /** Steps of the whole training; masks grow over the first half of it, and weights that are left adapt over the second. */
  readonly steps: number;
}

const RAMP = 0.5;
/** Number of times that the masks change during the training. */
const CHANGES = 20;

/** Masks that grow while the training goes on. */
export function gradualMasks(names: readonly string[], { sparsity, budget, steps }: GradualOptions): MaskPlan {
  const ramp = Math.floor(steps * RAMP);
  const every = Math.max(1, Math.floor(ramp / CHANGES));
  return {
    names,
    changesAt: (step) => (step < ramp && step % every === 0) || step === ramp,
    masksAt: (step, weights) => magnitudeMasks(weights, names, cubicSparsity(step, ramp, sparsity), budget),
    finalFrom: ramp,
  };
}

/** Number of weights that the masks cover, and number of those masked to zero. */
export function maskedCounts(masks: State): { weights: number; zero: number } {
  let [weights, zero] = [0, 0];
  for (const { data } of masks.values()) {
    weights += data.length;
    for (const value of data as Float32Array) if (value === 0) zero++;
  }
  return { weights, zero };
}

function ones({ type, data }: StateTensor): StateTensor & { readonly data: Float32Array } {
  return { type, data: new Float32Array(data.length).fill(1) };
}

function clearSmallest(
  weights: State,
  names: readonly string[],
  masks: ReadonlyMap<string, { readonly data: Float32Array }>,
  sparsity: number,
): void {
  const total = names.reduce((sum, name) => sum + weights.get(name)!.data.length, 0);
  const values = new Float32Array(total);
  let offset = 0;
  const starts = names.map((name) => {
    const { data } = weights.get(name)!;
    values.set(data as Float32Array, offset);
    offset += data.length;
    return offset - data.length;
  });
  const order = smallest(
    values,
    Array.from({ length: total }, (_, i) => i),
  );
  for (const i of order.slice(0, Math.round(sparsity * total))) {
    const at = starts.findLastIndex((start) => start <= i);
    masks.get(names[at]!)!.data[i - starts[at]!] = 0;
  }
}

/** Positions by the magnitude of their values, ascending; of equal ones the first is first. */
function smallest(values: Float32Array, positions: readonly number[]): number[] {
  return [...positions].sort((a, b) => Math.abs(values[a]!) - Math.abs(values[b]!) || a - b);
}
