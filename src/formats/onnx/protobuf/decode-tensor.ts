import { bytesOf, includesBytes } from '../../../base/typed-bytes.ts';
import { WireError } from '../../protobuf/message.ts';
import type { TensorProto } from '../../protobuf/onnx_pb.ts';
import { byteLength, dataTypes, elementCount } from '../model.ts';
import type { OnnxDType, OnnxTensor } from '../model.ts';

/** A file with tensors' values. */
export interface ExternalFile {
  readonly size: number;
  readonly read: (offset: number, length: number) => Uint8Array;
}

/** External files by their names in the model. */
export type ExternalFiles = ReadonlyMap<string, ExternalFile>;

/** `TensorProto.DataLocation` */
export const EXTERNAL = 1;

/** Error: a tensor's values are in an external file that was not given. */
export class ExternalData extends Error {
  readonly location: string;

  constructor(location: string) {
    super(`external data in ${location}`);
    this.location = location;
  }
}

/** Bytes of an `external_data` entry of a TensorProto with the key `location`. */
const LOCATION = new TextEncoder().encode('\x0a\x08location\x12');

/** Refuses unchanged bytes that contain tensors in other files, which ONNX Runtime would look for in the working directory. */
export function refuseExternal(bytes: Uint8Array, what: string): Uint8Array {
  if (includesBytes(bytes, LOCATION))
    throw new WireError(`${what} holds values in another file, which is not supported`);
  return bytes;
}

const byNumber = new Map(Object.entries(dataTypes).map(([name, number]) => [number as number, name as OnnxDType]));

export function dtypeOf(elementType: number): OnnxDType {
  const dtype = byNumber.get(elementType);
  if (dtype === undefined) throw new WireError(`element type ${elementType} does not exist`);
  return dtype;
}

export function tensorOf(tensor: TensorProto, files: ExternalFiles): OnnxTensor {
  const { name = '', dataType = 0, rawData } = tensor;
  const dims = tensor.dims.map(Number);
  const dtype = dtypeOf(dataType);
  if (tensor.dataLocation !== EXTERNAL || dtype === 'string') return checked(name, dtype, dims, rawData, tensor);
  const { length, read } = externalValue(name, tensor, files);
  refuseOtherLength(name, dtype, dims, length);
  return {
    name,
    dtype,
    dims,
    get raw() {
      return read();
    },
  };
}

/** Bytes of an external tensor: `location` with optional `offset` and `length`, by default the whole file. */
function externalValue(name: string, { externalData }: TensorProto, files: ExternalFiles) {
  const place = new Map(externalData.map(({ key = '', value = '' }) => [key, value]));
  const location = place.get('location') ?? 'unnamed';
  const file = files.get(location);
  if (file === undefined) throw new ExternalData(location);
  const offset = Number(place.get('offset') ?? 0);
  const length = Number(place.get('length') ?? file.size - offset);
  if (!(offset >= 0 && length >= 0 && offset + length <= file.size))
    throw new WireError(`tensor ${name} is not in ${location}, which has ${file.size} bytes`);
  return { length, read: () => file.read(offset, length) };
}

function checked(
  name: string,
  dtype: OnnxDType,
  dims: readonly number[],
  raw: Uint8Array | undefined,
  values: TensorProto,
): OnnxTensor {
  if (dtype === 'string') {
    const count = countOf(name, dims);
    if (values.stringData.length !== count)
      throw new WireError(`tensor ${name} holds ${values.stringData.length} of ${count} texts`);
    return { name, dtype, dims, raw: new Uint8Array(0), strings: values.stringData };
  }
  const bytes = raw ?? fromFields(dtype, values);
  refuseOtherLength(name, dtype, dims, bytes.length);
  return { name, dtype, dims, raw: bytes };
}

function countOf(name: string, dims: readonly number[]): number {
  const count = elementCount(dims);
  if (dims.some((dim) => dim < 0) || !Number.isSafeInteger(count))
    throw new WireError(`tensor ${name} has the shape [${dims.join(', ')}]`);
  return count;
}

function refuseOtherLength(name: string, dtype: OnnxDType, dims: readonly number[], length: number): void {
  const expected = byteLength(dtype, countOf(name, dims));
  if (length !== expected) throw new WireError(`tensor ${name} holds ${length} of ${expected} bytes`);
}

/** Raw bytes from the typed fields that older writers use instead of `raw_data`. */
function fromFields(dtype: OnnxDType, tensor: TensorProto): Uint8Array {
  const { floatData, int32Data, int64Data, doubleData, uint64Data } = tensor;
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return bytesOf(Float32Array.from(floatData));
    case 'float64':
    case 'complex128':
      return bytesOf(Float64Array.from(doubleData));
    case 'int64':
      return bytesOf(BigInt64Array.from(int64Data));
    case 'uint64':
      return bytesOf(BigUint64Array.from(uint64Data));
    case 'uint32':
      return bytesOf(Uint32Array.from(uint64Data, Number));
    case 'int32':
      return bytesOf(Int32Array.from(int32Data));
    case 'int16':
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return bytesOf(Uint16Array.from(int32Data));
    default:
      return Uint8Array.from(int32Data);
  }
}
