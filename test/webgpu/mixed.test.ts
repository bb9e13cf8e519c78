import { UserError } from '../../src/base/errors.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { requireHalf } from '../../src/runtime/onnxruntime/half.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { setups, trained, type Trained } from '../support/trainings.ts';

beforeAll(() => useLazyBackend(evaluator));

/** Nets and how far float16 may take their weights in five steps: batch norms over few samples amplify rounding. */
const cases = { 'mlp, adamw': 5e-2, lenet: 5e-2, 'ds-cnn, kd': 1e-1 };

function refusal(): unknown {
  try {
    requireHalf('webgpu', sessionOptions('webgpu', {}));
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The norm of the difference of weights and buffers, relative to their norm. */
function distance(a: Trained, b: Trained): number {
  const values = (state: Trained['state']): number[] =>
    [...state].flatMap(([name, { data }]) => (name.startsWith('lossScale') ? [] : Array.from(data as Float32Array)));
  const [ours, theirs] = [values(a.state), values(b.state)];
  return Math.hypot(...theirs.map((value, i) => value - ours[i]!)) / Math.hypot(...theirs);
}

describe('trains in float16 as the emulation on cpu does, or refuses where the driver has no float16', () => {
  it.each(Object.entries(cases))(
    '%s',
    async (name, tolerance) => {
      const setup = { ...setups[name]!, optimizer: { type: 'momentum' } as const, mixed: true };
      const engine = createOnnxRuntimeEngine({ device: 'webgpu' });
      const refused = refusal();
      console.info(
        `${name}: ${refused === undefined ? 'float16 is compared with the cpu' : 'the driver refuses float16'}`,
      );
      if (refused !== undefined) {
        expect(refused).toBeInstanceOf(UserError);
        await expect(trained(setup, engine, 1)).rejects.toThrow(
          'precision mixed: device webgpu cannot compute in float16',
        );
        return;
      }
      const cpu = await trained(setup, createOnnxRuntimeEngine({ device: 'cpu' }), 5);
      const gpu = await trained(setup, engine, 5);
      expect(gpu.state.get('lossScale/factor')!.data[0]).toBe(cpu.state.get('lossScale/factor')!.data[0]);
      gpu.losses.forEach((loss, i) => expect(Math.abs(loss / cpu.losses[i]! - 1)).toBeLessThan(1e-2));
      // WebGPU's kernels also sum in float16.
      expect(distance(gpu, cpu)).toBeLessThan(tolerance);
      expect(await trained(setup, engine, 5)).toEqual(gpu);
    },
    240_000,
  );
});
