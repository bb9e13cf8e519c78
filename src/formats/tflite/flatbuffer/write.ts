import type { Offset } from 'flatbuffers';
import { Builder } from 'flatbuffers';
import type { Field, Fields, Scalar, Schema } from '../schema/notation.ts';
import { fieldsOf, scalarSize, UNION_MEMBER } from '../schema/notation.ts';

/**
 * Writes plain objects as a flatbuffer. The bytes depend only on the values; fields with default values are omitted, and equal texts, vectors and
 * tables are stored once (FlatBuffers, "Internals", as `CreateSharedString`). Byte data are not compared.
 */
export function writeFlatbuffer(schema: Schema, root: Fields, sizeHint = 1024): Uint8Array {
  const builder = new Builder(sizeHint);
  builder.finish(new Writer(schema, builder).table(schema.root, root), schema.identifier);
  return builder.asUint8Array().slice();
}

class Writer {
  readonly #schema: Schema;
  readonly #builder: Builder;
  /** Offsets of written objects, by content. */
  readonly #written = new Map<string, Offset>();

  constructor(schema: Schema, builder: Builder) {
    this.#schema = schema;
    this.#builder = builder;
  }

  table(name: string, values: Fields): Offset {
    const fields = fieldsOf(this.#schema, name);
    // A flatbuffer is built from its leaves: a table's children are written before it.
    const children = new Map<Field, Offset>();
    for (const field of fields) {
      const value = values[field.name];
      if (field.kind !== 'scalar' && value !== undefined) children.set(field, this.#child(field, value));
    }
    const parts = fields.map((field) => {
      if (field.kind === 'scalar') return textOf((values[field.name] ?? field.initial) as Item);
      const child = children.get(field);
      return field.kind === 'union' ? [member(field, values[field.name]), child].join(' ') : child;
    });
    return this.#once(`${name} ${parts.join(',')}`, () => {
      const last = fields.at(-1);
      this.#builder.startObject(last === undefined ? 0 : last.slot + (last.kind === 'union' ? 2 : 1));
      // The widest first, so that no padding is needed in between.
      for (const width of [8, 4, 2, 1]) {
        for (const field of fields) addField(this.#builder, field, width, values[field.name], children.get(field));
      }
      return this.#builder.endObject();
    });
  }

  #once(key: string, write: () => Offset): Offset {
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const offset = write();
    this.#written.set(key, offset);
    return offset;
  }

  #child(field: Field, value: unknown): Offset {
    switch (field.kind) {
      case 'scalar':
        throw new Error('a scalar lies inside its table');
      case 'string':
        return this.#text(value as string);
      case 'table':
        return this.table(field.table, value as Fields);
      case 'union':
        return this.table(field.members[member(field, value) - 1]!, value as Fields);
      case 'strings':
        return this.#offsets((value as readonly string[]).map((text) => this.#text(text)));
      case 'tables':
        return this.#offsets((value as readonly Fields[]).map((item) => this.table(field.table, item)));
      case 'scalars':
        return value instanceof Uint8Array
          ? writeBytes(this.#builder, value, field.align)
          : this.#scalars(field.type, value as readonly Item[]);
    }
  }

  #text(text: string): Offset {
    return this.#once(`text ${text}`, () => this.#builder.createString(text));
  }

  #offsets(offsets: readonly Offset[]): Offset {
    return this.#once(`offsets ${offsets.join(',')}`, () => {
      this.#builder.startVector(4, offsets.length, 4);
      for (let i = offsets.length - 1; i >= 0; i--) this.#builder.addOffset(offsets[i]!);
      return this.#builder.endVector();
    });
  }

  #scalars(type: Scalar, values: readonly Item[]): Offset {
    return this.#once(`${type} ${values.map(textOf).join(',')}`, () => {
      const size = scalarSize[type];
      this.#builder.startVector(size, values.length, size);
      for (let i = values.length - 1; i >= 0; i--) addItem[type](this.#builder, values[i]!);
      return this.#builder.endVector();
    });
  }
}

type Item = number | bigint | boolean;

/** Key of a value; values with equal keys are stored as the same bytes, unlike -0 and 0. */
function textOf(value: Item): string {
  if (typeof value === 'boolean') return String(Number(value));
  return Object.is(value, -0) ? '-0' : String(value);
}

function addField(builder: Builder, field: Field, width: number, value: unknown, child: Offset | undefined): void {
  if (field.kind === 'scalar') {
    if (value !== undefined && width === scalarSize[field.type])
      addScalar[field.type](
        builder,
        field.slot,
        typeof value === 'boolean' ? Number(value) : (value as number | bigint),
        field.initial,
      );
    return;
  }
  if (child === undefined) return;
  const slot = field.kind === 'union' ? field.slot + 1 : field.slot;
  if (width === 4) builder.addFieldOffset(slot, child, 0);
  if (field.kind === 'union' && width === 1) builder.addFieldInt8(field.slot, member(field, value), 0);
}

/** Number of a union's table type; 0: none. */
function member({ members }: Field & { readonly kind: 'union' }, value: unknown): number {
  if (value === undefined) return 0;
  const name = (value as Fields)[UNION_MEMBER] as string;
  const number = members.indexOf(name) + 1;
  if (number === 0) throw new Error(`cannot write a table of the unknown kind ${name}`);
  return number;
}

function writeBytes(builder: Builder, bytes: Uint8Array, align: number): Offset {
  builder.prep(align, bytes.length);
  return builder.createByteVector(bytes);
}

const addItem: Readonly<Record<Scalar, (b: Builder, value: Item) => void>> = {
  bool: (b, value) => b.addInt8(Number(value)),
  i8: (b, value) => b.addInt8(Number(value)),
  u8: (b, value) => b.addInt8(Number(value)),
  i16: (b, value) => b.addInt16(Number(value)),
  u16: (b, value) => b.addInt16(Number(value)),
  i32: (b, value) => b.addInt32(Number(value)),
  u32: (b, value) => b.addInt32(Number(value)),
  i64: (b, value) => b.addInt64(BigInt(value)),
  u64: (b, value) => b.addInt64(BigInt(value)),
  f32: (b, value) => b.addFloat32(Number(value)),
  f64: (b, value) => b.addFloat64(Number(value)),
};

type AddScalar = (b: Builder, slot: number, value: number | bigint, initial: number) => void;

const addScalar: Readonly<Record<Scalar, AddScalar>> = {
  bool: (b, slot, value, initial) => b.addFieldInt8(slot, Number(value), initial),
  i8: (b, slot, value, initial) => b.addFieldInt8(slot, Number(value), initial),
  u8: (b, slot, value, initial) => b.addFieldInt8(slot, Number(value), initial),
  i16: (b, slot, value, initial) => b.addFieldInt16(slot, Number(value), initial),
  u16: (b, slot, value, initial) => b.addFieldInt16(slot, Number(value), initial),
  i32: (b, slot, value, initial) => b.addFieldInt32(slot, Number(value), initial),
  u32: (b, slot, value, initial) => b.addFieldInt32(slot, Number(value), initial),
  i64: (b, slot, value, initial) => b.addFieldInt64(slot, BigInt(value), BigInt(initial)),
  u64: (b, slot, value, initial) => b.addFieldInt64(slot, BigInt(value), BigInt(initial)),
  f32: (b, slot, value, initial) => b.addFieldFloat32(slot, Number(value), initial),
  f64: (b, slot, value, initial) => b.addFieldFloat64(slot, Number(value), initial),
};
