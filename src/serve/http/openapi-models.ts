import type { TensorSpec } from '../../graph/types.ts';
import { datatypeOf } from '../dtypes.ts';
import type { ServedModel } from '../model.ts';
import { publicShape } from '../v2/checked.ts';
import { inferSchema, jsonSchemaOf, tensorSchema, wantedSchema } from '../v2/schemas.ts';
import { describedBy } from '../v1/preparation.ts';
import type { DescribedModel } from '../v1/preparation.ts';
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

function predictOperation({ name }: ServedModel, described: DescribedModel): object {
  const { shape, labels, logits, text, tags, targets } = described;
  if (tags !== undefined) return tagOperation(name, tags, logits);
  const texts = text?.texts === 2 ? { type: 'array', items: TEXT, minItems: 2, maxItems: 2 } : TEXT;
  const sample = text === undefined ? nested(shape) : { anyOf: [texts, nested(shape)] };
  const values = {
    'application/json': { schema: objectOf({ inputs: { anyOf: [sample, { type: 'array', items: sample }] } }) },
  };
  const pictures = takesPictures(described) ? ['image/png', 'image/jpeg', 'image/webp'] : [];
  const types = described?.rate === undefined ? pictures : ['audio/wav'];
  const choice = { type: 'object', required: ['index', logits ? 'probability' : 'score'] };
  const all = { type: 'array', items: { ...choice, properties: valueProperties(targets, logits) } };
  const prediction =
    targets === undefined ? { ...choice, properties: classProperties(labels, logits) } : objectOf({ values: all });
  const predictions = { type: 'array', items: prediction, description: 'One for each sample' };
  return {
    tags: ['Models'],
    operationId: `predict-${name}`,
    summary: `${targets === undefined ? 'Classes' : 'Values'} of ${text !== undefined ? 'texts, or of ' : pictures.length > 0 ? 'a picture, or of ' : types.length > 0 ? 'a sound, or of ' : ''}raw values of shape ${shape.join(' × ')}`,
    ...(targets === undefined && { parameters: [top('Classes to name')] }),
    requestBody: {
      required: true,
      content: {
        ...Object.fromEntries(types.map((type) => [type, {}])),
        ...values,
        ...(text?.texts === 1 && { 'text/plain': { schema: TEXT } }),
      },
    },
    ...answers(
      targets === undefined ? 'A class for each sample' : 'All values of each sample',
      objectOf({ model: TEXT, predictions }),
    ),
  };
}

/** Address of a model that gives each word of a text a tag. */
function tagOperation(name: string, tags: readonly string[], logits: boolean): object {
  const place = { type: 'integer', minimum: 0 };
  const word = {
    type: 'object',
    required: ['word'],
    description: 'Without a tag where the model was not fed the word',
    properties: { word: TEXT, ...classProperties(tags, logits) },
  };
  const prediction = {
    type: 'object',
    required: ['words'],
    properties: {
      words: { type: 'array', items: word },
      unread: { type: 'integer', minimum: 1, description: 'Words without a tag, where there are any' },
      entities: {
        type: 'array',
        items: objectOf({ type: TEXT, text: TEXT, from: place, to: place }),
        description: 'With the places of their first and their last word; absent of tags that mark none',
      },
    },
  };
  const sample = { anyOf: [TEXT, { type: 'array', items: TEXT, minItems: 1 }] };
  const samples = { anyOf: [TEXT, { type: 'array', items: sample, minItems: 1 }] };
  return {
    tags: ['Models'],
    operationId: `predict-${name}`,
    summary: 'Tags of the words of texts, or of lists of words',
    parameters: [top('Tags to name for each word')],
    requestBody: {
      required: true,
      content: { ...jsonOf(objectOf({ inputs: samples })), 'text/plain': { schema: TEXT } },
    },
    ...answers(
      'Tags and entities of each sample',
      objectOf({ model: TEXT, predictions: { type: 'array', items: prediction } }),
    ),
  };
}

function top(description: string) {
  return { name: 'top', in: 'query', schema: { type: 'integer', minimum: 1, default: 1 }, description };
}

function valueProperties(labels: readonly string[] | undefined, logits: boolean) {
  return {
    index: { type: 'integer', minimum: 0 },
    ...(labels !== undefined && { label: { type: 'string', enum: [...new Set(labels)] } }),
    ...(logits ? { probability: { type: 'number', minimum: 0, maximum: 1 } } : { score: { type: 'number' } }),
  };
}

function classProperties(labels: readonly string[] | undefined, logits: boolean) {
  return {
    ...valueProperties(labels, logits),
    top: {
      type: 'array',
      items: { type: 'object' },
      description: 'With ?top above 1: as many of them, the likeliest first',
    },
  };
}

function takesPictures({ shape, normalization }: DescribedModel): boolean {
  return shape.length === 3 && (shape[2] === 1 || shape[2] === 3) && normalization !== undefined;
}

function inferOperation(model: ServedModel): object {
  const tensors = (specs: readonly TensorSpec[]) => ({
    type: 'array',
    items: { anyOf: specs.map((spec) => jsonSchemaOf(tensorSchema, tensor(spec, publicShape(model, spec)))) },
    minItems: 1,
    maxItems: specs.length,
  });
  const names = { enum: model.facts.outputs.map(({ name }) => name) };
  const request = jsonSchemaOf(inferSchema, {
    inputs: tensors(model.facts.inputs),
    outputs: { type: 'array', items: jsonSchemaOf(wantedSchema, { name: names }) },
  });
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

/** Properties of a tensor of a model. */
function tensor({ name, dtype }: TensorSpec, shape: readonly number[]) {
  const sizes = shape.map((size) => (size < 0 ? { type: 'integer', minimum: 1 } : { const: size }));
  return {
    name: { const: name },
    datatype: { const: datatypeOf(dtype) },
    shape: {
      type: 'array',
      ...(sizes.length > 0 && { prefixItems: sizes }),
      minItems: sizes.length,
      maxItems: sizes.length,
    },
    data: {
      type: 'array',
      description: `Flat, or nested as the shape says: [${shape.map((size) => (size < 0 ? 'any' : size)).join(', ')}]`,
    },
  };
}

/** An array of arrays with the sizes of a shape. */
function nested([size, ...rest]: readonly number[]): object {
  if (size === undefined) return { type: 'number' };
  return { type: 'array', items: nested(rest), minItems: size, maxItems: size };
}
