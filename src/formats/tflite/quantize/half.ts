import { toHalfArray } from '../../../base/bytes.ts';
import type { Operation, Program } from '../lower/program.ts';
import type { Skipped } from '../../../base/skipped.ts';

const LARGEST_HALF = 65504;

/** Below this a DEQUANTIZE operation and its tensor take more bytes than the halves save. */
const SMALLEST = 64;

/** Weights as float16, widened when the model is loaded, but for those of layers that are kept. Reports the ones that must stay float32. */
export function halveWeights(program: Program, keepFloat: (layer: string) => boolean): Skipped[] {
  const skipped: Skipped[] = [];
  const widened = new Map<string, string>();
  const widening: Operation[] = [];
  const halve = (name: string): string => {
    const done = widened.get(name);
    if (done !== undefined || name === '') return done ?? name;
    const { type, data } = program.value(name);
    if (!(data instanceof Float32Array) || data.length < SMALLEST) return name;
    if (data.some((value) => Math.abs(value) > LARGEST_HALF && Number.isFinite(value))) {
      skipped.push({ what: name, why: `it has values beyond ${LARGEST_HALF}, the largest float16` });
      widened.set(name, name);
      return name;
    }
    const half = program.constant({ dtype: 'float16', shape: type.shape }, toHalfArray(data), `${name}/half`);
    const wide = program.add(`${name}/wide`, { type });
    widening.push({ op: 'DEQUANTIZE', inputs: [half], outputs: [wide] });
    widened.set(name, wide);
    return wide;
  };
  const isKept = ({ layer, outputs }: Operation): boolean => keepFloat(layer ?? outputs[0]!);
  const operations = program.operations.map((operation) =>
    isKept(operation) ? operation : { ...operation, inputs: operation.inputs.map(halve) },
  );
  program.operations = [...widening, ...operations];
  return skipped;
}
