import type { LossArgs, LossDefinition } from '../../src/distill/losses/define.ts';
import { loadLoss, builtLoss } from '../../src/distill/losses/registry.ts';
import type { AnyLoss } from '../../src/distill/losses/registry.ts';
import { LOSSES } from '../../src/recipe/schema/loss.ts';
import type { LossName } from '../../src/recipe/schema/loss.ts';
import type { Loss } from '../../src/train/step/loss.ts';

// One after another: jest cannot link two modules at a time.
const loaded: [AnyLoss, LossDefinition][] = [];
for (const name of ['ce', ...(Object.keys(LOSSES) as LossName[])] as const) loaded.push([name, await loadLoss(name)]);

/** Definition of every loss, and of `ce`. */
export const losses = Object.fromEntries(loaded) as Readonly<Record<AnyLoss, LossDefinition>>;

/** Creates a loss by its name, for tests that are not asynchronous. */
export function createLoss(name: AnyLoss, args: LossArgs = {}): Loss {
  return builtLoss(name, losses[name], args);
}
