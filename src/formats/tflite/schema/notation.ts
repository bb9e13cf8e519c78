/**
 * A flatbuffer schema as data, for a generic reader, checker and writer.
 *
 * A table is a line of fields in slot order, `name:kind`:
 * - `i32`, `bool`, `f32` ...: a scalar, `i32=1` with a default other than 0;
 * - `string`, `Table`: a single one; `[i32]`, `[string]`, `[Table]`: a vector; `[u8]^16`: aligned to 16 bytes;
 * - `<Union>`: a union, which takes two slots, the member's number and its table;
 * - `name@4:kind` continues at slot 4, after removed fields.
 */
export interface Schema {
  readonly root: string;
  readonly identifier: string;
  readonly tables: Readonly<Record<string, string>>;
  /** Members in the order of their numbers, from 1. */
  readonly unions: Readonly<Record<string, readonly string[]>>;
}

export type Scalar = 'bool' | 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'f32' | 'f64';

type Kind =
  | { readonly kind: 'scalar' | 'scalars'; readonly type: Scalar; readonly initial: number; readonly align: number }
  | { readonly kind: 'string' | 'strings' }
  | { readonly kind: 'table' | 'tables'; readonly table: string }
  | { readonly kind: 'union'; readonly members: readonly string[] };

export type Field = Kind & { readonly name: string; readonly slot: number };

/** A decoded table: scalars as numbers (64-bit ones as bigints), `[u8]` as a view, a union's table with its name in `type$`. */
export type Fields = Readonly<Record<string, unknown>>;

export const UNION_MEMBER = 'type$';

export const scalarSize: Readonly<Record<Scalar, number>> = {
  bool: 1,
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  f32: 4,
  i64: 8,
  u64: 8,
  f64: 8,
};

const parsed = new WeakMap<Schema, Map<string, readonly Field[]>>();

/** Fields of a table, parsed once. */
export function fieldsOf(schema: Schema, table: string): readonly Field[] {
  let tables = parsed.get(schema);
  if (tables === undefined) parsed.set(schema, (tables = new Map<string, readonly Field[]>()));
  let fields = tables.get(table);
  if (fields === undefined) tables.set(table, (fields = parse(schema, table)));
  return fields;
}

function parse(schema: Schema, table: string): readonly Field[] {
  const line = schema.tables[table];
  if (line === undefined) throw new Error(`the schema has no table ${table}`);
  let slot = 0;
  return line
    .split(' ')
    .filter((text) => text !== '')
    .map((text) => {
      const [, name, at, kind] = /^(\w+)(?:@(\d+))?:(.+)$/.exec(text)!;
      if (at !== undefined) slot = Number(at);
      const field = { name: name!, slot, ...parseKind(schema, kind!) };
      slot += field.kind === 'union' ? 2 : 1;
      return field;
    });
}

function parseKind(schema: Schema, text: string): Kind {
  if (text.startsWith('<')) return { kind: 'union', members: schema.unions[text.slice(1, -1)]! };
  const vector = /^\[(\w+)\](?:\^(\d+))?$/.exec(text);
  const [base, initial] = vector ? [vector[1]!, '0'] : (text.split('=') as [string, string | undefined]);
  if (base === 'string') return { kind: vector ? 'strings' : 'string' };
  if (!Object.hasOwn(scalarSize, base)) return { kind: vector ? 'tables' : 'table', table: base };
  const type = base as Scalar;
  return {
    kind: vector ? 'scalars' : 'scalar',
    type,
    initial: Number(initial ?? 0),
    align: Number(vector?.[2] ?? scalarSize[type]),
  };
}
