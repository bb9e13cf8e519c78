import type { TensorSpec } from '../../graph/types.ts';
import { datatypeOf } from '../dtypes.ts';
import type { ServedModel } from '../model.ts';
import { publicShape } from '../v2/checked.ts';
import { describedBy } from '../v1/preparation.ts';
import type { Described } from '../v1/preparation.ts';
import { answers, jsonOf, objectOf, TEXT } from './openapi-schemas.ts';

/** Addresses of each model, with its shapes and labels. */
export function modelPaths(models: readonly ServedModel[]): Record<string, object> {
  return Object.fromEntries(
    models.flatMap((model) => {
      const described = describedBy(model);
      const infer = [`/v2/models/${model.name}/infer`, { post: inferOperation(model) }] as const;
      return described === undefined
        ? [infer]
        : [[`/v1/${model.name}`, { post: predictOperation(model, described) }], infer];
    }),
  );
}

function predictOperation({ name }: ServedModel, described: Described): object {
  const { shape, labels, logits, text } = described;
  const texts = text?.texts === 2 ? { type: 'array', items: TEXT, minItems: 2, maxItems: 2 } : TEXT;
  const sample = text === undefined ? nested(shape) : { anyOf: [texts, nested(shape)] };
  const values = {
    'application/json': { schema: objectOf({ inputs: { anyOf: [sample, { type: 'array', items: sample }] } }) },
  };
  const pictures = takesPictures(described) ? ['image/png', 'image/jpeg', 'image/webp'] : [];
  const types = described?.rate === undefined ? pictures : ['audio/wav'];
  const prediction = {
    type: 'object',
    required: ['index', logits ? 'probability' : 'score'],
    properties: {
      index: { type: 'integer', minimum: 0 },
      ...(labels !== undefined && { label: { type: 'string', enum: [...new Set(labels)] } }),
      ...(logits ? { probability: { type: 'number', minimum: 0, maximum: 1 } } : { score: { type: 'number' } }),
      top: {
        type: 'array',
        items: { type: 'object' },
        description: 'With ?top above 1: as many classes, the likeliest first',
      },
    },
  };
  const predictions = { type: 'array', items: prediction, description: 'One for each sample' };
  return {
    tags: ['Models'],
    operationId: `predict-${name}`,
    summary: `Classes of ${text !== undefined ? 'texts, or of ' : pictures.length > 0 ? 'a picture, or of ' : types.length > 0 ? 'a sound, or of ' : ''}raw values of shape ${shape.join(' × ')}`,
    parameters: [
      { name: 'top', in: 'query', schema: { type: 'integer', minimum: 1, default: 1 }, description: 'Classes to name' },
    ],
    requestBody: {
      required: true,
      content: {
        ...Object.fromEntries(types.map((type) => [type, {}])),
        ...values,
        ...(text?.texts === 1 && { 'text/plain': { schema: TEXT } }),
      },
    },
    ...answers('A class for each sample', objectOf({ model: TEXT, predictions })),
  };
}

function takesPictures({ shape, normalization }: Described): boolean {
  return shape.length === 3 && (shape[2] === 1 || shape[2] === 3) && normalization !== undefined;
}

function inferOperation(model: ServedModel): object {
  const tensors = (specs: readonly TensorSpec[]) => ({
    type: 'array',
    items: { anyOf: specs.map((spec) => tensor(spec, publicShape(model, spec))) },
    minItems: 1,
    maxItems: specs.length,
  });
  const wanted = { type: 'array', items: objectOf({ name: { enum: model.facts.outputs.map(({ name }) => name) } }) };
  const request = {
    type: 'object',
    required: ['inputs'],
    properties: { id: TEXT, parameters: { type: 'object' }, inputs: tensors(model.facts.inputs), outputs: wanted },
  };
  return {
    tags: ['Protocol'],
    operationId: `infer-${model.name}`,
    summary: 'Tensors in, tensors out',
    requestBody: { required: true, content: { ...jsonOf(request), 'application/octet-stream': {} } },
    ...answers(
      'Its outputs',
      objectOf({ model_name: TEXT, model_version: TEXT, outputs: tensors(model.facts.outputs) }),
    ),
  };
}

function tensor({ name, dtype }: TensorSpec, shape: readonly number[]) {
  const sizes = shape.map((size) => (size < 0 ? { type: 'integer', minimum: 1 } : { const: size }));
  return {
    type: 'object',
    required: ['name', 'shape', 'datatype'],
    properties: {
      name: { const: name },
      datatype: { const: datatypeOf(dtype) },
      shape: {
        type: 'array',
        ...(sizes.length > 0 && { prefixItems: sizes }),
        minItems: sizes.length,
        maxItems: sizes.length,
      },
      parameters: { type: 'object' },
      data: {
        type: 'array',
        description: `Flat, or nested as the shape says: [${shape.map((size) => (size < 0 ? 'any' : size)).join(', ')}]`,
      },
    },
  };
}

/** An array of arrays with the sizes of a shape. */
function nested([size, ...rest]: readonly number[]): object {
  if (size === undefined) return { type: 'number' };
  return { type: 'array', items: nested(rest), minItems: size, maxItems: size };
}
