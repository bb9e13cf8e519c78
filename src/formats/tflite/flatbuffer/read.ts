import { ByteBuffer } from 'flatbuffers';
import type { Field, Fields, Scalar, Schema } from '../schema/notation.ts';
import { fieldsOf, scalarSize, UNION_MEMBER } from '../schema/notation.ts';

/** Error for inconsistent bytes: an offset beyond the end, a vector longer than the file. */
export class FlatbufferError extends Error {
  override readonly name = 'FlatbufferError';
}

/**
 * Parses a flatbuffer into plain objects. Every offset and length is checked before it is followed, and the work is bounded by the size of the file:
 * tables may share parts, so that a small malicious file could otherwise expand without limit.
 */
export function readFlatbuffer(schema: Schema, bytes: Uint8Array): Fields {
  if (bytes.length < 8) throw new FlatbufferError(`${bytes.length} bytes are too few`);
  const reader = new Reader(schema, bytes);
  return reader.table(schema.root, reader.follow(0));
}

export function hasIdentifier(schema: Schema, bytes: Uint8Array): boolean {
  return bytes.length >= 8 && String.fromCharCode(...bytes.subarray(4, 8)) === schema.identifier;
}

class Reader {
  readonly #schema: Schema;
  readonly #bytes: Uint8Array;
  readonly #buffer: ByteBuffer;
  #budget: number;

  constructor(schema: Schema, bytes: Uint8Array) {
    this.#schema = schema;
    this.#bytes = bytes;
    this.#buffer = new ByteBuffer(bytes);
    this.#budget = 16 * bytes.length + 65_536;
  }

  table(name: string, at: number): Fields {
    this.#spend(32);
    const vtable = at - this.#at(at, 4, () => this.#buffer.readInt32(at));
    const size = this.#at(vtable, 4, () => this.#buffer.readUint16(vtable));
    const tableSize = this.#buffer.readUint16(vtable + 2);
    this.#check(vtable, size);
    this.#check(at, tableSize);
    if (size < 4 || size % 2 !== 0 || tableSize < 4) throw new FlatbufferError(`a damaged vtable at byte ${vtable}`);
    const position = (slot: number): number => {
      const entry = 4 + 2 * slot;
      const offset = entry + 2 <= size ? this.#buffer.readUint16(vtable + entry) : 0;
      if (offset >= tableSize) throw new FlatbufferError(`a field outside its table at byte ${at}`);
      return offset === 0 ? 0 : at + offset;
    };
    const result: Record<string, unknown> = {};
    for (const field of fieldsOf(this.#schema, name)) {
      const value = this.#field(field, position);
      if (value !== undefined) result[field.name] = value;
    }
    return result;
  }

  /** Target of the offset at `at`. */
  follow(at: number): number {
    const to = at + this.#at(at, 4, () => this.#buffer.readUint32(at));
    this.#check(to, 4);
    return to;
  }

  #field(field: Field, position: (slot: number) => number): unknown {
    const at = position(field.slot);
    switch (field.kind) {
      case 'scalar':
        if (at === 0) return absent(field.type, field.initial);
        return this.#at(at, scalarSize[field.type], () => this.#scalar(field.type, at));
      case 'union':
        return this.#union(field.members, at, position(field.slot + 1));
    }
    if (at === 0) return undefined;
    const target = this.follow(at);
    switch (field.kind) {
      case 'string':
        return this.#string(target);
      case 'table':
        return this.table(field.table, target);
      case 'strings':
        return this.#vector(target, 4, (item) => this.#string(this.follow(item)));
      case 'tables':
        return this.#vector(target, 4, (item) => this.table(field.table, this.follow(item)));
      case 'scalars':
        if (field.type === 'u8') return this.#view(target);
        return this.#vector(target, scalarSize[field.type], (item) => this.#scalar(field.type, item));
    }
  }

  #union(members: readonly string[], at: number, tableAt: number): Fields | undefined {
    if (at === 0) return undefined;
    const number = this.#at(at, 1, () => this.#buffer.readUint8(at));
    if (number === 0) return undefined;
    const member = members[number - 1];
    if (member === undefined) return { [UNION_MEMBER]: `#${number}` };
    if (tableAt === 0) return { [UNION_MEMBER]: member };
    return { [UNION_MEMBER]: member, ...this.table(member, this.follow(tableAt)) };
  }

  #vector<T>(at: number, size: number, item: (at: number) => T): T[] {
    const length = this.#length(at, size);
    this.#spend(8 * length);
    return Array.from({ length }, (_, i) => item(at + 4 + i * size));
  }

  #view(at: number): Uint8Array {
    return this.#bytes.subarray(at + 4, at + 4 + this.#length(at, 1));
  }

  #string(at: number): string {
    const length = this.#length(at, 1);
    this.#spend(length + 8);
    return new TextDecoder().decode(this.#bytes.subarray(at + 4, at + 4 + length));
  }

  #length(at: number, size: number): number {
    const length = this.#at(at, 4, () => this.#buffer.readUint32(at));
    this.#check(at + 4, length * size);
    return length;
  }

  #scalar(type: Scalar, at: number): number | bigint | boolean {
    const b = this.#buffer;
    switch (type) {
      case 'bool':
        return b.readInt8(at) !== 0;
      case 'i8':
        return b.readInt8(at);
      case 'u8':
        return b.readUint8(at);
      case 'i16':
        return b.readInt16(at);
      case 'u16':
        return b.readUint16(at);
      case 'i32':
        return b.readInt32(at);
      case 'u32':
        return b.readUint32(at);
      case 'i64':
        return b.readInt64(at);
      case 'u64':
        return b.readUint64(at);
      case 'f32':
        return b.readFloat32(at);
      case 'f64':
        return b.readFloat64(at);
    }
  }

  #at<T>(at: number, size: number, read: () => T): T {
    this.#check(at, size);
    return read();
  }

  #check(at: number, size: number): void {
    if (at < 0 || at + size > this.#bytes.length)
      throw new FlatbufferError(`byte ${at} + ${size} lies outside the ${this.#bytes.length} bytes of the file`);
  }

  #spend(cost: number): void {
    this.#budget -= cost;
    if (this.#budget < 0) throw new FlatbufferError('its parts refer to each other more often than any real file does');
  }
}

function absent(type: Scalar, initial: number): number | bigint | boolean {
  if (type === 'bool') return initial !== 0;
  return type === 'i64' || type === 'u64' ? BigInt(initial) : initial;
}
