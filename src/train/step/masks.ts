import * as tf from '@tensorflow/tfjs-core';
import type { CompiledStep, State, StateTensor } from '../../runtime/engine.ts';
import type { Network, Variables } from '../../networks/network.ts';
import { EMA_PREFIX, MASK_PREFIX } from './step.ts';

/** Plan of the masks of pruned weights during a training. A function of step and weights alone, so a run can be resumed. */
export interface MaskPlan {
  /** The weights that are masked, by state name. */
  readonly names: readonly string[];
  /** True if the masks change before this step. */
  readonly changesAt: (step: number) => boolean;
  /** The masks from this step on, of the weights as they are then: zeros and ones by the name of the weight. */
  readonly masksAt: (step: number, weights: State) => State;
  /** The step from which on they stay as they are. */
  readonly finalFrom: number;
}

/** Masks that are there from the start and stay. */
export function fixedMasks(masks: State): MaskPlan {
  return {
    names: [...masks.keys()],
    changesAt: (step) => step === 0,
    masksAt: () => masks,
    finalFrom: 0,
  };
}

/** A variable of ones for each weight that is to be masked, by the name of the weight. */
export function maskVariables(names: readonly string[], { state }: Network): Variables {
  return Object.fromEntries(names.map((name) => [name, tf.variable(tf.ones(state[name]!.shape), false)]));
}

/** Gives a training its masks if they change before this step, and sets the masked weights to zero. */
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

/** The weights with those zero that a mask covers. */
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
