import { UserError } from '../../base/errors.ts';
import { FlatbufferError, hasIdentifier, readFlatbuffer } from './flatbuffer/read.ts';
import { modelTableSchema } from './schema/model.ts';
import type { Fields } from './schema/notation.ts';
import { tensorTypes, typeBits } from './schema/tensor-types.ts';
import type { Subgraph, TfliteBuffer, TfliteModel, TfliteTensor } from './types.ts';

const HINT = 'Download or export the file again; if it was made by another program, report it with the file.';

/** Parses a `.tflite` file. Weights are views of `bytes`. Throws a `UserError` for an incomplete or invalid file. */
export function readTflite(bytes: Uint8Array): TfliteModel {
  if (!hasIdentifier(modelTableSchema, bytes))
    throw new UserError('not a TFLite file: it lacks the identifier TFL3', 'Give a file that ends in .tflite.');
  try {
    const model = complete(readFlatbuffer(modelTableSchema, bytes), bytes);
    checkModel(model);
    return model;
  } catch (error) {
    if (error instanceof FlatbufferError)
      throw new UserError(`the TFLite file is truncated or damaged: ${error.message}`, HINT, { cause: error });
    throw error;
  }
}

/** Adds empty vectors that the format may omit, and data that newer writers put after the flatbuffer. */
function complete(fields: Fields, bytes: Uint8Array): TfliteModel {
  const model = fields as unknown as Partial<TfliteModel> & { version: number };
  return {
    ...model,
    operatorCodes: model.operatorCodes ?? [],
    buffers: (model.buffers ?? []).map((buffer) => completeBuffer(buffer as TfliteBuffer & Placed, bytes)),
    subgraphs: (model.subgraphs ?? []).map((subgraph) => ({
      ...subgraph,
      tensors: (subgraph.tensors ?? []).map((tensor) => ({ ...tensor, name: tensor.name ?? '' })),
      inputs: subgraph.inputs ?? [],
      outputs: subgraph.outputs ?? [],
      operators: (subgraph.operators ?? []).map((operator) => ({
        ...operator,
        inputs: operator.inputs ?? [],
        outputs: operator.outputs ?? [],
      })),
    })),
  };
}

interface Placed {
  readonly offset: bigint;
  readonly size: bigint;
}

function completeBuffer({ data, offset, size }: TfliteBuffer & Placed, bytes: Uint8Array): TfliteBuffer {
  if (data !== undefined) return { data };
  if (offset <= 1n) return {};
  if (offset + size > BigInt(bytes.length))
    throw new FlatbufferError(`a buffer ends behind the file, at ${offset + size}`);
  return { data: bytes.subarray(Number(offset), Number(offset + size)) };
}

function checkModel(model: TfliteModel): void {
  if (model.version !== 3) throw new UserError(`the TFLite file has schema version ${model.version}, expected 3`, HINT);
  model.subgraphs.forEach((subgraph) => checkSubgraph(subgraph, model));
  for (const { buffer } of model.metadata ?? []) inside(buffer, model.buffers.length, 'a metadata buffer');
  for (const signature of model.signatureDefs ?? []) {
    inside(signature.subgraphIndex ?? 0, model.subgraphs.length, "a signature's subgraph");
    const { tensors } = model.subgraphs[signature.subgraphIndex ?? 0]!;
    for (const { tensorIndex } of [...(signature.inputs ?? []), ...(signature.outputs ?? [])])
      inside(tensorIndex, tensors.length, "a signature's tensor");
  }
}

function checkSubgraph({ tensors, inputs, outputs, operators }: Subgraph, model: TfliteModel): void {
  for (const tensor of tensors) {
    inside(tensor.buffer, model.buffers.length, 'a tensor buffer');
    checkRank(tensor);
    checkSize(tensor, model.buffers[tensor.buffer]!);
  }
  for (const index of [...inputs, ...outputs]) inside(index, tensors.length, 'an input or output');
  for (const operator of operators) {
    inside(operator.opcodeIndex, model.operatorCodes.length, 'an operator code');
    for (const index of operator.inputs) inside(index + 1, tensors.length + 1, "an operator's input");
    for (const index of operator.outputs) inside(index, tensors.length, "an operator's output");
  }
}

/** Maximum dimensions of a tensor: kernels support eight; a damaged file may claim a hundred thousand, and every later layer with it. */
const MOST_DIMENSIONS = 32;

function checkRank({ name, shape = [], shapeSignature = [] }: TfliteTensor): void {
  const rank = Math.max(shape.length, shapeSignature.length);
  if (rank > MOST_DIMENSIONS) throw new FlatbufferError(`tensor ${name} has ${rank} dimensions`);
}

function checkSize({ name, type, shape, sparsity }: TfliteTensor, { data }: TfliteBuffer): void {
  const bits = typeBits[tensorTypes[type] ?? 'string'];
  if (data === undefined || data.length === 0 || bits === undefined || sparsity !== undefined) return;
  const elements = (shape ?? []).reduce((product, size) => product * size, 1);
  const expected = Math.ceil((elements * bits) / 8);
  if (expected !== data.length)
    throw new FlatbufferError(`tensor ${name} takes ${expected} bytes, its buffer has ${data.length}`);
}

function inside(index: number, length: number, what: string): void {
  if (index < 0 || index >= length) throw new FlatbufferError(`${what} has the index ${index} of ${length}`);
}
