import type { Offset } from 'flatbuffers';
import { Builder } from 'flatbuffers';
import type { Field, Fields, Scalar, Schema } from '../schema/notation.ts';
import { fieldsOf, scalarSize, UNION_MEMBER } from '../schema/notation.ts';

/** Plain objects as a flatbuffer. The bytes depend on nothing but the values; fields at their default are left out. */
export function writeFlatbuffer(schema: Schema, root: Fields, sizeHint = 1024): Uint8Array {
  const builder = new Builder(sizeHint);
  builder.finish(writeTable(builder, schema, schema.root, root), schema.identifier);
  return builder.asUint8Array().slice();
}

function writeTable(builder: Builder, schema: Schema, table: string, values: Fields): Offset {
  const fields = fieldsOf(schema, table);
  // A flatbuffer is built from its leaves: what a table refers to is written before the table itself.
  const children = new Map<Field, Offset>();
  for (const field of fields) {
    const value = values[field.name];
    if (field.kind !== 'scalar' && value !== undefined) children.set(field, writeChild(builder, schema, field, value));
  }
  const last = fields.at(-1);
  builder.startObject(last === undefined ? 0 : last.slot + (last.kind === 'union' ? 2 : 1));
  // The widest first, so that no padding is needed between them.
  for (const width of [8, 4, 2, 1]) {
    for (const field of fields) addField(builder, field, width, values[field.name], children.get(field));
  }
  return builder.endObject();
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
  if (field.kind === 'union' && width === 1) builder.addFieldInt8(field.slot, memberNumber(field.members, value), 0);
}

function memberNumber(members: readonly string[], value: unknown): number {
  const member = (value as Fields)[UNION_MEMBER] as string;
  const number = members.indexOf(member) + 1;
  if (number === 0) throw new Error(`cannot write a table of the unknown kind ${member}`);
  return number;
}

function writeChild(builder: Builder, schema: Schema, field: Field, value: unknown): Offset {
  switch (field.kind) {
    case 'scalar':
      throw new Error('a scalar lies inside its table');
    case 'string':
      return builder.createString(value as string);
    case 'table':
      return writeTable(builder, schema, field.table, value as Fields);
    case 'union': {
      const member = field.members[memberNumber(field.members, value) - 1]!;
      return writeTable(builder, schema, member, value as Fields);
    }
    case 'strings':
      return writeOffsets(
        builder,
        (value as readonly string[]).map((text) => builder.createString(text)),
      );
    case 'tables':
      return writeOffsets(
        builder,
        (value as readonly Fields[]).map((item) => writeTable(builder, schema, field.table, item)),
      );
    case 'scalars':
      return value instanceof Uint8Array
        ? writeBytes(builder, value, field.align)
        : writeScalars(builder, field.type, value as readonly (number | bigint | boolean)[]);
  }
}

function writeOffsets(builder: Builder, offsets: readonly Offset[]): Offset {
  builder.startVector(4, offsets.length, 4);
  for (let i = offsets.length - 1; i >= 0; i--) builder.addOffset(offsets[i]!);
  return builder.endVector();
}

function writeBytes(builder: Builder, bytes: Uint8Array, align: number): Offset {
  builder.prep(align, bytes.length);
  return builder.createByteVector(bytes);
}

function writeScalars(builder: Builder, type: Scalar, values: readonly (number | bigint | boolean)[]): Offset {
  const size = scalarSize[type];
  builder.startVector(size, values.length, size);
  for (let i = values.length - 1; i >= 0; i--) addItem[type](builder, values[i]!);
  return builder.endVector();
}

const addItem: Readonly<Record<Scalar, (b: Builder, value: number | bigint | boolean) => void>> = {
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
