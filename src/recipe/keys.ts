import { recipeJsonSchema } from './schema.ts';
import type { KeyPath } from './source.ts';

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: unknown;
}

/** The keys that the schema knows at a path. `type` in `data` picks the alternative where it decides. */
export function knownKeys(path: KeyPath, data: unknown): string[] {
  let schemas: JsonSchema[] = [recipeJsonSchema()];
  let value = data;
  for (const part of path) {
    schemas = alternatives(schemas, value).flatMap((schema) => {
      const next = typeof part === 'number' ? (schema.items ?? schema.prefixItems?.[part]) : schema.properties?.[part];
      return next === undefined ? [] : [next];
    });
    value = (value as Record<string | number, unknown> | undefined)?.[part];
  }
  return [...new Set(alternatives(schemas, value).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

function alternatives(schemas: readonly JsonSchema[], value: unknown): JsonSchema[] {
  const flat = schemas.flatMap((schema): JsonSchema[] => {
    const inner = schema.anyOf ?? schema.oneOf;
    return inner === undefined ? [schema] : alternatives(inner, value);
  });
  const type = (value as { type?: unknown } | null | undefined)?.type;
  const chosen = flat.filter((schema) => schema.properties?.['type']?.const === type && type !== undefined);
  return chosen.length > 0 ? chosen : flat;
}
