import type { TensorSpec } from '../../graph/types.ts';
import { datatypeOf } from '../dtypes.ts';
import type { ServedModel } from '../model.ts';
import { publicShape } from '../v2/checked.ts';
import { inferSchema, jsonSchemaOf, tensorSchema, wantedSchema } from '../v2/schemas.ts';
import type { DescribedModel } from '../v1/described.ts';
import { saidOf } from '../v1/forms.ts';
import { describedBy } from '../v1/preparation.ts';
import { samplesOf } from './openapi-answers.ts';
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
            ...(saidOf(described).form.isVector === true
              ? [[`/v1/${model.name}/similar`, { post: similarOperation(model, described) }] as const]
              : []),
            infer,
          ];
    }),
  );
}

function predictOperation({ name }: ServedModel, described: DescribedModel): object {
  const { form, names } = saidOf(described);
  const { answered, each, choice, least, prediction } = form;
  const { samples, content } = form.taken?.() ?? samplesOf(described);
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
    ...(least !== undefined && { parameters: [score(least.description, least.usual(described))] }),
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

function top(description: string) {
  return { name: 'top', in: 'query', schema: { type: 'integer', minimum: 1, default: 1 }, description };
}

function score(description: string, usual: number) {
  const schema = { type: 'number', minimum: 0, maximum: 1, default: usual };
  return { name: 'score', in: 'query', schema, description };
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
