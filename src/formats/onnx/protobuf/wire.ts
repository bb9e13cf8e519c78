/** Protobuf's wire format: https://protobuf.dev/programming-guides/encoding/ */

/** Thrown by the reader; `decodeModel` turns it into a message with the file's name. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** Reads one message. Every length is checked against the bytes at hand before anything is allocated. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly #end: number;
  /** Messages around this one. */
  readonly depth: number;
  /** Contents of files that messages may refer to by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;

  constructor(bytes: Uint8Array, depth = 0, files: ReadonlyMap<string, Uint8Array> = new Map()) {
    if (depth > 100) throw new WireError('messages are nested too deeply');
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.length;
    this.depth = depth;
    this.files = files;
  }

  /** The next field's number and wire type, or undefined at the end. */
  next(): { field: number; wire: number } | undefined {
    if (this.#at >= this.#end) return undefined;
    const tag = Number(this.varint() & 0xffffffffn);
    const field = tag >>> 3;
    if (field === 0) throw new WireError('a field has number 0');
    return { field, wire: tag & 7 };
  }

  varint(): bigint {
    let low = 0;
    for (let i = 0; i < 4; i++) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let i = 4; i < 10; i++) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError('a number is longer than 10 bytes');
  }

  /** A signed 64-bit integer: a number where that is exact. */
  int64(): number | bigint {
    const value = BigInt.asIntN(64, this.varint());
    return value >= -0x1fffffffffffffn && value <= 0x1fffffffffffffn ? Number(value) : value;
  }

  int32(): number {
    return Number(BigInt.asIntN(32, this.varint()));
  }

  float(): number {
    this.#need(4);
    const value = this.#view.getFloat32(this.#at, true);
    this.#at += 4;
    return value;
  }

  double(): number {
    this.#need(8);
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** A view of a length-delimited field. */
  bytes(): Uint8Array {
    const length = this.varint();
    if (length > BigInt(this.#end - this.#at)) throw new WireError('truncated');
    const from = this.#at;
    this.#at += Number(length);
    return this.#bytes.subarray(from, this.#at);
  }

  string(): string {
    try {
      return decoder.decode(this.bytes());
    } catch (error) {
      if (error instanceof WireError) throw error;
      throw new WireError('a text is not UTF-8');
    }
  }

  message(): Reader {
    return new Reader(this.bytes(), this.depth + 1, this.files);
  }

  /** A repeated scalar, packed or not: appends what this field holds. */
  repeated<T>(wire: number, into: T[], read: (reader: Reader) => T): void {
    if (wire !== 2) {
      into.push(read(this));
      return;
    }
    const packed = this.message();
    while (packed.#at < packed.#end) into.push(read(packed));
  }

  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.#advance(8);
    else if (wire === 2) this.bytes();
    else if (wire === 5) this.#advance(4);
    else throw new WireError(`wire type ${wire} does not exist`);
  }

  #byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++]!;
  }

  #need(count: number): void {
    if (this.#at + count > this.#end) throw new WireError('truncated');
  }

  #advance(count: number): void {
    this.#need(count);
    this.#at += count;
  }
}

/** Writes one message as a list of parts, so that large byte fields are copied once, at the end. */
export class Writer {
  readonly #parts: Uint8Array[] = [];
  #small: number[] = [];
  #length = 0;

  int(field: number, value: number | bigint): this {
    this.#tag(field, 0);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#tag(field, 5);
    this.#fixed(4, (view) => view.setFloat32(0, value, true));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, 2);
    this.#varint(value.length);
    this.#append(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  message(field: number, write: (writer: Writer) => void): this {
    const inner = new Writer();
    write(inner);
    inner.#flush();
    this.#tag(field, 2);
    this.#varint(inner.#length);
    this.#flush();
    for (const part of inner.#parts) this.#append(part);
    return this;
  }

  packedInts(field: number, values: readonly (number | bigint)[]): this {
    if (values.length === 0) return this;
    const inner = new Writer();
    for (const value of values) inner.#varint(value);
    return this.bytes(field, inner.finish());
  }

  packedFloats(field: number, values: readonly number[]): this {
    if (values.length === 0) return this;
    const bytes = new Uint8Array(values.length * 4);
    const view = new DataView(bytes.buffer);
    values.forEach((value, i) => view.setFloat32(4 * i, value, true));
    return this.bytes(field, bytes);
  }

  finish(): Uint8Array {
    this.#flush();
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  #tag(field: number, wire: number): void {
    this.#varint((field << 3) | wire);
  }

  #varint(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 0x80000000) {
      let rest = value;
      for (; rest >= 0x80; rest >>>= 7) this.#small.push((rest & 0x7f) | 0x80);
      this.#small.push(rest);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) this.#small.push(Number(rest & 0x7fn) | 0x80);
    this.#small.push(Number(rest));
  }

  #fixed(size: number, set: (view: DataView) => void): void {
    const bytes = new Uint8Array(size);
    set(new DataView(bytes.buffer));
    this.#small.push(...bytes);
  }

  #append(part: Uint8Array): void {
    if (part.length <= 64) {
      this.#small.push(...part);
      return;
    }
    this.#flush();
    this.#parts.push(part);
    this.#length += part.length;
  }

  #flush(): void {
    if (this.#small.length === 0) return;
    this.#parts.push(Uint8Array.from(this.#small));
    this.#length += this.#small.length;
    this.#small = [];
  }
}
