import { readersOf } from '../../graph/passes/uses.ts';
import type { Attrs, Graph } from '../../graph/types.ts';
import type { ActivationRange } from './histogram.ts';

/**
 * Operands beyond which a function gives what it gives there, or is nearer to it than half a step of its result. Relu and Relu6 have none: they belong
 * to the operator before them.
 */
const SATURATING: Readonly<Record<string, (attrs: Attrs) => ActivationRange>> = {
  ClipByValue: ({ clipValueMin, clipValueMax }) => ({ min: clipValueMin as number, max: clipValueMax as number }),
  Gelu: () => ({ min: -5, max: Infinity }),
  HardSwish: () => ({ min: -3, max: Infinity }),
  HardSigmoid: (attrs) => {
    const [alpha, beta] = [attrs.alpha as number, attrs.beta as number];
    return alpha > 0 ? { min: -beta / alpha, max: (1 - beta) / alpha } : { min: -Infinity, max: Infinity };
  },
  Swish: () => ({ min: -10, max: Infinity }),
};

/** Limits of values that only saturating functions read, 0 included. Steps of 8 bits beyond them would be lost. */
export function saturationLimits(graph: Graph): ReadonlyMap<string, ActivationRange> {
  const ends = new Set(graph.outputs.values());
  const limits = new Map<string, ActivationRange>();
  for (const [name, readers] of readersOf(graph.nodes)) {
    if (ends.has(name) || !readers.every(({ op }) => Object.hasOwn(SATURATING, op))) continue;
    const found = readers.map(({ op, attrs }) => SATURATING[op]!(attrs));
    limits.set(name, {
      min: Math.min(0, ...found.map(({ min }) => min)),
      max: Math.max(0, ...found.map(({ max }) => max)),
    });
  }
  return limits;
}

/** Steps of 8 bits. */
const STEPS = 255;

/** The range, a step wider at an end that is a limit: the rounding of the zero point must not cut off where a function saturates. */
export function beyondLimits({ min, max }: ActivationRange, limits: ActivationRange | undefined): ActivationRange {
  const step = (max - min) / STEPS;
  return {
    min: min < 0 && min === limits?.min ? min - step : min,
    max: max > 0 && max === limits?.max ? max + step : max,
  };
}
