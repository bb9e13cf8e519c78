import { z } from 'zod';

/** Bodies of the protocol's requests: the server checks them with these schemas, and its OpenAPI document has them as JSON Schema. */

/** An array of up to `most` items, or an object of as many keys: the number is looked at first, for each wrong item makes an object. */
function upTo<T extends z.ZodType>(most: number, type: T) {
  const isFew = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Array.isArray(value) ? value.length : Object.keys(value).length) <= most;
  const limit = type instanceof z.ZodArray ? 'maxItems' : 'maxProperties';
  return z
    .unknown()
    .refine(isFew, { error: `expected at most ${most}`, abort: true })
    .pipe(type.meta({ [limit]: most }));
}

const parameters = upTo(256, z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))).optional();
const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

export const tensorSchema = z.strictObject({
  name: z.string(),
  shape: upTo(16, z.array(size)),
  datatype: z.string(),
  parameters,
  data: z.unknown().optional(),
});

export const wantedSchema = z.strictObject({ name: z.string(), parameters });

export const inferSchema = z.strictObject({
  id: z.string().optional(),
  // Clients of KServe repeat what stands in the address; an empty text says nothing, as in gRPC.
  model_name: z.string().optional(),
  model_version: z.string().optional(),
  parameters,
  inputs: upTo(256, z.array(tensorSchema)),
  outputs: upTo(256, z.array(wantedSchema)).optional(),
});

/** Request for the list of models; `ready`: only of those that answer. */
export const indexSchema = z.strictObject({ ready: z.boolean().optional() });

/** Request to load or unload a model. */
export const changeSchema = z.strictObject({ parameters: z.record(z.string(), z.unknown()).optional() });

/** JSON Schema of what passes a check; `properties`: of an object, those that are known better. */
export function jsonSchemaOf(schema: z.ZodType, properties: Readonly<Record<string, object>> = {}): object {
  const { type, required, additionalProperties, properties: own } = z.toJSONSchema(schema);
  return { type, required, additionalProperties, properties: { ...own, ...properties } };
}
