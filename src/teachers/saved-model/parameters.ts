import { readMessage } from '../../formats/protobuf/message.ts';
import { SavedModelSchema } from './saved_model_pb.ts';
import type { NodeDef, TensorShapeProto } from './saved_model_pb.ts';
import { product } from '../../base/numbers.ts';

/**
 * Number of parameters that a signature of a TensorFlow SavedModel computes with: the elements of the variables and of the
 * constant matrices that its outputs depend on. Throws for bytes that are no SavedModel.
 */
export function savedModelParameters(bytes: Uint8Array, signature: string): number {
  const [meta] = readMessage(SavedModelSchema, bytes).metaGraphs;
  if (meta?.graphDef === undefined) throw new Error('it holds no graph');
  const nodes = new Map(meta.graphDef.node.map((node) => [node.name, node]));
  const waiting = Object.values(meta.signatureDef[signature]?.outputs ?? {}).map(({ name }) => name);
  const seen = new Set<string>();
  let parameters = 0;
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const plain = name.replace(/^\^/, '').replace(/:\d+$/, '');
    const node = nodes.get(plain);
    if (node === undefined || seen.has(plain)) continue;
    seen.add(plain);
    waiting.push(...node.input);
    parameters += parametersOf(node);
  }
  return parameters;
}

function parametersOf({ op, attr }: NodeDef): number {
  if (op === 'VarHandleOp' || op === 'VariableV2') return product(dimsOf(attr['shape']?.shape));
  if (op !== 'Const') return 0;
  const dims = dimsOf(attr['value']?.tensor?.tensorShape);
  return dims.length > 1 ? product(dims) : 0;
}

function dimsOf(shape: TensorShapeProto | undefined): number[] {
  return (shape?.dim ?? []).map(({ size }) => Number(size));
}
