import type { Shape } from '../../../graph/types.ts';
import type { Operation, Program, TfliteValue } from '../lower/program.ts';
import { roundHalfAway } from './weights.ts';

/** Minimum elements: below it a DEQUANTIZE operation and its tensor take more bytes than narrower numbers save. */
const SMALLEST = 64;

/** Converts numbers to a type of fewer bits; undefined leaves them unchanged. */
type Narrow = (data: Float32Array, shape: Shape, name: string) => TfliteValue | undefined;

/** Stores float32 constants of the layers `isMeant` in a narrower type, widened when the model is loaded. */
export function storeNarrow(program: Program, isMeant: (layer: string) => boolean, narrow: Narrow): void {
  const widened = new Map<string, string>();
  const widening: Operation[] = [];
  const store = (name: string): string => {
    const done = widened.get(name);
    if (done !== undefined || name === '') return done ?? name;
    const { type, data } = program.value(name);
    const isLarge = data instanceof Float32Array && data.length >= SMALLEST;
    const value = isLarge ? narrow(data, type.shape, name) : undefined;
    if (value === undefined) {
      widened.set(name, name);
      return name;
    }
    const wide = program.add(`${name}/wide`, { type });
    widening.push({ op: 'DEQUANTIZE', inputs: [program.add(`${name}/narrow`, value)], outputs: [wide] });
    widened.set(name, wide);
    return wide;
  };
  const operations = program.operations.map((operation) =>
    isMeant(operation.layer ?? operation.outputs[0]!)
      ? { ...operation, inputs: operation.inputs.map(store) }
      : operation,
  );
  program.operations = [...widening, ...operations];
}

/**
 * Stores constants of some layers as 16-bit integers with one scale per constant. Values up to 1, such as cosines of a Fourier transform, are off by
 * at most 1.5e-5; in half precision by 2.4e-4.
 */
export function storeFixed(program: Program, isMeant: (layer: string) => boolean): void {
  storeNarrow(program, isMeant, (data, shape) => {
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest === 0 || !Number.isFinite(largest)) return undefined;
    const scale = Math.fround(largest / 32767);
    const integers = Int16Array.from(data, (value) => Math.min(32767, Math.max(-32767, roundHalfAway(value / scale))));
    const quantization = { dtype: 'int16', scales: [scale], zeroPoints: [0] } as const;
    return { type: { dtype: 'int16', shape }, data: integers, quantization };
  });
}
