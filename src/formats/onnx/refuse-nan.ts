import { UserError } from '../../base/errors.ts';

/** `UserError` for NaN in a weight, which would make all answers and losses NaN. */
export function refuseNaN(
  weights: ReadonlyMap<string, { readonly data: ArrayLike<number | bigint> }>,
  file: string,
): void {
  for (const [name, { data }] of weights) {
    if (!(data instanceof Float32Array)) continue;
    const count = data.filter(Number.isNaN).length;
    if (count === 0) continue;
    if (data.length === 1)
      throw new UserError(
        `${file}: its constant ${name} is NaN, which the model gives where it has no answer`,
        'Export the model with a number in its place, such as 0: answers with NaN cannot be compared, trained or quantized.',
      );
    throw new UserError(
      `${file}: ${count} of the ${data.length} numbers of its weight ${name} are NaN`,
      'Export a model whose training has not diverged, and check that the file was copied whole.',
    );
  }
}
