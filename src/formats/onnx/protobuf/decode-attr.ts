import type { Int64, OnnxAttr, OnnxGraph, OnnxTensor } from '../model.ts';
import { decodeTensor } from './decode-tensor.ts';
import { attrTypes } from './encode.ts';
import type { Reader } from './wire.ts';
import { WireError } from './wire.ts';

interface Fields {
  type: number;
  reference: string;
  float: number;
  int: Int64;
  string: string;
  tensor?: OnnxTensor;
  graph?: OnnxGraph;
  readonly floats: number[];
  readonly ints: Int64[];
  readonly strings: string[];
  readonly tensors: OnnxTensor[];
  readonly graphs: OnnxGraph[];
  readonly others: [number, Uint8Array][];
}

/** Of AttributeProto: a type, types, a sparse tensor, sparse tensors. */
const OTHERS = [14, 15, 22, 23];
/** The attribute types that these stand for. */
const OTHER_TYPES = [11, 12, 13, 14];

export function decodeAttr(r: Reader, readGraph: (r: Reader) => OnnxGraph): [string, OnnxAttr] {
  let name = '';
  const f: Fields = {
    ...{ type: 0, reference: '', float: 0, int: 0, string: '' },
    ...{ floats: [], ints: [], strings: [], tensors: [], graphs: [], others: [] },
  };
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    const { field, wire } = tag;
    if (field === 1 && wire === 2) name = r.string();
    else if (field === 2 && wire === 5) f.float = r.float();
    else if (field === 3 && wire === 0) f.int = r.int64();
    else if (field === 4 && wire === 2) f.string = r.string();
    else if (field === 5 && wire === 2) f.tensor = decodeTensor(r.message());
    else if (field === 6 && wire === 2) f.graph = readGraph(r.message());
    else if (field === 7 && (wire === 2 || wire === 5)) r.repeated(wire, f.floats, (x) => x.float());
    else if (field === 8 && (wire === 2 || wire === 0)) r.repeated(wire, f.ints, (x) => x.int64());
    else if (field === 9 && wire === 2) f.strings.push(r.string());
    else if (field === 10 && wire === 2) f.tensors.push(decodeTensor(r.message()));
    else if (field === 11 && wire === 2) f.graphs.push(readGraph(r.message()));
    else if (field === 20 && wire === 0) f.type = r.int32();
    else if (field === 21 && wire === 2) f.reference = r.string();
    else if (OTHERS.includes(field) && wire === 2) f.others.push([field, r.bytes()]);
    else r.skip(wire);
  }
  return [name, typed(name, f)];
}

function typed(name: string, f: Fields): OnnxAttr {
  if (f.reference !== '') return { type: 'reference', value: f.reference, attrType: f.type };
  if (OTHER_TYPES.includes(f.type)) return { type: 'other', value: f.others, attrType: f.type };
  switch (f.type) {
    case attrTypes.float:
      return { type: 'float', value: f.float };
    case attrTypes.int:
      return { type: 'int', value: f.int };
    case attrTypes.string:
      return { type: 'string', value: f.string };
    case attrTypes.floats:
      return { type: 'floats', value: f.floats };
    case attrTypes.ints:
      return { type: 'ints', value: f.ints };
    case attrTypes.strings:
      return { type: 'strings', value: f.strings };
    case attrTypes.tensors:
      return { type: 'tensors', value: f.tensors };
    case attrTypes.graphs:
      return { type: 'graphs', value: f.graphs };
    case attrTypes.tensor:
      if (f.tensor !== undefined) return { type: 'tensor', value: f.tensor };
      break;
    case attrTypes.graph:
      if (f.graph !== undefined) return { type: 'graph', value: f.graph };
      break;
  }
  throw new WireError(`attribute ${name} has type ${f.type} and no such value`);
}
