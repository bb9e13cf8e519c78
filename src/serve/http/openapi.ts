import type { ModelHost } from '../host.ts';
import type { ServedModel } from '../model.ts';
import { changeSchema, indexSchema, jsonSchemaOf } from '../v2/schemas.ts';
import { modelPaths } from './openapi-models.ts';
import type { Site } from './call.ts';
import { answers, jsonOf, ref, SCHEMAS, TEXT } from './openapi-schemas.ts';

/** The document of each server, as JSON: of fifty models it takes some 30 ms, in which nobody is answered. */
const made = new WeakMap<ModelHost, { readonly models: readonly ServedModel[]; readonly json: Uint8Array }>();

/** `GET /openapi.json`, made anew when other models are loaded. */
export function openApi({ host, version }: Pick<Site, 'host' | 'version'>): Uint8Array {
  const { models } = host;
  const before = made.get(host);
  if (before?.models.length === models.length && models.every((model, i) => model === before.models[i]))
    return before.json;
  const json = Buffer.from(JSON.stringify(documentOf(version, host)));
  made.set(host, { models, json });
  return json;
}

/**
 * The addresses of this server for tools that make clients and forms of them (OpenAPI 3.1), those of the
 * models that are loaded with what they take and answer.
 */
function documentOf(version: string, { models, addresses }: Pick<ModelHost, 'models' | 'addresses'>): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'limbeck serve',
      version,
      description: 'Models behind the Open Inference Protocol v2, and pictures or values in and classes out.',
    },
    servers: [{ url: '/' }],
    // Where the server has tokens, one of them; elsewhere none.
    security: [{}, { token: [] }],
    tags: [
      { name: 'Models', description: 'What the models of this server take and answer' },
      { name: 'Protocol', description: 'Open Inference Protocol v2, with Triton’s extensions' },
      { name: 'Server', description: 'Its health, its metrics, its models' },
    ],
    components: { schemas: SCHEMAS, securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths: {
      ...modelPaths(models),
      ...Object.fromEntries(
        addresses.flatMap(({ path, operation }) => {
          const post = operation(models);
          return post === undefined ? [] : [[`/${path.join('/')}`, { post }]];
        }),
      ),
      ...protocolPaths(models.map(({ name }) => name)),
      ...SERVER_PATHS,
    },
  };
}

function protocolPaths(names: readonly string[]): object {
  const schema = names.length === 0 ? TEXT : { ...TEXT, examples: names };
  const parameters = [{ name: 'model', in: 'path', required: true, schema }];
  const of = (tag: string, operationId: string, summary: string, body?: object) => ({
    parameters,
    get: { tags: [tag], operationId, summary, ...answers(summary, body) },
  });
  const change = (operationId: string, summary: string) => ({
    parameters,
    post: {
      tags: ['Server'],
      operationId,
      summary,
      requestBody: { content: jsonOf(jsonSchemaOf(changeSchema)) },
      ...answers(summary),
    },
  });
  return {
    '/v1': { get: { ...operation('Models', 'models', 'Names of the models'), ...answers('Names', ref('Names')) } },
    '/v1/{model}': of('Models', 'description', 'Shape, preparation and labels of a model'),
    '/v1/{model}/card': of('Models', 'card', 'All that is known of a model, and its figures in the report of its run'),
    '/v2': { get: { ...operation('Protocol', 'server', 'Name, version and extensions'), ...answers('The server') } },
    '/v2/models/{model}': of('Protocol', 'metadata', 'Inputs and outputs of a model', ref('Metadata')),
    '/v2/models/{model}/ready': of('Protocol', 'modelReady', 'Whether a model answers requests', ref('Ready')),
    '/v2/models/{model}/config': of('Protocol', 'config', 'How a model is batched, and what was measured of it'),
    '/v2/models/{model}/stats': of('Protocol', 'statistics', 'Counts and times of a model'),
    '/v2/models/stats': {
      get: { ...operation('Protocol', 'allStatistics', 'The same of all'), ...answers('Statistics') },
    },
    '/v2/repository/index': {
      post: {
        ...operation('Server', 'index', 'What is loaded, and what could be'),
        requestBody: { content: jsonOf(jsonSchemaOf(indexSchema)) },
        ...answers('One row for each', { type: 'array', items: ref('IndexRow') }),
      },
    },
    '/v2/repository/models/{model}/load': change('load', 'Read the file of a model, or read it again'),
    '/v2/repository/models/{model}/unload': change('unload', 'Serve a model no longer'),
  };
}

function operation(tag: string, operationId: string, summary: string) {
  return { tags: [tag], operationId, summary };
}

const OPEN = { security: [{}] };
const EXPOSITION = { 'text/plain': { schema: TEXT } };

const SERVER_PATHS = {
  '/v2/health/live': {
    get: { ...operation('Server', 'live', 'Whether it lives'), ...OPEN, ...answers('It does', { type: 'object' }) },
  },
  '/v2/health/ready': {
    get: {
      ...operation('Server', 'ready', 'Whether it answers requests'),
      ...OPEN,
      ...answers('It does', ref('Ready')),
    },
  },
  '/metrics': {
    get: {
      ...operation('Server', 'metrics', 'Metrics in the text format of Prometheus'),
      responses: { 200: { description: 'One line for each value', content: EXPOSITION } },
    },
  },
  '/openapi.json': { get: { ...operation('Server', 'openapi', 'This'), ...answers('This', { type: 'object' }) } },
};
