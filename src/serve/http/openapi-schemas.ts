/** Parts that many operations of the OpenAPI document have. */

export const TEXT = { type: 'string' } as const;
const INTEGER = { type: 'integer' } as const;

export const SCHEMAS = {
  Error: { type: 'object', required: ['error'], properties: { error: { ...TEXT, description: 'What is wrong' } } },
  Names: objectOf({ models: { type: 'array', items: TEXT } }),
  Ready: { type: 'object', properties: { name: TEXT, ready: { type: 'boolean' } } },
  Metadata: {
    type: 'object',
    required: ['name', 'versions', 'platform', 'inputs', 'outputs'],
    properties: {
      name: TEXT,
      versions: { type: 'array', items: TEXT },
      platform: TEXT,
      inputs: { type: 'array', items: ref('TensorSpec') },
      outputs: { type: 'array', items: ref('TensorSpec') },
    },
  },
  TensorSpec: objectOf({ name: TEXT, datatype: TEXT, shape: { type: 'array', items: INTEGER } }),
  IndexRow: objectOf({ name: TEXT, version: TEXT, state: { enum: ['READY', 'UNAVAILABLE'] }, reason: TEXT }),
};

export function ref(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object that has all of these. */
export function objectOf(properties: Readonly<Record<string, object>>) {
  return { type: 'object', required: Object.keys(properties), properties };
}

export function jsonOf(schema: object) {
  return { 'application/json': { schema } };
}

/** The answer when all is well, and otherwise. */
export function answers(description: string, schema: object = { type: 'object' }) {
  return {
    responses: {
      200: { description, content: jsonOf(schema) },
      default: { description: 'What is wrong', content: jsonOf({ $ref: '#/components/schemas/Error' }) },
    },
  };
}
