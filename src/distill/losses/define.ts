import type { FeaturePair, Loss, LossInput, LossOutput } from '../../train/loss.ts';

export interface LossArgs {
  /** Numbers that replace defaults. */
  readonly hyper?: Readonly<Record<string, number>>;
  /** Numbers of the label's part and their defaults, which the task knows; default: those of classes. */
  readonly ofLabels?: Readonly<Record<string, number>>;
  /** Pairs of inner tensors that a feature loss compares. */
  readonly features?: readonly FeaturePair[];
  /** Seed of the loss' own weights. */
  readonly seed?: number;
}

export interface LossDefinition {
  readonly needs: Loss['needs'];
  /** Builds it; `name` is the one in the registry, `hyper` has all of its numbers. They are fed at every step. */
  readonly build: (name: string, args: LossArgs & { readonly hyper: Readonly<Record<string, number>> }) => Loss;
}

/** A loss of logits and labels alone, without variables of its own. */
export function logitLoss(definition: {
  readonly needs: 'labels' | 'logits';
  readonly compute: (input: LossInput) => LossOutput;
}): LossDefinition {
  const { needs, compute } = definition;
  return {
    needs,
    build: (name, { hyper }) => ({ name, needs, hyper, features: [], variables: {}, compute }),
  };
}
