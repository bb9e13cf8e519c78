import type { Share } from '../../data/batches/share.ts';
import type { CompiledStep } from '../../runtime/engine.ts';
import type { StepInput, StepParts, Steps, Wishes } from '../step/steps.ts';

/**
 * Steps of two networks that learn from the same batches (Zhang et al. 2018, "Deep mutual learning", algorithm 1): on each batch first the step of
 * the first network, then that of the second, which sees the updated first.
 */
export class StepsInTurn implements Steps {
  readonly perCall = 1;
  readonly #first: Steps;
  readonly #second: Steps;

  /** `second` holds all variables of both. */
  constructor(first: Steps, second: Steps) {
    [this.#first, this.#second] = [first, second];
  }

  get compiled(): CompiledStep {
    return this.#second.compiled;
  }

  get parts(): StepParts | undefined {
    const [own, its] = [this.#first.parts, this.#second.parts];
    return own && its && { ...own, observesMeans: own.observesMeans || its.observesMeans };
  }

  /** Samples of a batch that either of the two needs. */
  get share(): Share | undefined {
    const [own, its] = [this.#first.share, this.#second.share];
    return own && its && { ...own, cuts: [...own.cuts, ...its.cuts] };
  }

  /** Figures of the first network, and the loss of the second as `loss/peer`. */
  async take(given: readonly StepInput[], step: number): Promise<readonly Readonly<Record<string, number>>[]> {
    const figures = [];
    for (const [i, each] of given.entries()) {
      const [own] = await this.#first.take([each], step + i);
      const [its] = await this.#second.take([each], step + i);
      figures.push({ ...own, 'loss/peer': its!['loss']! });
    }
    return figures;
  }

  memoryBytes(rest: number): number | undefined {
    const [own, its] = [this.#first.memoryBytes(rest), this.#second.memoryBytes(rest)];
    return own === undefined || its === undefined ? undefined : own + its;
  }

  agreed(wishes: Wishes): Wishes {
    return this.#first.agreed?.(wishes) ?? wishes;
  }

  settle(): void {
    this.#first.settle?.();
    this.#second.settle?.();
  }

  async dispose(): Promise<void> {
    await this.#second.dispose();
    await this.#first.dispose();
  }
}
