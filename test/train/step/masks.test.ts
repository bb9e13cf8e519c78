import type { CompiledStep, State } from '../../../src/runtime/engine.ts';
import { fixedMasks, updateMasks } from '../../../src/train/step/masks.ts';
import { EMA_PREFIX, MASK_PREFIX } from '../../../src/train/step/step.ts';

const vector = (...values: number[]) => ({
  type: { dtype: 'float32' as const, shape: [values.length] },
  data: Float32Array.from(values),
});

/** What a training is given of a state before a step. */
async function loaded(state: State, step: number): Promise<Record<string, number[]>> {
  const given: [string, number[]][] = [];
  const compiled = {
    state: () => Promise.resolve(state),
    load: (changed: State) => {
      for (const [name, { data }] of changed) given.push([name, [...(data as Float32Array)]]);
      return Promise.resolve();
    },
  } as Partial<CompiledStep> as CompiledStep;
  await updateMasks(compiled, fixedMasks(new Map([['a', vector(1, 0, 1)]])), step);
  return Object.fromEntries(given);
}

it('new masks make zero what they cover, of the weights and of their moving average', async () => {
  const state: State = new Map([
    ['a', vector(1, 2, 3)],
    ['b', vector(4)],
    [`${EMA_PREFIX}a`, vector(5, 6, 7)],
    [`${MASK_PREFIX}a`, vector(1, 1, 1)],
  ]);
  expect(await loaded(state, 0)).toEqual({
    [`${MASK_PREFIX}a`]: [1, 0, 1],
    a: [1, 0, 3],
    [`${EMA_PREFIX}a`]: [5, 0, 7],
  });
  expect(await loaded(state, 1)).toEqual({});
});

it('a training without a moving average gets none', async () => {
  expect(await loaded(new Map([['a', vector(1, 2, 3)]]), 0)).toEqual({ [`${MASK_PREFIX}a`]: [1, 0, 1], a: [1, 0, 3] });
});
