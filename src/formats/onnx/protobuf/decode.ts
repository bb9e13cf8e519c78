import { UserError } from '../../../base/errors.ts';
import { FunctionProtoSchema, ModelProtoSchema, TypeProtoSchema } from '../../protobuf/onnx_pb.ts';
import type {
  GraphProto,
  ModelProto,
  NodeProto,
  TypeProto_Dimension,
  TypeProto_Tensor,
  ValueInfoProto,
} from '../../protobuf/onnx_pb.ts';
import { readMessage, WireError } from '../../protobuf/message.ts';
import { LargeOnnx } from '../large.ts';
import type { OnnxContent } from '../large.ts';
import type { Model, OnnxDim, OnnxFunction, OnnxGraph, OnnxNode, ValueInfo } from '../model.ts';
import { attrOf } from './decode-attr.ts';
import { ExternalData, dtypeOf, refuseExternal, tensorOf } from './decode-tensor.ts';
import type { ExternalFiles } from './decode-tensor.ts';

/** Reads an .onnx file. Byte fields are views of `content`. `UserError` for an incomplete or invalid model. */
export function decodeModel(content: OnnxContent, fileName: string, files: ExternalFiles = new Map()): Model {
  if (content instanceof LargeOnnx) return content.model;
  try {
    return modelOf(content, files);
  } catch (error) {
    if (error instanceof ExternalData)
      throw new UserError(
        `${fileName}: its weights are in another file (${error.location})`,
        'Put that file beside it, or save the model as one: onnx.save_model(model, path, save_as_external_data=False).',
      );
    if (!(error instanceof WireError)) throw error;
    throw damaged(fileName, error);
  }
}

/** Name of an external file that the model needs besides those given, if any. `decodeModel` reports other errors. */
export function missingFile(bytes: Uint8Array, files: ExternalFiles): string | undefined {
  try {
    modelOf(bytes, files);
  } catch (error) {
    if (error instanceof ExternalData) return error.location;
    if (!(error instanceof WireError)) throw error;
  }
  return undefined;
}

/** Names of the inputs and outputs of an .onnx file, whose weights may be in other files. `UserError` for an invalid file. */
export function namesOfEnds(bytes: Uint8Array, fileName: string): Record<'inputs' | 'outputs', readonly string[]> {
  try {
    const { graph } = readMessage(ModelProtoSchema, bytes);
    if (graph === undefined) throw new WireError('it has no graph');
    const weights = new Set(graph.initializer.map(({ name }) => name));
    const named = (ends: readonly ValueInfoProto[]): string[] => ends.map(({ name = '' }) => name);
    return { inputs: named(graph.input).filter((name) => !weights.has(name)), outputs: named(graph.output) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw damaged(fileName, error);
  }
}

function damaged(fileName: string, error: WireError): UserError {
  return new UserError(
    `${fileName}: not an ONNX file, or a damaged one (${error.message})`,
    'Export the model again and compare the size of the copy with the original.',
    { cause: error },
  );
}

function modelOf(bytes: Uint8Array, files: ExternalFiles): Model {
  const model = readMessage(ModelProtoSchema, bytes);
  if (model.graph === undefined) throw new WireError('it has no graph');
  if (model.opsetImport.length === 0) throw new WireError('it names no operator set');
  return {
    irVersion: Number(model.irVersion ?? 0),
    opsets: new Map(model.opsetImport.map((set) => [domainOf(set), Number(set.version ?? 0)])),
    producerName: model.producerName ?? '',
    producerVersion: model.producerVersion ?? '',
    graph: graphOf(model.graph, files),
    metadata: entriesOf(model),
    functions: model.functions.map(functionOf),
  };
}

function entriesOf({ metadataProps }: Pick<ModelProto, 'metadataProps'>): Map<string, string> {
  return new Map(metadataProps.map(({ key = '', value = '' }) => [key, value]));
}

function notesOf(of: Pick<ModelProto, 'metadataProps'>): { readonly metadata?: ReadonlyMap<string, string> } {
  return of.metadataProps.length > 0 ? { metadata: entriesOf(of) } : {};
}

function domainOf({ domain = '' }: { readonly domain?: string | undefined }): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function functionOf(bytes: Uint8Array): OnnxFunction {
  const { name = '', domain = '' } = readMessage(FunctionProtoSchema, bytes);
  return { name, domain, bytes: refuseExternal(bytes, `the function ${name}`) };
}

function graphOf(graph: GraphProto, files: ExternalFiles): OnnxGraph {
  if (graph.sparseInitializer.length > 0) throw new WireError('it holds sparse tensors, which are not supported');
  return {
    name: graph.name ?? '',
    nodes: graph.node.map((node) => nodeOf(node, files)),
    initializers: graph.initializer.map((tensor) => tensorOf(tensor, files)),
    inputs: graph.input.map(valueInfoOf),
    outputs: graph.output.map(valueInfoOf),
    valueInfos: graph.valueInfo.map(valueInfoOf),
    ...notesOf(graph),
  };
}

function nodeOf(node: NodeProto, files: ExternalFiles): OnnxNode {
  return {
    op: node.opType ?? '',
    domain: domainOf(node),
    name: node.name ?? '',
    inputs: node.input,
    outputs: node.output,
    attrs: new Map(node.attribute.map((attr) => [attr.name ?? '', attrOf(attr, files, graphOf)])),
    ...notesOf(node),
  };
}

function valueInfoOf(info: ValueInfoProto): ValueInfo {
  const { name = '', type } = info;
  const named = { name, ...notesOf(info) };
  if (type === undefined) return named;
  const { tensorType, sequenceType, mapType, sparseTensorType, optionalType } = readMessage(TypeProtoSchema, type);
  if (tensorType !== undefined) return { ...named, ...tensorTypeOf(tensorType) };
  const other = sequenceType ?? mapType ?? sparseTensorType ?? optionalType;
  return other === undefined ? named : { ...named, otherType: type };
}

function tensorTypeOf({ elemType = 0, shape }: TypeProto_Tensor): Omit<ValueInfo, 'name'> {
  return {
    ...(elemType === 0 ? {} : { dtype: dtypeOf(elemType) }),
    ...(shape === undefined ? {} : { dims: shape.dim.map(dimOf) }),
  };
}

/** PaddlePaddle's exporters write -1 or ? for each open size; ONNX Runtime reads any number below 0 as one. */
function dimOf({ dimValue = -1n, dimParam = '' }: TypeProto_Dimension): OnnxDim {
  if (dimParam !== '' && dimParam !== '?') return dimParam;
  return dimValue < 0 ? null : Number(dimValue);
}
