import type { Column } from '../../data/dataset.ts';
import type { DescribedModel } from '../v1/described.ts';
import type { Taken } from '../v1/forms.ts';
import { jsonOf, objectOf, TEXT } from './openapi-schemas.ts';

/** Schemas of requests, and of answers that several forms have. */

export function samplesOf(described: DescribedModel): Taken {
  const { shape, text, rate, columns } = described;
  const texts = text?.texts === 2 ? { type: 'array', items: TEXT, minItems: 2, maxItems: 2 } : TEXT;
  const others = [...(text === undefined ? [] : [texts]), ...(columns === undefined ? [] : [rowOf(columns)])];
  const flat = shape.length > 1 ? [nested([shape.reduce((product, size) => product * size, 1)])] : [];
  const forms = [...others, nested(shape), ...flat];
  const sample = forms.length === 1 ? forms[0]! : { anyOf: forms };
  const pictures = takesPictures(described) ? ['image/png', 'image/jpeg', 'image/webp'] : [];
  const types = rate === undefined ? pictures : ['audio/wav'];
  return {
    samples: `${text !== undefined ? 'texts, or of ' : pictures.length > 0 ? 'a picture, or of ' : types.length > 0 ? 'a sound, or of ' : ''}raw values of shape ${shape.join(' × ')}`,
    content: {
      ...Object.fromEntries(types.map((type) => [type, {}])),
      ...jsonOf(objectOf({ inputs: { anyOf: [sample, { type: 'array', items: sample }] } })),
      ...(text?.texts === 1 && { 'text/plain': { schema: TEXT } }),
    },
  };
}

function takesPictures({ shape, normalization }: DescribedModel): boolean {
  return shape.length === 3 && (shape[2] === 1 || shape[2] === 3) && normalization !== undefined;
}

/** A row of a table by the names of its columns. */
function rowOf(columns: readonly Column[]): object {
  const properties = columns.map(({ name, words, date, missing }) => {
    const types = date !== undefined ? ['string'] : ['number', 'boolean', ...(words === undefined ? [] : ['string'])];
    const description = date && 'ISO 8601, such as 2024-01-31 or 2024-01-31T10:30:00Z; without a zone in UTC';
    return [
      name,
      { type: [...types, ...(missing === undefined ? [] : ['null'])], ...(description && { description }) },
    ] as const;
  });
  return { ...objectOf(Object.fromEntries(properties)), additionalProperties: false };
}

/** An array of arrays with the sizes of a shape. */
function nested([size, ...rest]: readonly number[]): object {
  if (size === undefined) return { type: 'number' };
  return { type: 'array', items: nested(rest), minItems: size, maxItems: size };
}

/** A class, a label or a number with its value. */
export function valueSchema(logits: boolean, properties: object) {
  return { type: 'object', required: ['index', logits ? 'probability' : 'score'], properties };
}

export function valueProperties(labels: readonly string[] | undefined, logits: boolean) {
  return {
    index: { type: 'integer', minimum: 0 },
    ...(labels !== undefined && { label: { type: 'string', enum: [...new Set(labels)] } }),
    ...(logits ? { probability: { type: 'number', minimum: 0, maximum: 1 } } : { score: { type: 'number' } }),
  };
}

export function classProperties(labels: readonly string[] | undefined, logits: boolean) {
  return {
    ...valueProperties(labels, logits),
    top: {
      type: 'array',
      items: { type: 'object' },
      description: 'With ?top above 1: as many of them, the likeliest first',
    },
  };
}
