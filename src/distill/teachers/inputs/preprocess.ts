import { UserError } from '../../../base/errors.ts';
import { countOfPixels } from '../../../data/dataset.ts';
import type { Dataset } from '../../../data/dataset.ts';
import { normalized } from '../../../data/normalized.ts';

/** Converts the student's samples for a teacher: `x · scale[c] + offset[c]`, possibly in another layout. */
export interface Preprocessing {
  readonly scale: readonly number[];
  readonly offset: readonly number[];
  readonly layout: 'nhwc' | 'nchw';
}

/** Normalization that a teacher expects for raw values: `(value · scale - mean) / std`. */
export interface TeacherNormalization {
  readonly scale?: number | undefined;
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}

/**
 * Combines two steps: undoes the student's normalization and applies the teacher's. Augmentation happens before, so both see the same picture.
 * `UserError` for another number of channels.
 */
export function preparationAffine(
  dataset: Pick<Dataset, 'normalization' | 'sampleShape'>,
  wanted: TeacherNormalization | undefined,
): Pick<Preprocessing, 'scale' | 'offset'> {
  const { sampleShape } = dataset;
  const channels = sampleShape.at(-1)!;
  const all = Array.from({ length: channels }, (_, c) => c);
  if (wanted === undefined) return { scale: all.map(() => 1), offset: all.map(() => 0) };
  const { scale, mean, std } = dataset.normalization;
  for (const [key, values] of Object.entries({ mean: wanted.mean, std: wanted.std })) {
    if (typeof values === 'number' || values.length === channels) continue;
    throw new UserError(
      `teacher.normalize.${key}: expected one number, or ${channels} for samples of shape [${sampleShape.join(', ')}], received ${values.length}`,
      'Channels are the last axis of a sample.',
    );
  }
  const at = (value: number | readonly number[], c: number): number => (typeof value === 'number' ? value : value[c]!);
  const factor = (wanted.scale ?? scale) / scale;
  return {
    scale: all.map((c) => (std[c]! * factor) / at(wanted.std, c)),
    offset: all.map((c) => (mean[c]! * factor - at(wanted.mean, c)) / at(wanted.std, c)),
  };
}

/** `x`: [n, ...sampleShape], channels last. */
export function preprocess(
  x: Float32Array,
  sampleShape: readonly number[],
  { scale, offset, layout }: Preprocessing,
): Float32Array {
  const [mean, std] = [offset.map((value) => -value), offset.map(() => 1)];
  return normalized(x, { scale, mean, std }, layout === 'nchw' ? countOfPixels(sampleShape) : undefined);
}

/** [n, c, h, w] to [n, h, w, c]: the teacher's inner tensors in the student's layout. */
export function channelsLast(
  values: Float32Array,
  [n, c, h, w]: readonly [number, number, number, number],
): Float32Array {
  const out = new Float32Array(values.length);
  const pixels = h * w;
  for (let i = 0; i < n; i++) {
    for (let channel = 0; channel < c; channel++) {
      for (let p = 0; p < pixels; p++) out[(i * pixels + p) * c + channel] = values[(i * c + channel) * pixels + p]!;
    }
  }
  return out;
}

/** True if the preparation leaves values raw. */
export function isRaw({ scale = 1, mean, std }: TeacherNormalization): boolean {
  const all = (values: number | readonly number[], value: number): boolean =>
    [values].flat().every((one) => one === value);
  return scale === 1 && all(mean, 0) && all(std, 1);
}
