import { UserError } from '../../../base/errors.ts';
import type { Model, OnnxDim, OnnxFunction, OnnxGraph, OnnxNode, OnnxAttr, ValueInfo } from '../model.ts';
import { decodeAttr } from './decode-attr.ts';
import { ExternalData, dtypeOf, decodeTensor } from './decode-tensor.ts';
import { Reader, WireError } from './wire.ts';

/** Contents of the files beside a model that hold values of its tensors, by the name that the model calls them. */
export type ExternalFiles = ReadonlyMap<string, Uint8Array>;

/**
 * Reads an .onnx file. Byte fields stay views of `bytes` and `files`. `UserError` for anything that is no complete ONNX model.
 */
export function decodeModel(bytes: Uint8Array, fileName: string, files: ExternalFiles = new Map()): Model {
  try {
    return readModel(new Reader(bytes, 0, files));
  } catch (error) {
    if (error instanceof ExternalData)
      throw new UserError(
        `${fileName}: its weights are in another file (${error.location})`,
        'Put that file beside it, or save the model as one: onnx.save_model(model, path, save_as_external_data=False).',
      );
    if (!(error instanceof WireError)) throw error;
    throw new UserError(
      `${fileName}: not an ONNX file, or a damaged one (${error.message})`,
      'Export the model again and compare the size of the copy with the original.',
      { cause: error },
    );
  }
}

/** A file that the model needs beside those given, if there is one. What else is wrong with it, `decodeModel` says. */
export function missingFile(bytes: Uint8Array, files: ExternalFiles): string | undefined {
  try {
    readModel(new Reader(bytes, 0, files));
  } catch (error) {
    if (error instanceof ExternalData) return error.location;
    if (!(error instanceof WireError)) throw error;
  }
  return undefined;
}

function readModel(r: Reader): Model {
  let irVersion = 0;
  let producerName = '';
  let producerVersion = '';
  let graph: OnnxGraph | undefined;
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const functions: OnnxFunction[] = [];
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 0) irVersion = Number(r.int64());
    else if (tag.field === 2 && tag.wire === 2) producerName = r.string();
    else if (tag.field === 3 && tag.wire === 2) producerVersion = r.string();
    else if (tag.field === 7 && tag.wire === 2) graph = readGraph(r.message());
    else if (tag.field === 8 && tag.wire === 2) opsets.set(...readOpset(r.message()));
    else if (tag.field === 14 && tag.wire === 2) metadata.set(...readEntry(r.message()));
    else if (tag.field === 25 && tag.wire === 2) functions.push(readFunction(r.bytes(), r.depth + 1));
    else r.skip(tag.wire);
  }
  if (graph === undefined) throw new WireError('it has no graph');
  if (opsets.size === 0) throw new WireError('it names no operator set');
  return { irVersion, opsets, producerName, producerVersion, graph, metadata, functions };
}

function readOpset(r: Reader): [string, number] {
  let domain = '';
  let version = 0;
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 2) domain = r.string();
    else if (tag.field === 2 && tag.wire === 0) version = Number(r.int64());
    else r.skip(tag.wire);
  }
  return [domain === 'ai.onnx' ? '' : domain, version];
}

function readEntry(r: Reader): [string, string] {
  let key = '';
  let value = '';
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 2) key = r.string();
    else if (tag.field === 2 && tag.wire === 2) value = r.string();
    else r.skip(tag.wire);
  }
  return [key, value];
}

function readFunction(bytes: Uint8Array, depth: number): OnnxFunction {
  const r = new Reader(bytes, depth);
  let name = '';
  let domain = '';
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 2) name = r.string();
    else if (tag.field === 10 && tag.wire === 2) domain = r.string();
    else r.skip(tag.wire);
  }
  return { name, domain, bytes };
}

function readGraph(r: Reader): OnnxGraph {
  let name = '';
  const nodes: OnnxNode[] = [];
  const initializers = [];
  const [inputs, outputs, valueInfos]: [ValueInfo[], ValueInfo[], ValueInfo[]] = [[], [], []];
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.wire !== 2) r.skip(tag.wire);
    else if (tag.field === 1) nodes.push(readNode(r.message()));
    else if (tag.field === 2) name = r.string();
    else if (tag.field === 5) initializers.push(decodeTensor(r.message()));
    else if (tag.field === 11) inputs.push(readValueInfo(r.message()));
    else if (tag.field === 12) outputs.push(readValueInfo(r.message()));
    else if (tag.field === 13) valueInfos.push(readValueInfo(r.message()));
    else if (tag.field === 15) throw new WireError('it holds sparse tensors, which are not supported');
    else r.skip(tag.wire);
  }
  return { name, nodes, initializers, inputs, outputs, valueInfos };
}

function readNode(r: Reader): OnnxNode {
  let [op, domain, name] = ['', '', ''];
  const [inputs, outputs]: [string[], string[]] = [[], []];
  const attrs = new Map<string, OnnxAttr>();
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.wire !== 2) r.skip(tag.wire);
    else if (tag.field === 1) inputs.push(r.string());
    else if (tag.field === 2) outputs.push(r.string());
    else if (tag.field === 3) name = r.string();
    else if (tag.field === 4) op = r.string();
    else if (tag.field === 5) attrs.set(...decodeAttr(r.message(), readGraph));
    else if (tag.field === 7) domain = r.string();
    else r.skip(tag.wire);
  }
  return { op, domain: domain === 'ai.onnx' ? '' : domain, name, inputs, outputs, attrs };
}

function readValueInfo(r: Reader): ValueInfo {
  let name = '';
  let type: Omit<ValueInfo, 'name'> = {};
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 2) name = r.string();
    else if (tag.field === 2 && tag.wire === 2) type = readType(r.bytes(), r.depth + 1);
    else r.skip(tag.wire);
  }
  return { name, ...type };
}

function readType(bytes: Uint8Array, depth: number): Omit<ValueInfo, 'name'> {
  const r = new Reader(bytes, depth);
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 2) return readTensorType(r.message());
    if (tag.wire === 2 && [4, 5, 8, 9].includes(tag.field)) return { otherType: bytes };
    r.skip(tag.wire);
  }
  return {};
}

function readTensorType(r: Reader): Omit<ValueInfo, 'name'> {
  let elementType = 0;
  let dims: OnnxDim[] | undefined;
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 0) elementType = r.int32();
    else if (tag.field === 2 && tag.wire === 2) dims = readShape(r.message());
    else r.skip(tag.wire);
  }
  const dtype = elementType === 0 ? {} : { dtype: dtypeOf(elementType) };
  return { ...dtype, ...(dims === undefined ? {} : { dims }) };
}

function readShape(r: Reader): OnnxDim[] {
  const dims: OnnxDim[] = [];
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 2) dims.push(readDim(r.message()));
    else r.skip(tag.wire);
  }
  return dims;
}

function readDim(r: Reader): OnnxDim {
  let dim: OnnxDim = null;
  for (let tag = r.next(); tag !== undefined; tag = r.next()) {
    if (tag.field === 1 && tag.wire === 0) dim = Number(r.int64());
    else if (tag.field === 2 && tag.wire === 2) dim = r.string();
    else r.skip(tag.wire);
  }
  return dim;
}
