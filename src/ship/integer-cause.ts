import { UserError } from '../base/errors.ts';
import type { TensorData } from '../graph/types.ts';
import { simulateTflite } from '../formats/tflite/simulate/simulate.ts';
import { largestDifference } from './parity/difference.ts';

/**
 * Cause of a difference, LiteRT or the rounding to 8 bits: the integer arithmetic of the file is simulated, and the runtime may be off by
 * one step in each value.
 */
export function integerCause(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, TensorData>>,
  actual: Readonly<Record<string, Float32Array>>,
  values: readonly { readonly name: string; readonly layer: string }[],
): string {
  try {
    const { outputs, steps } = simulateTflite(bytes, feeds);
    const wrong = values.find(({ name }) => {
      const [a, b, step] = [outputs[name], actual[name], steps[name]];
      return step !== undefined && b !== undefined && largestDifference(a as Float32Array, b) > 1.001 * step;
    });
    if (wrong === undefined) return ', where 8 bits are too few: LiteRT computes the integers that the file asks for';
    return `; LiteRT computes ${wrong.layer} and what follows otherwise than the file asks for`;
  } catch (error) {
    if (error instanceof UserError) return '';
    throw error;
  }
}
