import { Slot } from '../../base/registry.ts';
import type { UsualAnswers } from '../../measure/usual-answers.ts';
import { answerForms } from '../../recipe/answer-forms.ts';

/** Stability index beyond which answers have drifted; back below half of it they have come back. */
export const ALERT = 0.25;

/** Statistics by aspects of the answers, such as `confidence`. */
export interface Drift {
  readonly psi: Readonly<Record<string, number>>;
  /** Of aspects with an order. */
  readonly ks: Readonly<Record<string, number>>;
}

/** Comparison of the answers to the latest samples with those on the split that the model was measured on. */
export interface DriftWatch {
  /** Numbers of an answer. */
  readonly width: number;
  /** Samples in the window. */
  readonly samples: number;
  /** All samples that were looked at. */
  readonly seen: number;
  /** True while the log's last word was that answers drift. */
  isTold: boolean;
  /** Drift of the answers; undefined until there are enough samples to say anything. */
  readonly drift: Drift | undefined;
  /** `logits`: [samples, width]. */
  readonly add: (logits: ArrayLike<number>) => void;
}

/** Begins a watch over answers. */
export type DriftWatchOf = (usual: UsualAnswers) => DriftWatch;

/** Watch over answers, by their form, for forms with usual answers to compare them with; that of a model is loaded with the model. */
export const DRIFT = new Slot<DriftWatchOf>(answerForms, 'drift', 'watch over drift');
