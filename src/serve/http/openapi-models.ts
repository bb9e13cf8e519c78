import type { Column } from '../../data/dataset.ts';
import type { TensorSpec } from '../../graph/types.ts';
import type { AnswerFormKind } from '../../recipe/task.ts';
import { statedForm } from '../../tasks/answer-form.ts';
import { USUAL_THRESHOLD } from '../../tasks/detection/threshold.ts';
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
        : [
            [`/v1/${model.name}`, { post: predictOperation(model, described) }] as const,
            ...(described.vector === true
              ? [[`/v1/${model.name}/similar`, { post: similarOperation(model, described) }] as const]
              : []),
            infer,
          ];
    }),
  );
}

function predictOperation({ name }: ServedModel, described: DescribedModel): object {
  const { kind, names } = statedForm(described);
  const { takes, answered, each, choice, prediction } = SCHEMAS_OF_ANSWERS[kind];
  const { samples, content } = takes(described);
  const predictions = {
    type: 'array',
    items: withUnknown(prediction(names, described.logits), described),
    description: 'One for each sample',
  };
  return {
    tags: ['Models'],
    operationId: `predict-${name}`,
    summary: `${answered} of ${samples}`,
    ...(choice !== undefined && { parameters: [top(choice)] }),
    ...(described.boxes !== undefined && { parameters: [score(described)] }),
    requestBody: { required: true, content },
    ...answers(each, objectOf({ model: TEXT, predictions })),
  };
}

/** Schema of an answer with the columns whose word train does not have, for a model of a table with words. */
function withUnknown(schema: object, { columns = [] }: DescribedModel): object {
  const names = columns.filter(({ words }) => words !== undefined).map(({ name }) => name);
  if (names.length === 0) return schema;
  const { properties } = schema as { readonly properties?: object };
  const unknown = {
    type: 'array',
    items: { type: 'string', enum: names },
    description: 'Columns whose word train does not have, where there are any: the model saw none of its words there',
  };
  return { ...schema, properties: { ...properties, unknown } };
}

function similarOperation({ name }: ServedModel, described: DescribedModel): object {
  const { samples, content } = samplesOf(described);
  const row = { type: 'array', items: { type: 'number', minimum: -1, maximum: 1 } };
  return {
    tags: ['Models'],
    operationId: `similar-${name}`,
    summary: `Cosines between the vectors of two or more ${samples}`,
    requestBody: { required: true, content },
    ...answers('A row for each sample', objectOf({ model: TEXT, similarities: { type: 'array', items: row } })),
  };
}

interface AnswerSchema {
  /** Request: the samples in words, and schemas by content type. */
  readonly takes: (described: DescribedModel) => { readonly samples: string; readonly content: object };
  /** Answers of a model, and those to each sample, in words. */
  readonly answered: string;
  readonly each: string;
  /** Description of the parameter `top`; absent if the model does not choose among names. */
  readonly choice?: string;
  readonly prediction: (names: readonly string[] | undefined, logits: boolean) => object;
}

const values: AnswerSchema = {
  takes: samplesOf,
  answered: 'Values',
  each: 'All values of each sample',
  prediction: (names, logits) =>
    objectOf({ values: { type: 'array', items: valueSchema(logits, valueProperties(names, logits)) } }),
};

/** Schemas of answers at `/v1/M` by their form. */
export const SCHEMAS_OF_ANSWERS: Readonly<Record<AnswerFormKind, AnswerSchema>> = {
  classes: {
    takes: samplesOf,
    answered: 'Classes',
    each: 'A class for each sample',
    choice: 'Classes to name',
    prediction: (names, logits) => valueSchema(logits, classProperties(names, logits)),
  },
  numbers: values,
  labels: values,
  tags: {
    takes: wordsOf,
    answered: 'Tags',
    each: 'Tags and entities of each sample',
    choice: 'Tags to name for each word',
    prediction: sentenceSchema,
  },
  mask: {
    takes: samplesOf,
    answered: 'A class for each pixel',
    each: 'The mask of each picture',
    prediction: maskSchema,
  },
  boxes: {
    takes: samplesOf,
    answered: 'Boxes with a class each',
    each: 'The boxes of each picture',
    prediction: boxesSchema,
  },
  vector: {
    takes: samplesOf,
    answered: 'Vectors to search with',
    each: 'A vector of length 1 for each sample',
    prediction: () => objectOf({ embedding: { type: 'array', items: { type: 'number' } } }),
  },
};

function samplesOf(described: DescribedModel) {
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

function wordsOf() {
  const sample = { anyOf: [TEXT, { type: 'array', items: TEXT, minItems: 1 }] };
  const inputs = { anyOf: [TEXT, { type: 'array', items: sample, minItems: 1 }] };
  return {
    samples: 'the words of texts, or of lists of words',
    content: { ...jsonOf(objectOf({ inputs })), 'text/plain': { schema: TEXT } },
  };
}

/** A text with a tag for each word. */
function sentenceSchema(tags: readonly string[] | undefined, logits: boolean): object {
  const place = { type: 'integer', minimum: 0 };
  const word = {
    type: 'object',
    required: ['word'],
    description: 'Without a tag where the model was not fed the word',
    properties: { word: TEXT, ...classProperties(tags, logits) },
  };
  return {
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
}

/** A class for each pixel of a picture. */
function maskSchema(classes: readonly string[] | undefined): object {
  const index = { type: 'integer', minimum: 0 };
  const size = { type: 'integer', minimum: 1 };
  const label = { type: 'string', ...(classes !== undefined && { enum: [...new Set(classes)] }) };
  return objectOf({
    ...{ height: size, width: size },
    runs: {
      type: 'array',
      items: index,
      description: 'Classes of the pixels, row by row: index, number of pixels, index, number of pixels, …',
    },
    segments: {
      type: 'array',
      items: objectOf({ index, label, area: { type: 'number', minimum: 0, maximum: 1 } }),
      description: 'Classes that pixels have, with their share of the pixels, the largest first',
    },
  });
}

function boxesSchema(classes: readonly string[] | undefined): object {
  const size = { type: 'integer', minimum: 1 };
  const side = { type: 'number', minimum: 0 };
  const label = { type: 'string', ...(classes !== undefined && { enum: [...new Set(classes)] }) };
  const box = objectOf({ xmin: side, ymin: side, xmax: side, ymax: side });
  const index = { type: 'integer', minimum: 0 };
  return objectOf({
    ...{ height: size, width: size, threshold: { type: 'number', description: 'Lowest score of these boxes' } },
    boxes: {
      type: 'array',
      items: objectOf({ index, label, score: { type: 'number', minimum: 0, maximum: 1 }, box }),
      description: 'Boxes in pixels of the picture, which has this height and width, the highest score first',
    },
  });
}

function valueSchema(logits: boolean, properties: object) {
  return { type: 'object', required: ['index', logits ? 'probability' : 'score'], properties };
}

function top(description: string) {
  return { name: 'top', in: 'query', schema: { type: 'integer', minimum: 1, default: 1 }, description };
}

function score({ threshold = USUAL_THRESHOLD }: DescribedModel) {
  const schema = { type: 'number', minimum: 0, maximum: 1, default: threshold };
  return { name: 'score', in: 'query', schema, description: 'Lowest score of a box in the answer' };
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

/** A row of a table by the names of its columns. */
function rowOf(columns: readonly Column[]): object {
  const properties = columns.map(({ name, words, date, missing }) => {
    const types = date !== undefined ? ['string'] : ['number', 'boolean', ...(words === undefined ? [] : ['string'])];
    const description = date && 'ISO 8601, such as 2024-01-31 or 2024-01-31T10:30:00Z; without a zone in UTC';
    return [name, { type: [...types, ...(missing === undefined ? [] : ['null'])], ...(description && { description }) }] as const; // prettier-ignore
  });
  return { ...objectOf(Object.fromEntries(properties)), additionalProperties: false };
}

/** An array of arrays with the sizes of a shape. */
function nested([size, ...rest]: readonly number[]): object {
  if (size === undefined) return { type: 'number' };
  return { type: 'array', items: nested(rest), minItems: size, maxItems: size };
}
