import { toHalfArray } from '../../../base/typed-bytes.ts';
import type { Skipped } from '../../../base/skipped.ts';
import type { Program } from '../lower/program.ts';
import { storeNarrow } from './narrow.ts';

const LARGEST_HALF = 65504;

/** Stores weights as float16, widened when the model is loaded, except in kept layers. Reports weights that must stay float32. */
export function halveWeights(program: Program, keepFloat: (layer: string) => boolean): Skipped[] {
  const skipped: Skipped[] = [];
  storeNarrow(
    program,
    (layer) => !keepFloat(layer),
    (data, shape, name) => {
      if (data.some((value) => Math.abs(value) > LARGEST_HALF && Number.isFinite(value))) {
        skipped.push({ what: name, why: `it has values beyond ${LARGEST_HALF}, the largest float16` });
        return undefined;
      }
      return { type: { dtype: 'float16', shape }, data: toHalfArray(data) };
    },
  );
  return skipped;
}
