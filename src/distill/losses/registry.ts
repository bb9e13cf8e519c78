import { ACROSS_BATCH, lossNumbers } from '../../recipe/schema/loss.ts';
import type { LossName } from '../../recipe/schema/loss.ts';
import type { Loss } from '../../train/step/loss.ts';
import { withCentres } from './arcface.ts';
import { attention } from './attention.ts';
import { bounded } from './bounded.ts';
import { ce } from './ce.ts';
import { cosine } from './cosine.ts';
import { crd } from './crd.ts';
import { crld } from './crld.ts';
import { cwdLogits } from './cwd-logits.ts';
import { cwd } from './cwd.ts';
import type { LossArgs, LossDefinition } from './define.ts';
import { dist } from './dist.ts';
import { dkd } from './dkd.ts';
import { frs } from './frs.ts';
import { hint } from './hint.ts';
import { kdStandardized } from './kd-standardized.ts';
import { kd } from './kd.ts';
import { mgd } from './mgd.ts';
import { mlld } from './mlld.ts';
import { mse } from './mse.ts';
import { mutual } from './mutual.ts';
import { nkd } from './nkd.ts';
import { pkd } from './pkd.ts';
import { reviewkd } from './reviewkd.ts';
import { rkd } from './rkd.ts';
import { similarity } from './similarity.ts';
import { sp } from './sp.ts';
import { ttm, wttm } from './ttm.ts';
import { vkd } from './vkd.ts';

export type AnyLoss = LossName | 'ce';

/** Every loss that a recipe can name, and `ce` for training without a teacher. Their options are in recipe/schema/loss.ts. */
export const losses: Readonly<Record<AnyLoss, LossDefinition>> = {
  ce,
  bounded,
  kd,
  'kd-standardized': kdStandardized,
  dkd,
  dist,
  ttm,
  wttm,
  nkd,
  mlld,
  crld,
  mse,
  cosine,
  similarity,
  mutual,
  'cwd-logits': cwdLogits,
  hint,
  frs,
  pkd,
  cwd,
  vkd,
  rkd,
  sp,
  mgd,
  crd,
  reviewkd,
  attention,
};

/** Default options of a loss; `ofLabels`: options of its label part. */
export function usualNumbers(
  name: AnyLoss,
  ofLabels: Readonly<Record<string, number>> = { labelSmoothing: 0 },
): Record<string, number> {
  return { ...(name === 'ce' ? {} : lossNumbers(name)), ...ofLabels };
}

/** Creates a loss by its name; throws for an option that the loss does not have. */
export function createLoss(name: AnyLoss, args: LossArgs = {}): Loss {
  const numbers = usualNumbers(name, args.ofLabels);
  for (const key of Object.keys(args.hyper ?? {})) {
    if (!Object.hasOwn(numbers, key)) throw new Error(`the loss ${name} has no number ${key}`);
  }
  const loss = losses[name].build(name, { ...args, hyper: { ...numbers, ...args.hyper } });
  const whole = args.ofLabels?.['arcface'] === undefined ? loss : withCentres(loss, args);
  return { ...whole, acrossBatch: ACROSS_BATCH.has(name) || numbers['dice'] !== undefined };
}
