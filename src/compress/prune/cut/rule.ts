import type { Attrs } from '../../../graph/types.ts';
import type { Channels, Labels } from './channels.ts';

export interface RuleInput {
  readonly channels: Channels;
  readonly labels: readonly Labels[];
  readonly shapes: readonly (readonly number[])[];
  readonly output: readonly number[];
  readonly attrs: Attrs;
  /** True for each input that is a stored weight, even with its axes moved. */
  readonly stored: readonly boolean[];
  /** Labels of each input whose values are 0 once their channels are. */
  readonly zeros: readonly ReadonlySet<number>[];
  /** The axes of the result that a matrix product repeats over, such as the heads of an attention. */
  readonly heads: () => readonly number[];
  /** Reason for channels that must stay because this op cannot lose them. */
  readonly reason: string;
}

/** Rule of one op: joins the channels that the op ties together, and returns the labels of its result. */
export type ChannelRule = (input: RuleInput) => Labels;
