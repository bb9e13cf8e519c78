import { tensor } from '../../src/formats/onnx/model.ts';
import type { OnnxAttr, OnnxNode, OnnxTensor } from '../../src/formats/onnx/model.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';

const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attrs: Readonly<Record<string, OnnxAttr>> = {},
): OnnxNode => ({ op, domain: '', name: output, inputs, outputs: [output], attrs: new Map(Object.entries(attrs)) });
const int = (value: number): OnnxAttr => ({ type: 'int', value });
const axes = (name: string, ...values: readonly number[]): OnnxTensor =>
  tensor(name, 'int64', [values.length], BigInt64Array.from(values, BigInt));

/**
 * An ONNX file as an exporter writes BERT: int64 ids, mask and token types [batch, length] of any size to logits of two classes,
 * the mean over the mask of `score(id)` for each, and of the types a little.
 */
export function textTeacher(vocabulary: number, score: (id: number) => readonly [number, number]): Uint8Array {
  const table = Float32Array.from({ length: 2 * vocabulary }, (_, i) => score(Math.floor(i / 2))[i % 2]!);
  const input = (name: string) => ({ name, dtype: 'int64' as const, dims: ['batch', 'length'] });
  const one = int(1);
  return encodeModel({
    irVersion: 8,
    opsets: new Map([['', 17]]),
    producerName: 'pytorch',
    producerVersion: '2',
    metadata: new Map(),
    functions: [],
    graph: {
      name: 'main',
      inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map(input),
      outputs: [{ name: 'logits', dtype: 'float32', dims: ['batch', 2] }],
      valueInfos: [],
      initializers: [
        tensor('words', 'float32', [vocabulary, 2], table),
        tensor('types', 'float32', [2, 2], Float32Array.of(0, 0, 0.01, 0)),
        ...[axes('last', 2), axes('middle', 1)],
      ],
      nodes: [
        node('Gather', ['words', 'input_ids'], 'looked', { axis: int(0) }),
        node('Gather', ['types', 'token_type_ids'], 'typed', { axis: int(0) }),
        node('Add', ['looked', 'typed'], 'added'),
        node('Cast', ['attention_mask'], 'mask', { to: one }),
        node('Unsqueeze', ['mask', 'last'], 'column'),
        node('Mul', ['added', 'column'], 'kept'),
        node('ReduceSum', ['kept', 'middle'], 'sum', { keepdims: int(0) }),
        node('ReduceSum', ['mask', 'middle'], 'count', { keepdims: one }),
        node('Div', ['sum', 'count'], 'logits'),
      ],
    },
  });
}
