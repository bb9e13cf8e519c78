import { nearest, shown, UserError } from '../../base/errors.ts';
import type { Loss } from '../../train/loss.ts';
import { attention } from './attention.ts';
import { ce } from './ce.ts';
import type { LossArgs, LossDefinition } from './define.ts';
import { dist } from './dist.ts';
import { dkd } from './dkd.ts';
import { hint } from './hint.ts';
import { kdStandardized } from './kd-standardized.ts';
import { kd } from './kd.ts';
import { mse } from './mse.ts';

/** Every loss that a recipe can name, and `ce` for training without a teacher. */
export const losses: Readonly<Record<string, LossDefinition>> = {
  ce,
  kd,
  'kd-standardized': kdStandardized,
  dkd,
  dist,
  mse,
  hint,
  attention,
};

/** Numbers that the loss does not have (a recipe gives `temperature` to each) are left out. */
export function createLoss(name: string, args: LossArgs = {}): Loss {
  const definition = Object.hasOwn(losses, name) ? losses[name] : undefined;
  if (definition === undefined) {
    const near = nearest(name, Object.keys(losses));
    const hintText = near === undefined ? `The losses are ${Object.keys(losses).join(', ')}.` : `Did you mean ${near}?`;
    throw new UserError(`there is no loss ${shown(name)}`, hintText);
  }
  const given = Object.entries(args.hyper ?? {}).filter(([key]) => Object.hasOwn(definition.defaults, key));
  return definition.build(name, { ...args, hyper: { ...definition.defaults, ...Object.fromEntries(given) } });
}
