import { UserError } from '../base/errors.ts';
import { partsFor } from '../data/inputs.ts';
import type { InputPart } from '../data/dataset.ts';
import type { TensorType } from '../graph/types.ts';

/** `UserError` if the parts of the samples do not match the inputs [batch, ...] of a model with several inputs. */
export function checkParts(
  name: string,
  wanted: Readonly<Record<string, TensorType>>,
  inputs: readonly InputPart[],
): void {
  for (const { name: input, shape, isWhole } of partsFor(name, Object.keys(wanted), inputs)) {
    const { dtype, shape: own } = wanted[input]!;
    // NaN: a size that tfjs leaves open.
    const fits = own.length === shape.length + 1 && shape.every((size, i) => [size, NaN].includes(Number(own[i + 1])));
    if (!fits)
      throw new UserError(
        `${name}: its input ${input} is [${own.join(', ')}], received samples of shape [${shape.join(', ')}]`,
        'Give the array of that name the shape that the model takes.',
      );
    if (dtype !== 'float32' && !isWhole)
      throw new UserError(
        `${name}: its input ${input} is ${dtype}, received samples that are float`,
        "Save the array of that name as whole numbers, e.g. array.astype('int64').",
      );
  }
}
