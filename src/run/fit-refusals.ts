import { UserError } from '../base/errors.ts';
import type { Network } from '../networks/network.ts';

/** `UserError` for a network of which nothing is trained. */
export function refuseFrozen({ name, trainable, state }: Network): void {
  if (Object.keys(trainable).length > 0) return;
  throw new UserError(
    `${name}: expected a weight to train, received none: all ${Object.keys(state).length} are frozen`,
    'Take a pattern out of student.freeze, or take the file as it is: distill.epochs: 0.',
  );
}
