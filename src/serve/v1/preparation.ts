import { parsedJson } from '../../base/json.ts';
import { z } from 'zod';
import { numberNames } from '../../data/splits/columns.ts';
import { countOfPixels, isSoundShape } from '../../data/dataset.ts';
import { normalized } from '../../data/normalized.ts';
import type { Column, InputPart } from '../../data/dataset.ts';
import { columnsIn, fieldsIn, partsIn, statedIn } from '../../distill/teachers/inputs/preparation.ts';
import type { Normalization } from '../../data/dataset.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';
import { PARTS } from '../../data/text/sink.ts';
import { statedText } from '../../distill/teachers/inputs/stated-text.ts';
import { namesByPart } from '../../tasks/answer-form.ts';
import type { StatedNames } from '../../tasks/answer-form.ts';
import { statedThreshold } from '../../tasks/detection/threshold.ts';
import type { AnswerField } from '../../tasks/fields.ts';
import type { ServedModel } from '../model.ts';
import { labelsOf } from '../v2/classification.ts';
import { fittedTo } from './fitted.ts';

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
  readonly fields?: readonly AnswerField[];
  /** Overlap above which the worse of two boxes of a class is dropped, where the file states it. */
  readonly overlap?: number;
  /** Lowest score of a box in an answer, where the file states it. */
  readonly threshold?: number;
}

/** Types that ids, masks and types of tokens are fed in. */
const FED: ReadonlySet<string> = new Set(['int32', 'int64', 'float32']);

const soundSchema = z.object({ rate: z.number().positive() });
const targetsSchema = z.array(z.string());

type Source = Pick<ServedModel, 'facts' | 'metadata'>;

/** Descriptions made so far: neither facts nor metadata of a model change after it is loaded, and each request needs them. */
const made = new WeakMap<Source, DescribedModel | undefined>();

/** Description of a model; undefined unless it has exactly one input, float32, with samples of one size, or takes what a tokenizer makes of texts. */
export function describedBy(model: Source): DescribedModel | undefined {
  if (!made.has(model)) made.set(model, describe(model));
  return made.get(model);
}

function describe(model: Source): DescribedModel | undefined {
  const { facts, metadata } = model;
  const [input, ...others] = facts.inputs;
  const text = statedText(metadata);
  const parts = text && partsOf(model, text);
  if (input === undefined || (parts === undefined && (others.length > 0 || input.dtype !== 'float32')))
    return undefined;
  if (facts.batching.kind === 'whole' && input.shape[0] !== 1) return undefined;
  const shape = parts === undefined ? input.shape.slice(1) : [parts.length * text!.length];
  if (!shape.every((size) => typeof size === 'number')) return undefined;
  if (isScaledInItsWay(model)) return undefined;
  const { preprocessing } = statedIn(metadata);
  const fitted = preprocessing && fittedTo(shape, preprocessing);
  const columns = columnsIn(metadata);
  const fields = fieldsIn(metadata);
  if (
    fields?.some(
      ({ name, shape: of }) =>
        !hasShape(
          facts.outputs.find((one) => one.name === name),
          of,
        ),
    )
  )
    return undefined;
  const { logits, ...names } = statedNames(model);
  const isText = text !== undefined && shape.length === 1 && shape[0] === (parts?.length ?? 1) * text.length;
  const { tags } = names;
  // Without its tokenizer and its tags nothing tells which answers are those to words.
  if (tags && !(isText && text.texts === 1 && hasShape(facts.outputs[0], [text.length, tags.length]))) return undefined;
  const threshold = statedThreshold(metadata);
  const sound = soundSchema.safeParse(parsed(metadata.get('sound'))).data;
  return {
    ...(sound !== undefined && isSoundShape(shape) && { rate: sound.rate }),
    ...(isText && { text }),
    ...(parts !== undefined && { parts }),
    ...(fields !== undefined && { fields }),
    ...{ shape, logits, ...fitted, ...names },
    ...(metadata.has('overlap') && { overlap: Number(metadata.get('overlap')) }),
    ...(threshold !== undefined && { threshold }),
    ...(columns !== undefined && hasWidth(columns, shape) && { columns }),
  };
}

/** Names of the answers as the file of a model states them. */
export function statedNames({ metadata }: Pick<Source, 'metadata'>): StatedNames {
  const labels = labelsOf({ metadata });
  const targets = targetsSchema.safeParse(parsed(metadata.get('targets'))).data;
  return {
    ...(labels !== undefined && { labels }),
    ...namesByPart(metadata, targets),
    logits: metadata.get('output') === 'logits',
  };
}

/**
 * Parts of a sample of texts for the inputs of a model of several, or for an only one that takes whole numbers; undefined where they are not
 * those that its metadata name.
 */
function partsOf({ facts, metadata }: Source, { length }: TextForm): readonly InputPart[] | undefined {
  const { inputs } = facts;
  const only = inputs.length === 1 && inputs[0]!.dtype !== 'float32' ? inputs[0]!.name : undefined;
  const stated =
    only === undefined ? (partsIn(metadata) ?? []) : [{ name: only, shape: [length], from: 0, isWhole: true }];
  const isOfTexts = stated.every(
    ({ name, shape, from }, i) =>
      (name === only || Object.hasOwn(PARTS, name)) && shape.join() === String(length) && from === i * length,
  );
  const isFed = inputs.every(
    ({ name, dtype, shape }) =>
      stated.some((part) => part.name === name) && FED.has(dtype) && shape.length === 2 && shape[1] === length,
  );
  return inputs.length === stated.length && isOfTexts && isFed ? stated : undefined;
}

function hasShape(output: Source['facts']['outputs'][number] | undefined, sample: readonly number[]): boolean {
  return output?.shape.slice(1).join() === sample.join();
}

/** True for a model whose pictures are cut out of larger ones, or scaled by a filter of its own: only a run does that. */
export function isScaledInItsWay({ metadata }: Pick<Source, 'metadata'>): boolean {
  const { cutFrom, filter } = statedIn(metadata).preprocessing ?? {};
  return (cutFrom ?? filter) !== undefined;
}

function hasWidth(columns: readonly Column[], shape: readonly number[]): boolean {
  return shape.length === 1 && numberNames(columns).length === shape[0];
}

function parsed(text: string | undefined): unknown {
  try {
    return parsedJson(text ?? '');
  } catch {
    return undefined;
  }
}

/** Raw values of whole samples as the model wants them. */
export function prepared(
  values: Float32Array | Uint8Array,
  { shape, normalization, layout }: DescribedModel,
): Float32Array {
  if (normalization === undefined) return new Float32Array(values);
  return normalized(values, normalization, layout === 'nchw' ? countOfPixels(shape) : undefined);
}

/** Shape of one sample as the input has it. */
export function fedShape({ shape, fed = shape }: Pick<DescribedModel, 'shape' | 'fed'>): readonly number[] {
  return fed;
}
