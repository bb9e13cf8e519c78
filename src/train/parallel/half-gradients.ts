import { staticSize } from '../../graph/shapes.ts';
import type { TensorType } from '../../graph/types.ts';
import { isGradient } from '../step/gradient.ts';
import { inBlocks, roundToHalfBlocks } from './half-blocks.ts';
import type { Rounding } from './part-sum.ts';
import { Slices } from './slices.ts';
import type { StepValues } from '../step/steps.ts';

/** Name of the gradients of all variables in one array. */
const ALL = 'gradients';

/** Rounding of the gradients to what halves hold: of sums of two too, so that a sum is the same whoever makes which part of it. */
export const toHalves: Rounding = (name, values) => {
  if (name === ALL) roundToHalfBlocks(values);
};

/**
 * Results of a part whose gradients lie in one array, one after another: the blocks of halves with a factor of their own are counted there,
 * wherever it is cut. All other results, such as losses and observed means, are as they were.
 */
export class HalfGradients {
  /** The one array, and the other results. */
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

  /** With its gradients rounded. Valid until the next call. */
  joined(results: StepValues): StepValues {
    this.#slices.write(results, this.#all);
    toHalves(ALL, this.#all);
    return { ...Object.fromEntries(Object.entries(results).filter(([name]) => this.rest.has(name))), [ALL]: this.#all };
  }

  named({ [ALL]: all, ...rest }: StepValues): StepValues {
    return { ...rest, ...this.#slices.read(all as Float32Array) };
  }
}
