import { integerRange } from '../../graph/quantization.ts';
import type { TensorQuantization } from '../../graph/quantization.ts';
import type { OpenModel } from './open-model.ts';

export interface ValueOptions {
  readonly open: OpenModel;
  readonly keepFloat?: (layer: string) => boolean;
}

/**
 * Values rounded to the steps of a quantized tensor. Inside the graph a product is already rounded and does not change; at its end it is
 * not. Here and below `floor(x + 0.5)`: `Math.round` takes three times as long.
 */
export function onGrid(values: Float32Array, q: TensorQuantization | undefined): Float32Array {
  if (q === undefined) return values;
  const [first, last] = integerRange[q.dtype];
  const [scale, zero] = [q.scales[0]!, q.zeroPoints[0]!];
  const [low, high] = [first - zero, last - zero];
  const rounded = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const step = Math.floor(values[i]! / scale + 0.5);
    rounded[i] = (step < low ? low : step > high ? high : step) * scale;
  }
  return rounded;
}
