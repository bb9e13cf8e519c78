import type { Attrs } from '../../graph/types.ts';
import type { Channels, Labels } from './channels.ts';

export interface RuleInput {
  readonly channels: Channels;
  readonly labels: readonly Labels[];
  readonly shapes: readonly (readonly number[])[];
  readonly output: readonly number[];
  readonly attrs: Attrs;
  /** Which inputs are weights as they are stored, however their axes were moved. */
  readonly stored: readonly boolean[];
  /** The axes of the result that a matrix product repeats over, such as the heads of an attention. */
  readonly heads: () => readonly number[];
  /** Why a channel stays that this op cannot lose. */
  readonly reason: string;
}

/** Joins the channels that one op ties together, and gives the labels of its result. */
export type Rule = (input: RuleInput) => Labels;
