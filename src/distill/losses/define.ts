import type { FeaturePair, Loss, LossInput, LossOutput } from '../../train/loss.ts';

export interface LossArgs {
  /** Numbers that replace defaults; only those that the loss has. */
  readonly hyper?: Readonly<Record<string, number>>;
  /** What feature losses compare. */
  readonly features?: readonly FeaturePair[];
  /** Of the weights that the loss brings along. */
  readonly seed?: number;
}

export interface LossDefinition {
  /** One sentence. */
  readonly doc: string;
  readonly needs: Loss['needs'];
  /** Its numbers, all fed at every step. */
  readonly defaults: Readonly<Record<string, number>>;
  /** Builds it; `name` is the one in the registry. */
  readonly build: (name: string, args: LossArgs & { readonly hyper: Readonly<Record<string, number>> }) => Loss;
}

/** A loss of logits and labels alone, without variables of its own. */
export function logitLoss(definition: {
  readonly doc: string;
  readonly needs: 'labels' | 'logits';
  readonly defaults: Readonly<Record<string, number>>;
  readonly compute: (input: LossInput) => LossOutput;
}): LossDefinition {
  const { doc, needs, defaults, compute } = definition;
  return {
    doc,
    needs,
    defaults,
    build: (name, { hyper }) => ({ name, needs, hyper, features: [], variables: {}, compute }),
  };
}
