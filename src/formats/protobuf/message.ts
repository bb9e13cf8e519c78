import { create, fromBinary, ScalarType, toBinary } from '@bufbuild/protobuf';
import type { DescField, DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** Bytes that are no message of the schema; the reader of a file makes a message with the file's name of it. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Messages inside each other. */
const DEEPEST = 100;

/** A message; fields that the schema does not have are passed over. Byte fields are views of `bytes`. */
export function readMessage<T extends DescMessage>(schema: T, bytes: Uint8Array): MessageShape<T> {
  try {
    check(rulesOf(schema), bytes, 0);
    return fromBinary(schema, bytes, { readUnknownFields: false, recursionLimit: DEEPEST + 1 });
  } catch (error) {
    if (error instanceof RangeError) throw new WireError('truncated', { cause: error });
    throw error instanceof WireError ? error : new WireError((error as Error).message, { cause: error });
  }
}

/** The same message gives the same bytes: fields in the order of their numbers. */
export function writeMessage<T extends DescMessage>(schema: T, message: MessageInitShape<T>): Uint8Array {
  return toBinary(schema, create(schema, message));
}

interface Rule {
  readonly name: string;
  readonly wire: WireType;
  /** A list of numbers may lie packed in one field. */
  readonly isNumbers: boolean;
  readonly inner?: () => Rules;
}

type Rules = ReadonlyMap<number, Rule>;

const known = new WeakMap<DescMessage, Rules>();

function rulesOf(schema: DescMessage): Rules {
  let rules = known.get(schema);
  if (rules === undefined) {
    rules = new Map(schema.fields.map((field) => [field.number, ruleOf(field)]));
    known.set(schema, rules);
  }
  return rules;
}

function ruleOf(field: DescField): Rule {
  const { name, message } = field;
  if (field.fieldKind === 'map') {
    const key = { name, wire: wireOf(field.mapKey), isNumbers: false };
    const value = message === undefined ? { ...key, wire: wireOf(field.scalar) } : messageRule(name, message);
    const entry: Rules = new Map([
      [1, key],
      [2, value],
    ]);
    return { ...key, wire: WireType.LengthDelimited, inner: () => entry };
  }
  if (message !== undefined) return messageRule(name, message);
  const wire = wireOf(field.scalar);
  return { name, wire, isNumbers: field.fieldKind === 'list' && wire !== WireType.LengthDelimited };
}

function messageRule(name: string, schema: DescMessage): Rule {
  return { name, wire: WireType.LengthDelimited, isNumbers: false, inner: () => rulesOf(schema) };
}

/** Wire type of a scalar; undefined stands for an enum. */
function wireOf(type: ScalarType | undefined): WireType {
  if (type === ScalarType.DOUBLE) return WireType.Bit64;
  if (type === ScalarType.FLOAT) return WireType.Bit32;
  return type === ScalarType.STRING || type === ScalarType.BYTES ? WireType.LengthDelimited : WireType.Varint;
}

/**
 * The library reads a field by its declared type, whatever type the bytes say, and lets a field end outside its message. Of 2,105
 * damaged models that the official library refuses it took 101, so lengths and types are checked before.
 */
function check(rules: Rules, bytes: Uint8Array, depth: number): void {
  if (depth > DEEPEST) throw new WireError('messages are nested too deeply');
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const rule = rules.get(number);
    if (depth === 0 && wire === WireType.LengthDelimited) checkEnd(rule?.name ?? `field ${number}`, reader);
    if (rule === undefined) reader.skip(wire, number);
    else if (wire !== rule.wire) {
      if (!rule.isNumbers || wire !== WireType.LengthDelimited) {
        throw new WireError(`${rule.name} has wire type ${wire} instead of ${rule.wire}`);
      }
      checkNumbers(rule, reader.bytes());
    } else if (rule.inner !== undefined) check(rule.inner(), reader.bytes(), depth + 1);
    else reader.skip(wire, number);
  }
}

/** A file that lacks its end: the field says how far it should go. */
function checkEnd(name: string, reader: BinaryReader): void {
  const at = reader.pos;
  const length = reader.uint32();
  const end = reader.pos + length;
  reader.pos = at;
  if (end > reader.len) throw new WireError(`truncated: ${name} ends at byte ${end}, received ${reader.len} bytes`);
}

/** The last number ends where the field does. */
function checkNumbers({ name, wire }: Rule, packed: Uint8Array): void {
  const size = wire === WireType.Bit64 ? 8 : 4;
  const isWhole = wire === WireType.Varint ? (packed.at(-1) ?? 0) < 0x80 : packed.length % size === 0;
  if (!isWhole) throw new WireError(`${name} is truncated`);
}
