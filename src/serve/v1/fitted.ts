import { UserError } from '../../base/errors.ts';
import { fedShapes } from '../../data/axes.ts';
import type { Normalization } from '../../data/dataset.ts';
import { statedIn } from '../../files/stated.ts';
import type { StatedPreparation } from '../../files/stated.ts';
import type { Model } from '../../formats/onnx/model.ts';

/** Preparation as an input of one shape takes it. */
interface Fitted {
  /** Shape of a sample before preparation, channels last. */
  readonly shape: readonly number[];
  readonly normalization: Normalization;
  readonly layout?: 'nchw';
  /** Shape of the same sample as the input takes it, where it is another. */
  readonly fed?: readonly number[];
  /** Pictures keep their proportions, with grey beside them. */
  readonly fit?: 'letterbox';
}

/** The preparation that a file states, for samples of its input [`input`]; undefined where it is one for other samples. */
export function fittedTo(input: readonly number[], stated: StatedPreparation): Fitted | undefined {
  const { shape, scale, layout = 'nhwc' } = stated;
  const channels = shape.at(-1);
  if (channels === undefined) return undefined;
  const fed = fedShapes(shape).find((one) => one.layout === layout && one.shape.join() === input.join());
  if (fed === undefined || (fed.shape.length === 1 && shape.length > 1)) return undefined;
  if (![stated.mean, stated.std].every(({ length }) => length === 1 || length === channels)) return undefined;
  const all = (values: readonly number[]): readonly number[] =>
    values.length === channels ? values : new Array<number>(channels).fill(values[0]!);
  const normalization = { scale, mean: all(stated.mean), std: all(stated.std) };
  return {
    shape,
    normalization,
    ...(fed.shape.join() !== shape.join() && { fed: fed.shape }),
    ...(layout === 'nchw' && { layout }),
    ...(stated.fit && { fit: stated.fit }),
  };
}

/**
 * `UserError` for a file whose metadata prepare other samples than its only input takes: it would be fed values as they come, and answer
 * wrongly. Returns a sentence where the metadata cannot be read at all.
 */
export function checkPreparation(
  { graph, metadata }: Pick<Model, 'graph' | 'metadata'>,
  file: string,
): string | undefined {
  if (!metadata.has('preprocessing')) return undefined;
  const { preprocessing } = statedIn(metadata);
  if (preprocessing === undefined)
    return 'its metadata entry preprocessing is no JSON of shape, scale, mean and std: values are fed as they come';
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const [input, ...others] = graph.inputs.filter(({ name }) => !stored.has(name));
  const own = input?.dims?.slice(1) ?? [];
  if (input === undefined || others.length > 0 || own.length === 0) return undefined;
  if (!own.every((size) => typeof size === 'number') || fittedTo(own, preprocessing) !== undefined) return undefined;
  const { shape, layout, mean, std } = preprocessing;
  const numbers = `${mean.length} ${mean.length === 1 ? 'mean' : 'means'} and ${std.length} ${std.length === 1 ? 'deviation' : 'deviations'}`;
  throw new UserError(
    `${file}: its metadata entry preprocessing is for samples [${shape.join(', ')}]${layout === 'nchw' ? ', fed with their channels first,' : ''} with ${numbers}, but its input ${input.name} is [${(input.dims ?? []).join(', ')}]`,
    'Write an entry for that input, with a mean and a deviation for each channel, or take it out: values are then fed as they come.',
  );
}
