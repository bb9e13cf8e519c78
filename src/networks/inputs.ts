import { UserError } from '../base/errors.ts';
import { partsFor } from '../data/inputs.ts';
import type { InputPart } from '../data/dataset.ts';
import type { TensorType } from '../graph/types.ts';

/** `UserError` where the parts of the samples are not what the inputs [batch, ...] of a model of several take. */
export function checkParts(
  name: string,
  wanted: Readonly<Record<string, TensorType>>,
  inputs: readonly InputPart[],
): void {
  for (const { name: input, shape, isWhole } of partsFor(name, Object.keys(wanted), inputs)) {
    const { dtype, shape: own } = wanted[input]!;
    // tfjs leaves sizes open as NaN.
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
