import { OnDemand } from '../../base/on-demand.ts';
import { ACROSS_BATCH, lossNumbers } from '../../recipe/schema/loss.ts';
import type { LossName } from '../../recipe/schema/loss.ts';
import type { Loss } from '../../train/step/loss.ts';
import type { LossArgs, LossDefinition } from './define.ts';

export type AnyLoss = LossName | 'ce';

/** Modules of every loss that a recipe can name, and of `ce` for training without a teacher. Their options are in recipe/schema/loss.ts. */
const modules: Readonly<Record<AnyLoss, () => Promise<LossDefinition>>> = {
  ce: async () => (await import('./ce.ts')).ce,
  bounded: async () => (await import('./bounded.ts')).bounded,
  kd: async () => (await import('./kd.ts')).kd,
  'kd-standardized': async () => (await import('./kd-standardized.ts')).kdStandardized,
  dkd: async () => (await import('./dkd.ts')).dkd,
  dist: async () => (await import('./dist.ts')).dist,
  ttm: async () => (await import('./ttm.ts')).ttm,
  wttm: async () => (await import('./ttm.ts')).wttm,
  nkd: async () => (await import('./nkd.ts')).nkd,
  mlld: async () => (await import('./mlld.ts')).mlld,
  crld: async () => (await import('./crld.ts')).crld,
  mse: async () => (await import('./mse.ts')).mse,
  cosine: async () => (await import('./cosine.ts')).cosine,
  similarity: async () => (await import('./similarity.ts')).similarity,
  mutual: async () => (await import('./mutual.ts')).mutual,
  'cwd-logits': async () => (await import('./cwd-logits.ts')).cwdLogits,
  hint: async () => (await import('./hint.ts')).hint,
  frs: async () => (await import('./frs.ts')).frs,
  pkd: async () => (await import('./pkd.ts')).pkd,
  cwd: async () => (await import('./cwd.ts')).cwd,
  vkd: async () => (await import('./vkd.ts')).vkd,
  rkd: async () => (await import('./rkd.ts')).rkd,
  sp: async () => (await import('./sp.ts')).sp,
  mgd: async () => (await import('./mgd.ts')).mgd,
  crd: async () => (await import('./crd.ts')).crd,
  reviewkd: async () => (await import('./reviewkd.ts')).reviewkd,
  attention: async () => (await import('./attention.ts')).attention,
};

const ARCFACE = new OnDemand('centres of classes', () => import('./arcface.ts'));

/** Default options of a loss; `ofLabels`: options of its label part. */
export function usualNumbers(
  name: AnyLoss,
  ofLabels: Readonly<Record<string, number>> = { labelSmoothing: 0 },
): Record<string, number> {
  return { ...(name === 'ce' ? {} : lossNumbers(name)), ...ofLabels };
}

/** Loads the definition of a loss. */
export function loadLoss(name: AnyLoss): Promise<LossDefinition> {
  return modules[name]();
}

/** Loads a loss by its name, and creates it; throws for an option that the loss does not have. */
export async function createLoss(name: AnyLoss, args: LossArgs = {}): Promise<Loss> {
  if (args.ofLabels?.['arcface'] !== undefined) await ARCFACE.load();
  return builtLoss(name, await loadLoss(name), args);
}

/** Creates a loss whose definition is loaded. */
export function builtLoss(name: AnyLoss, definition: LossDefinition, args: LossArgs = {}): Loss {
  const numbers = usualNumbers(name, args.ofLabels);
  for (const key of Object.keys(args.hyper ?? {})) {
    if (!Object.hasOwn(numbers, key)) throw new Error(`the loss ${name} has no number ${key}`);
  }
  const loss = definition.build(name, { ...args, hyper: { ...numbers, ...args.hyper } });
  const whole = args.ofLabels?.['arcface'] === undefined ? loss : ARCFACE.module.withCentres(loss, args);
  return { ...whole, acrossBatch: ACROSS_BATCH.has(name) || numbers['dice'] !== undefined };
}
