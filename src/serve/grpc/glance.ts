import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { refuseLong } from '../json.ts';
import { Refusal } from '../refusal.ts';

/** What is known of a `ModelInferRequest` before it is decoded. */
export interface Glance {
  readonly name: string;
  readonly version: string;
  readonly id: string;
  /** Bytes besides raw tensors, which are not decoded. */
  readonly typedBytes: number;
}

/** Fields of one number: tensors, outputs, parameters. */
const MOST_FIELDS = 256;
/** Numbers of the fields of `ModelInferRequest` in docs/inference.proto. */
const FIELDS: Readonly<Record<number, string>> = {
  4: 'parameters',
  5: 'inputs',
  6: 'outputs',
  7: 'raw_input_contents',
};
const [INPUTS, RAW] = [5, 7];
/** Fields of `InferInputTensor`, and the bytes that the sizes of a shape may have. */
const TENSOR_FIELDS: Readonly<Record<number, string>> = { 3: 'sizes', 4: 'parameters' };
const SHAPE = 3;
const MOST_SHAPE = 16 * 10;

/**
 * Look at the bytes of a `ModelInferRequest`, field by field: a decoder makes an object of each tensor, of which a message of 64 MiB may have 33
 * million. `Refusal` for more than any model has, and for more than `mostTyped` bytes besides raw tensors.
 */
export function glance(bytes: Uint8Array, mostTyped: number): Glance {
  const texts = ['', '', '', ''];
  let raw = 0;
  try {
    fieldsOf(bytes, FIELDS, (field, part, end) => {
      if (field < texts.length) texts[field] = Buffer.from(part).toString('utf8');
      if (field === RAW) raw += part.length;
      refuseLong(end - raw, mostTyped);
      if (field === INPUTS) fieldsOf(part, TENSOR_FIELDS, refuseLongShape);
    });
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, `the message is no ModelInferRequest: ${(error as Error).message}`);
  }
  const [, name, version, id] = texts;
  return { name: name!, version: version!, id: id!, typedBytes: bytes.length - raw };
}

/** Calls `use` with each length-delimited field, and where it ends. */
function fieldsOf(
  bytes: Uint8Array,
  names: Readonly<Record<number, string>>,
  use: (field: number, part: Uint8Array, end: number) => void,
): void {
  const reader = new BinaryReader(bytes);
  const counts = new Map<number, number>();
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const count = (counts.get(field) ?? 0) + 1;
    counts.set(field, count);
    if (count > MOST_FIELDS || counts.size > MOST_FIELDS)
      throw new Refusal(400, `the message has more than ${MOST_FIELDS} ${names[field] ?? `fields ${field}`}`);
    if (wire === WireType.LengthDelimited) use(field, reader.bytes(), reader.pos);
    else reader.skip(wire, field);
  }
}

function refuseLongShape(field: number, { length }: Uint8Array): void {
  if (field === SHAPE && length > MOST_SHAPE) throw new Refusal(400, 'a shape of the message has more than 16 sizes');
}
