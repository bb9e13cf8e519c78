import { UserError } from '../../../base/errors.ts';
import { statedText } from '../../../files/stated.ts';
import { elementCount, tensorData } from '../../../formats/onnx/model.ts';
import type { Model, OnnxTensor } from '../../../formats/onnx/model.ts';
import { widened } from '../../../formats/onnx/rewrite/widen.ts';

/** What a file says of its decoder, see `networks/models/decoder.ts`. */
export interface DecoderParts {
  readonly layers: number;
  readonly heads: number;
  /** Groups of heads that share keys and values. */
  readonly groups: number;
  /** Size of a head's vector. */
  readonly depth: number;
  /** Size of a token's vector. */
  readonly size: number;
  /** Inner size of the feed-forward part. */
  readonly inner: number;
  /** Id of the token that ends a text. */
  readonly end: number;
  /** Tokens of the sequences that it was trained on. */
  readonly length: number;
  readonly vocabulary: number;
  readonly isGated: boolean;
  /** Tensors in float32, by the names of the network's variables. */
  readonly weights: ReadonlyMap<string, OnnxTensor>;
}

const TABLE = 'tokens/embeddings';
const QUERY = 'layer1_attention/query_kernel';

/** True for a file in float32 or float16 that a run wrote of a `decoder`. */
export function isDecoder({ graph, metadata }: Model): boolean {
  const stored = new Map(graph.initializers.map(({ name, dtype }) => [name, dtype]));
  return (
    statedText(metadata) !== undefined &&
    [TABLE, QUERY].every((name) => /^float(?:16|32)$/.test(stored.get(name) ?? ''))
  );
}

/**
 * Weights and sizes of a `decoder` from the ONNX file in float32 or float16 that a run wrote of it. `UserError` for other files. `file`: its name, for
 * errors.
 */
export function decoderParts(model: Model, file: string): DecoderParts {
  if (!isDecoder(model))
    throw new UserError(
      `${file}: is not a float32 or float16 file of the model decoder, which keys and values can be kept of`,
      'Name the ONNX file of a student or teacher `decoder`; gru-lm and files in int8 have none.',
    );
  const text = statedText(model.metadata)!;
  const { initializers, nodes } = widened(model).graph;
  const weights = new Map(initializers.map((one) => [one.name, one]));
  const layers = initializers.filter(({ name }) => /^layer\d+_attention\/query_kernel$/.test(name)).length;
  const [vocabulary, size] = weights.get(TABLE)!.dims as [number, number];
  // A query is reshaped so that heads stand apart, and a head's vector is the last axis.
  const queries = nodes.find(({ inputs }) => inputs[1] === QUERY)!.outputs[0]!;
  const shape = nodes.find(({ op, inputs }) => op === 'Reshape' && inputs[0] === queries)!.inputs[1]!;
  const depth = Number(tensorData(weights.get(shape)!)!.at(-1));
  return {
    layers,
    heads: weights.get(QUERY)!.dims[1]! / depth,
    groups: weights.get('layer1_attention/key_kernel')!.dims[1]! / depth,
    depth,
    size,
    inner: weights.get('layer1_up/kernel')!.dims[1]!,
    end: text.padding,
    length: text.length,
    vocabulary,
    isGated: weights.has('layer1_gate/kernel'),
    weights: new Map([...weights].filter(([name, { dims }]) => name.includes('/') && elementCount(dims) > 1)),
  };
}
