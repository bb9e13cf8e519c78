import { staticSize } from '../../graph/shapes.ts';
import type { TensorType } from '../../graph/types.ts';
import { isGradient } from '../step/gradient.ts';
import { inBlocks, roundToHalfBlocks } from './half-blocks.ts';
import type { Rounding } from './part-sum.ts';
import { Slices } from './slices.ts';
import type { StepValues } from '../step/steps.ts';

/** Name of the array that holds the gradients of all variables. */
const ALL = 'gradients';

/** Rounds gradients, and every sum of two, to values that halves represent: so the sum does not depend on which process adds which part. */
export const toHalves: Rounding = (name, values) => {
  if (name === ALL) roundToHalfBlocks(values);
};

/**
 * Results of a part with all gradients in one array, so that the blocks of halves do not depend on how the array is cut. Other results, such as
 * losses and observed means, are unchanged.
 */
export class HalfGradients {
  /** Types of the gradient array and of the other results. */
  readonly halves: ReadonlyMap<string, TensorType>;
  readonly rest: ReadonlyMap<string, TensorType>;
  readonly #slices: Slices;
  readonly #all: Float32Array;

  constructor(outputs: ReadonlyMap<string, TensorType>) {
    const gradients = new Map([...outputs].filter(([name]) => isGradient(name)));
    const values = [...gradients.values()].reduce((sum, { shape }) => sum + staticSize(shape), 0);
    this.#all = new Float32Array(inBlocks(values));
    this.halves = new Map([[ALL, { dtype: 'float32', shape: [this.#all.length] }]]);
    this.rest = new Map([...outputs].filter(([name]) => !gradients.has(name)));
    this.#slices = new Slices(gradients, { count: 1 });
  }

  /** The results with rounded gradients. Valid until the next call. */
  joined(results: StepValues): StepValues {
    this.#slices.write(results, this.#all);
    toHalves(ALL, this.#all);
    return { ...Object.fromEntries(Object.entries(results).filter(([name]) => this.rest.has(name))), [ALL]: this.#all };
  }

  named({ [ALL]: all, ...rest }: StepValues): StepValues {
    return { ...rest, ...this.#slices.read(all as Float32Array) };
  }
}
