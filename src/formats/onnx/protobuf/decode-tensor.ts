import { bytesOf } from '../../../base/bytes.ts';
import { byteLength, dataTypes, elementCount } from '../model.ts';
import type { OnnxDType, OnnxTensor } from '../model.ts';
import type { Reader } from './wire.ts';
import { WireError } from './wire.ts';

/** Thrown where a tensor's values are in a file of their own that is not at hand. */
export class ExternalData extends Error {
  readonly location: string;

  constructor(location: string) {
    super(`external data in ${location}`);
    this.location = location;
  }
}

const byNumber = new Map(Object.entries(dataTypes).map(([name, number]) => [number as number, name as OnnxDType]));

export function dtypeOf(elementType: number): OnnxDType {
  const dtype = byNumber.get(elementType);
  if (dtype === undefined) throw new WireError(`element type ${elementType} does not exist`);
  return dtype;
}

interface Values {
  readonly floats: number[];
  readonly ints: number[];
  readonly longs: (number | bigint)[];
  readonly doubles: number[];
  readonly strings: string[];
}

export function decodeTensor(r: Reader): OnnxTensor {
  const dims: number[] = [];
  let elementType = 0;
  let name = '';
  let raw: Uint8Array | undefined;
  let isExternal = false;
  const place = new Map<string, string>();
  const v: Values = { floats: [], ints: [], longs: [], doubles: [], strings: [] };
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    const { field, wire } = tag;
    if (field === 1 && (wire === 0 || wire === 2)) r.repeated(wire, dims, (x) => Number(x.int64()));
    else if (field === 2 && wire === 0) elementType = r.int32();
    else if (field === 4 && (wire === 5 || wire === 2)) r.repeated(wire, v.floats, (x) => x.float());
    else if (field === 5 && (wire === 0 || wire === 2)) r.repeated(wire, v.ints, (x) => x.int32());
    else if (field === 6 && wire === 2) v.strings.push(r.string());
    else if (field === 7 && (wire === 0 || wire === 2)) r.repeated(wire, v.longs, (x) => x.int64());
    else if (field === 8 && wire === 2) name = r.string();
    else if (field === 9 && wire === 2) raw = r.bytes();
    else if (field === 10 && (wire === 1 || wire === 2)) r.repeated(wire, v.doubles, (x) => x.double());
    else if (field === 11 && (wire === 0 || wire === 2)) r.repeated(wire, v.longs, (x) => x.int64());
    else if (field === 13 && wire === 2) place.set(...readPair(r.message()));
    else if (field === 14 && wire === 0) isExternal = r.int32() === 1;
    else r.skip(wire);
  }
  if (isExternal) raw = externalBytes(name, place, r.files);
  return checked(name, dtypeOf(elementType), dims, raw, v);
}

/** `location`, and where there the bytes are: `offset` and `length`, by default all of the file. */
function externalBytes(name: string, place: ReadonlyMap<string, string>, files: Reader['files']): Uint8Array {
  const location = place.get('location') ?? 'unnamed';
  const file = files.get(location);
  if (file === undefined) throw new ExternalData(location);
  const offset = Number(place.get('offset') ?? 0);
  const length = Number(place.get('length') ?? file.length - offset);
  if (!(offset >= 0 && length >= 0 && offset + length <= file.length))
    throw new WireError(`tensor ${name} is not in ${location}, which has ${file.length} bytes`);
  return file.subarray(offset, offset + length);
}

function readPair(r: Reader): [string, string] {
  let [key, value] = ['', ''];
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 2) key = r.string();
    else if (tag.field === 2 && tag.wire === 2) value = r.string();
    else r.skip(tag.wire);
  }
  return [key, value];
}

function checked(
  name: string,
  dtype: OnnxDType,
  dims: readonly number[],
  raw: Uint8Array | undefined,
  values: Values,
): OnnxTensor {
  const count = elementCount(dims);
  if (dims.some((dim) => dim < 0) || !Number.isSafeInteger(count))
    throw new WireError(`tensor ${name} has the shape [${dims.join(', ')}]`);
  if (dtype === 'string') {
    if (values.strings.length !== count)
      throw new WireError(`tensor ${name} holds ${values.strings.length} of ${count} texts`);
    return { name, dtype, dims, raw: new Uint8Array(0), strings: values.strings };
  }
  const bytes = raw ?? fromFields(dtype, values);
  if (bytes.length !== byteLength(dtype, count))
    throw new WireError(`tensor ${name} holds ${bytes.length} of ${byteLength(dtype, count)} bytes`);
  return { name, dtype, dims, raw: bytes };
}

/** The typed fields that older writers use instead of `raw_data`, as raw bytes. */
function fromFields(dtype: OnnxDType, { floats, ints, longs, doubles }: Values): Uint8Array {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return bytesOf(Float32Array.from(floats));
    case 'float64':
    case 'complex128':
      return bytesOf(Float64Array.from(doubles));
    case 'int64':
      return bytesOf(BigInt64Array.from(longs, BigInt));
    case 'uint64':
      return bytesOf(BigUint64Array.from(longs, (value) => BigInt.asUintN(64, BigInt(value))));
    case 'uint32':
      return bytesOf(Uint32Array.from(longs, Number));
    case 'int32':
      return bytesOf(Int32Array.from(ints));
    case 'int16':
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return bytesOf(Uint16Array.from(ints));
    default:
      return Uint8Array.from(ints);
  }
}
