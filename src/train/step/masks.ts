import * as tf from '@tensorflow/tfjs-core';
import type { CompiledStep, State, StateTensor } from '../../runtime/engine.ts';
import type { Network, Variables } from '../../networks/network.ts';
import { EMA_PREFIX, MASK_PREFIX } from './step.ts';

/** Masks of pruned weights during a training: a function of step and weights alone, so that a run can be resumed. */
export interface MaskPlan {
  /** State names of the masked weights. */
  readonly names: readonly string[];
  /** True if the masks change before this step. */
  readonly changesAt: (step: number) => boolean;
  /** Masks from this step on, zeros and ones by the name of the weight; `weights`: their values at the step. */
  readonly masksAt: (step: number, weights: State) => State;
  /** Step from which the masks are constant. */
  readonly finalFrom: number;
}

/** Constant masks. */
export function fixedMasks(masks: State): MaskPlan {
  return {
    names: [...masks.keys()],
    changesAt: (step) => step === 0,
    masksAt: () => masks,
    finalFrom: 0,
  };
}

/** A variable of ones for each masked weight, by the name of the weight. */
export function maskVariables(names: readonly string[], { state }: Network): Variables {
  return Object.fromEntries(names.map((name) => [name, tf.variable(tf.ones(state[name]!.shape), false)]));
}

/** Updates the masks if they change before this step, and sets masked weights to zero. */
export async function updateMasks(compiled: CompiledStep, plan: MaskPlan, step: number): Promise<void> {
  if (!plan.changesAt(step)) return;
  const state = await compiled.state();
  const changed = new Map<string, StateTensor>();
  for (const [name, mask] of plan.masksAt(step, state)) {
    changed.set(`${MASK_PREFIX}${name}`, mask);
    for (const prefix of ['', EMA_PREFIX]) {
      const weight = state.get(`${prefix}${name}`);
      if (weight !== undefined) changed.set(`${prefix}${name}`, masked(weight, mask));
    }
  }
  await compiled.load(changed);
}

/** The weights, with zeros in masked places. */
export function withMasks(weights: State, masks: State): State {
  return new Map(
    [...weights].map(([name, weight]) => {
      const mask = masks.get(name);
      return [name, mask === undefined ? weight : masked(weight, mask)];
    }),
  );
}

function masked({ type, data }: StateTensor, mask: StateTensor): StateTensor {
  return { type, data: (data as Float32Array).map((value, i) => (mask.data[i] === 0 ? 0 : value)) };
}
