import type { TensorData } from '../../src/graph/types.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import type { State } from '../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { followed, setups, trained, type Trained } from '../support/trainings.ts';

beforeAll(() => useLazyBackend(evaluator));

const engine = createOnnxRuntimeEngine({ device: 'cpu' });
const STEPS = 8;

/** A scale at which these small nets do not overflow: otherwise the first steps would be left out, as they should. */
const QUIET: State = new Map([
  ['lossScale/factor', { type: { dtype: 'float32', shape: [] }, data: Float32Array.of(64) }],
]);

const scaleOf = (state: State): number => Number(state.get('lossScale/factor')!.data[0]);

const norm = (tensors: readonly TensorData[]): number =>
  Math.sqrt(
    tensors.reduce((sum, data) => sum + (data as Float32Array).reduce((part, value) => part + value ** 2, 0), 0),
  );

/** The norm of the difference of the tensors of `b` whose names begin so, relative to their norm. */
function distance({ state: a }: Trained, { state: b }: Trained, prefix = ''): number {
  const names = [...b.keys()].filter((name) => name.startsWith(prefix) && !name.startsWith('lossScale'));
  const [ours, theirs] = [a, b].map((state) => names.map((name) => state.get(name)!.data as Float32Array));
  return norm(theirs!.map((data, t) => data.map((value, i) => value - ours![t]![i]!))) / norm(theirs!);
}

describe('products in float16 give the gradients of those in float32, rounded', () => {
  it.each(['mlp, adamw', 'lenet', 'ds-cnn, kd', 'resnet8, dkd', 'gru', 'transformer of two layers'])(
    '%s',
    async (name) => {
      const setup = { ...setups[name]!, optimizer: { type: 'momentum' } as const };
      const full = await trained(setup, engine, 1);
      const mixed = await trained({ ...setup, mixed: true }, engine, 1, 0, QUIET);
      expect(scaleOf(mixed.state)).toBe(64);
      // After one step the buffers hold the gradients. A value of 11 bits is off by 1/4096 of itself in the mean.
      const found = distance(mixed, full, 'sgd.momentum/');
      expect(found).toBeGreaterThan(1e-5);
      // Batch norms over four samples amplify it.
      expect(found).toBeLessThan(name.includes('cnn') || name.includes('resnet') ? 3e-2 : 5e-3);
      expect(Math.abs(mixed.losses[0]! / full.losses[0]! - 1)).toBeLessThan(5e-3);
    },
  );
});

const mlp = { ...setups['mlp, adamw']!, mixed: true };

it('gives the same bits again, and goes on from a state with its loss scale as if it had not stopped', async () => {
  const setup = { ...mlp, loud: 300 };
  const whole = await trained(setup, engine, STEPS);
  expect(await trained(setup, engine, STEPS)).toEqual(whole);
  const half = await trained(setup, engine, STEPS / 2);
  expect(scaleOf(half.state)).toBeLessThan(2 ** 16);
  const rest = await trained(setup, engine, STEPS, STEPS / 2, half.state);
  expect(followed(half, rest)).toEqual(whole);
});

it('a gradient that overflows changes no weight and halves the scale', async () => {
  const setup = { ...mlp, loud: 3000 };
  const before = await trained(setup, engine, 0);
  const after = await trained(setup, engine, 1);
  expect(scaleOf(after.state)).toBe(2 ** 15);
  for (const [name, { data }] of before.state)
    if (name !== 'lossScale/factor') expect(after.state.get(name)!.data).toEqual(data);
  const later = await trained(setup, engine, 19);
  expect(later.state.get('lossScale/steps')!.data[0]).toBeGreaterThan(0);
  expect(distance(later, after)).toBeGreaterThan(1e-3);
});

it('several steps in one call give the same bits', async () => {
  expect(await trained(mlp, engine, 6, 0, new Map(), 4)).toEqual(await trained(mlp, engine, 6));
});
