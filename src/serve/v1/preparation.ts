import { parsedJson } from '../../base/json.ts';
import { z } from 'zod';
import { numberNames } from '../../data/splits/columns.ts';
import { countOfPixels, isSoundShape } from '../../data/dataset.ts';
import { normalized } from '../../data/normalized.ts';
import type { Column, InputPart } from '../../data/dataset.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';
import { PARTS } from '../../data/text/sink.ts';
import { columnsIn, fieldsIn, partsIn, statedIn, statedText } from '../../files/stated.ts';
import { namesByForm } from '../../recipe/stated-names.ts';
import type { StatedNames } from '../../recipe/stated-names.ts';
import { labelsOf } from '../v2/classification.ts';
import type { DescribedModel, DescribedSource } from './described.ts';
import { fittedTo } from './fitted.ts';
import { saidOf } from './forms.ts';

/** Types that ids, masks and types of tokens are fed in. */
const FED: ReadonlySet<string> = new Set(['int32', 'int64', 'float32']);

const soundSchema = z.object({ rate: z.number().positive() });
const targetsSchema = z.array(z.string());

/** Descriptions made so far: neither facts nor metadata of a model change after it is loaded, and each request needs them. */
const made = new WeakMap<DescribedSource, DescribedModel | undefined>();

/**
 * Description of a model, whose form was loaded, see `loadForm`; undefined unless it has exactly one input, float32, with samples of one size, or takes what a
 * tokenizer makes of texts.
 */
export function describedBy(model: DescribedSource): DescribedModel | undefined {
  if (!made.has(model)) made.set(model, describe(model));
  return made.get(model);
}

function describe(model: DescribedSource): DescribedModel | undefined {
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
  const said = saidOf({ logits, ...names });
  const { stated = () => ({}) } = said.form;
  const own = stated(model, { names: said.names, text: isText ? text : undefined });
  if (own === undefined) return undefined;
  const sound = soundSchema.safeParse(parsed(metadata.get('sound'))).data;
  return {
    ...(sound !== undefined && isSoundShape(shape) && { rate: sound.rate }),
    ...(isText && { text }),
    ...(parts !== undefined && { parts }),
    ...(fields !== undefined && { fields }),
    shape,
    logits,
    ...fitted,
    ...names,
    ...own,
    ...(columns !== undefined && hasWidth(columns, shape) && { columns }),
  };
}

/** Names of the answers as the file of a model states them. */
export function statedNames({ metadata }: Pick<DescribedSource, 'metadata'>): StatedNames {
  const labels = labelsOf({ metadata });
  const targets = targetsSchema.safeParse(parsed(metadata.get('targets'))).data;
  return {
    ...(labels !== undefined && { labels }),
    ...namesByForm(metadata, targets),
    logits: metadata.get('output') === 'logits',
  };
}

/**
 * Parts of a sample of texts for the inputs of a model of several, or for an only one that takes whole numbers; undefined where they are not
 * those that its metadata name.
 */
function partsOf({ facts, metadata }: DescribedSource, { length }: TextForm): readonly InputPart[] | undefined {
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

function hasShape(output: DescribedSource['facts']['outputs'][number] | undefined, sample: readonly number[]): boolean {
  return output?.shape.slice(1).join() === sample.join();
}

/** True for a model whose pictures are cut out of larger ones, or scaled by a filter of its own: only a run does that. */
export function isScaledInItsWay({ metadata }: Pick<DescribedSource, 'metadata'>): boolean {
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
