import { recipeJsonSchema } from './schema.ts';
import type { KeyPath } from './source.ts';

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly default?: unknown;
}

/** The keys that the schema knows at a path. */
export interface KnownKeys {
  /** Keys of the union member that matches the value. */
  readonly keys: readonly string[];
  /** The key that identifies the member, such as `loss`, and its value. */
  readonly chosenBy?: { readonly key: string; readonly value: string };
  /** Values of `chosenBy.key` whose members have this key. */
  readonly elsewhere: (key: string) => readonly string[];
}

let inline: JsonSchema | undefined;

/** Keys of the schema at a path of `data`. */
export function knownKeys(path: KeyPath, data: unknown): KnownKeys {
  inline ??= recipeJsonSchema('inline');
  let schemas: JsonSchema[] = [inline];
  let value = data;
  for (const part of path) {
    schemas = members(flat(schemas), value).chosen.flatMap((schema) => {
      const next = typeof part === 'number' ? (schema.items ?? schema.prefixItems?.[part]) : schema.properties?.[part];
      return next === undefined ? [] : [next];
    });
    value = (value as Record<string | number, unknown> | undefined)?.[part];
  }
  const all = flat(schemas);
  const { chosen, key: decisive } = members(all, value);
  const namesOf = (schema: JsonSchema): string[] => Object.keys(schema.properties ?? {});
  const keys = [...new Set(chosen.flatMap(namesOf))];
  if (decisive === undefined) return { keys, elsewhere: () => [] };
  return {
    keys,
    chosenBy: { key: decisive, value: String(given(decisive, chosen[0]!, value)) },
    elsewhere: (key) =>
      all
        .filter((schema) => namesOf(schema).includes(key))
        .map((schema) => String(schema.properties?.[decisive]?.const)),
  };
}

function flat(schemas: readonly JsonSchema[]): JsonSchema[] {
  return schemas.flatMap((schema) => {
    const inner = schema.anyOf ?? schema.oneOf;
    return inner === undefined ? [schema] : flat(inner);
  });
}

/** Union members that match the value, and the identifying key: one that is a constant in each member. */
function members(all: readonly JsonSchema[], value: unknown): { chosen: readonly JsonSchema[]; key?: string } {
  if (Array.isArray(value)) return { chosen: all.filter(({ items, prefixItems }) => items ?? prefixItems) };
  let chosen = all.filter(({ properties }) => properties !== undefined);
  if (chosen.length === 0) return { chosen: all };
  let decisive: string | undefined;
  for (const key of Object.keys(chosen[0]!.properties!)) {
    if (chosen.length < 2 || !chosen.every(({ properties }) => properties![key]?.const !== undefined)) continue;
    const fitting = chosen.filter((schema) => schema.properties![key]!.const === given(key, schema, value));
    if (fitting.length === 0 || fitting.length === chosen.length) continue;
    [chosen, decisive] = [fitting, key];
  }
  return { chosen, ...(decisive !== undefined && { key: decisive }) };
}

/** The value of a key, or its default in the schema. */
function given(key: string, { properties }: JsonSchema, value: unknown): unknown {
  return (value as Record<string, unknown> | null | undefined)?.[key] ?? properties?.[key]?.default;
}
