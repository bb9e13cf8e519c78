import type { Column, InputPart, Normalization } from '../../data/dataset.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';
import type { StatedField } from '../../files/stated.ts';
import type { StatedNames } from '../../recipe/stated-names.ts';
import type { ServedModel } from '../model.ts';

/** Input and answer of a model as its file describes them. */
export interface DescribedModel extends StatedNames {
  /** Shape of one sample as it is sent: channels last, or as the input has it where the file states no preparation. */
  readonly shape: readonly number[];
  /** Of a model of texts that takes ids, mask and types apart: the part of a sample of `shape` that each of its inputs takes. */
  readonly parts?: readonly InputPart[];
  /** `nchw`: the input has the channels of a prepared sample first. */
  readonly layout?: 'nchw';
  /** Shape of one sample as the input takes it, where it is another. */
  readonly fed?: readonly number[];
  /** Pictures keep their proportions, with grey beside them; absent: they are stretched. */
  readonly fit?: 'letterbox';
  /** `(value · scale - mean) / std` of raw values, channel by channel; absent: values are fed as they come. */
  readonly normalization?: Normalization;
  /** Columns of a table, some of words, which a row may be sent by name with. */
  readonly columns?: readonly Column[];
  /** Conversion of texts into its input. */
  readonly text?: TextForm;
  /** Values a second, for a model that takes sounds. */
  readonly rate?: number;
  /** Outputs of a model of several, whose values stand one after another in an answer; absent for a model of one output. */
  readonly fields?: readonly StatedField[];
}

/** Parts of a model that its description is made of. */
export type DescribedSource = Pick<ServedModel, 'facts' | 'metadata'>;
