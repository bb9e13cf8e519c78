import type { DType, TensorData } from '../graph/types.ts';
import { UserError } from '../base/errors.ts';
import { typedAs } from '../graph/arrays.ts';

const INTEGERS: ReadonlySet<DType> = new Set(['int32', 'int64', 'int16', 'int8', 'uint8', 'bool']);

/** Pixel types with their ranges: other numbers would wrap around. */
const PIXELS: Partial<Record<DType, readonly [least: number, most: number]>> = { uint8: [0, 255], int8: [-128, 127] };
/** Rounding error of pixels whose normalization was undone. */
const NEAR = 1e-3;

/** Samples in an input's type. `UserError` for fractions as input of integer type, which would be rounded. */
export function samplesAs(dtype: DType, data: TensorData, input: string): TensorData {
  if (!INTEGERS.has(dtype) || !(data instanceof Float32Array)) return typedAs(dtype, data);
  const limits = PIXELS[dtype];
  const near = (value: number): number => (Math.abs(value - Math.round(value)) < NEAR ? Math.round(value) : value);
  const whole = limits === undefined ? data : data.map(near);
  const [least, most] = limits ?? [-Infinity, Infinity];
  const at = whole.findIndex((value) => !Number.isInteger(value) || value < least || value > most);
  if (at === -1) return typedAs(dtype, whole);
  const range = limits === undefined ? '' : ` from ${least} to ${most}`;
  throw new UserError(
    `input ${input}: expected whole numbers${range} (${dtype}), received ${data[at]!} in the samples`,
    limits === undefined
      ? 'Set `dataset.normalize: none`, and give it ids or counts.'
      : dtype === 'int8'
        ? 'For a teacher of pictures set `teacher.normalize: { scale: 1, mean: 128, std: 1 }`: it is then fed the pixels less 128.'
        : 'Set `dataset.normalize: none`, or for a teacher `teacher.normalize: { scale: 1, mean: 0, std: 1 }`: it is then fed the values as they are.',
  );
}
