/** `GET /openapi.json`: the addresses of this server for tools that make clients and forms of them (OpenAPI 3.1). */
export function openApi(version: string): object {
  const text = { type: 'string' };
  const json = (schema: object) => ({ content: { 'application/json': { schema } } });
  const error = { description: 'What is wrong', ...json({ type: 'object', properties: { error: text } }) };
  const answers = (description: string, schema: object = { type: 'object' }) => ({
    responses: { 200: { description, ...json(schema) }, default: error },
  });
  const model = { name: 'model', in: 'path', required: true, schema: text };
  const top = { name: 'top', in: 'query', schema: { type: 'integer', minimum: 1 }, description: 'Classes to name' };
  const ofModel = (description: string) => ({ parameters: [model], get: answers(description) });
  const change = (description: string) => ({ parameters: [model], post: answers(description) });
  const tensor = {
    type: 'object',
    required: ['name', 'shape', 'datatype'],
    properties: {
      ...{ name: text, shape: { type: 'array', items: { type: 'integer' } }, datatype: text },
      ...{ parameters: { type: 'object' }, data: { type: 'array' } },
    },
  };
  const request = {
    type: 'object',
    required: ['inputs'],
    properties: {
      ...{ id: text, parameters: { type: 'object' }, inputs: { type: 'array', items: tensor } },
      outputs: { type: 'array', items: { type: 'object', required: ['name'], properties: { name: text } } },
    },
  };
  const prediction = {
    type: 'object',
    properties: { index: { type: 'integer' }, label: text, probability: { type: 'number' }, score: { type: 'number' } },
  };
  const predictions = { type: 'object', properties: { predictions: { type: 'array', items: prediction } } };
  const picture = { schema: { type: 'string', format: 'binary' } };
  const values = { 'application/json': { schema: { type: 'object', properties: { inputs: { type: 'array' } } } } };
  return {
    openapi: '3.1.0',
    info: { title: 'limbeck serve', version, description: 'Open Inference Protocol v2, and pictures or values in.' },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths: {
      '/v1': { get: answers('Names of the models') },
      '/v1/{model}': {
        parameters: [model],
        get: answers('What it takes and what it answers'),
        post: {
          parameters: [top],
          requestBody: { required: true, content: { ...values, 'image/png': picture, 'image/jpeg': picture } },
          ...answers('A class for each sample', predictions),
        },
      },
      '/v2': { get: answers('The server') },
      '/v2/health/live': { get: answers('It lives') },
      '/v2/health/ready': { get: answers('It answers requests') },
      '/v2/models/stats': { get: answers('Statistics of all models') },
      '/v2/models/{model}': ofModel('Its inputs and outputs'),
      '/v2/models/{model}/ready': ofModel('It answers requests'),
      '/v2/models/{model}/config': ofModel('How it is batched, and what was measured of it'),
      '/v2/models/{model}/stats': ofModel('Its statistics'),
      '/v2/models/{model}/infer': {
        parameters: [model],
        post: { requestBody: { required: true, ...json(request) }, ...answers('Its outputs') },
      },
      '/v2/repository/index': { post: answers('What is loaded, and what could be', { type: 'array' }) },
      '/v2/repository/models/{model}/load': change('Its file was read again'),
      '/v2/repository/models/{model}/unload': change('It is no longer served'),
      '/metrics': { get: { responses: { 200: { description: 'For Prometheus', content: { 'text/plain': {} } } } } },
      '/openapi.json': { get: answers('This') },
    },
  };
}
