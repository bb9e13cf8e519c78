/** The part of JSON Schema that the schemas beside this file use. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false | Schema;
}

/** What is wrong with a value, each fault with where it is. */
export function faults(value: unknown, schema: Schema, at = ''): string[] {
  const { type, pattern, minimum = -Infinity, maximum = Infinity } = schema;
  if (type !== undefined && !isA(value, type)) return [`${at}: expected ${type}, received ${JSON.stringify(value)}`];
  const wrong =
    ('const' in schema && value !== schema.const) ||
    (schema.enum !== undefined && !schema.enum.includes(value)) ||
    (pattern !== undefined && !new RegExp(pattern).test(value as string)) ||
    (typeof value === 'number' && (value < minimum || value > maximum));
  const found = wrong ? [`${at}: ${JSON.stringify(value)} does not fit ${JSON.stringify(schema)}`] : [];
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) found.push(`${at}: too few`);
    if (schema.items !== undefined) value.forEach((one, i) => found.push(...faults(one, schema.items!, `${at}/${i}`)));
  } else if (typeof value === 'object' && value !== null) {
    for (const key of schema.required ?? []) if (!(key in value)) found.push(`${at}: ${key} is missing`);
    for (const [key, one] of Object.entries(value)) {
      const known = schema.properties?.[key] ?? schema.additionalProperties;
      if (known === false) found.push(`${at}: ${key} is not known`);
      else if (known !== undefined) found.push(...faults(one, known, `${at}/${key}`));
    }
  }
  return found;
}

function isA(value: unknown, type: NonNullable<Schema['type']>): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type && !Array.isArray(value) && value !== null;
}
