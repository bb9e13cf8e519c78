import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Writes protobuf field by field, so that a test makes messages that no schema allows. */
export class Writer {
  readonly #to = new BinaryWriter();

  int(field: number, value: number | bigint): this {
    this.#to.tag(field, WireType.Varint).int64(BigInt(value));
    return this;
  }

  float(field: number, value: number): this {
    this.#to.tag(field, WireType.Bit32).float(value);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#to.tag(field, WireType.LengthDelimited).bytes(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, write: (writer: Writer) => void): this {
    const inner = new Writer();
    write(inner);
    return this.bytes(field, inner.finish());
  }

  packedInts(field: number, values: readonly number[]): this {
    const inner = new BinaryWriter();
    for (const value of values) inner.int64(BigInt(value));
    return this.bytes(field, inner.finish());
  }

  packedFloats(field: number, values: readonly number[]): this {
    const inner = new BinaryWriter();
    for (const value of values) inner.float(value);
    return this.bytes(field, inner.finish());
  }

  finish(): Uint8Array {
    return this.#to.finish();
  }
}
