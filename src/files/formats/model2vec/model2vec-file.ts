import path from 'node:path';
import { fromHalfArray } from '../../../base/bytes.ts';
import { UserError } from '../../../base/errors.ts';
import { readBytes } from '../../../base/files.ts';
import { openText } from '../../../data/text/open.ts';
import { TOKENIZER_FILE } from '../../../data/text/tokenizer-file.ts';
import { unknownId } from '../../../data/text/tokenizer/models.ts';
import { tokenizerOf } from '../../../data/text/tokenizer/tokenizer-json.ts';
import type { TokenizerJson } from '../../../data/text/tokenizer/tokenizer-json.ts';
import { tensor } from '../../../formats/onnx/model.ts';
import type { Model, OnnxDType, OnnxNode, ValueInfo } from '../../../formats/onnx/model.ts';
import type { TokenVectors } from '../../token-vectors.ts';
import { MODEL2VEC_ENDS } from './index.ts';
import { readSafetensorsFile } from '../../safetensors-file.ts';

/**
 * The vectors of `file`, a model.safetensors of model2vec with the tensor `embeddings`; `tokenizer`: path of its tokenizer.json.
 * Integers are read as they are, for lengths do not matter. `UserError` for another file, for vectors that several tokens share, and for another tokenizer.
 */
async function vectorsOf(file: string, tokenizer: string): Promise<TokenVectors> {
  const { tensors } = await readSafetensorsFile(file);
  const found = tensors.get('embeddings');
  const listed = [...tensors].map(([name, { dtype, shape }]) => `${name} (${dtype}, [${shape.join(', ')}])`).join(', ');
  if (tensors.size !== 1 || found?.shape.length !== 2 || found.shape[1] === 0)
    throw new UserError(
      `${file}: expected the tensor embeddings [tokens, width] alone, received ${listed || 'none'}`,
      'Name a folder that model2vec saved, without vocabulary quantization.',
    );
  const { data, dtype, shape } = found;
  const vectors =
    dtype === 'float16' ? fromHalfArray(data as Uint16Array) : Float32Array.from(data as Float32Array, Number);
  if (!vectors.every(Number.isFinite))
    throw new UserError(`${file}: embeddings holds numbers that are not finite`, 'Get the folder again.');
  const [rows, width] = shape as readonly [number, number];
  const silent = await silentIds(tokenizer);
  if (rows !== silent.vocabulary)
    throw new UserError(
      `${file}: expected a vector for each of the ${silent.vocabulary} tokens of ${tokenizer}, received ${rows}`,
      'Name the tokenizer.json that was saved with it.',
    );
  for (const id of silent.ids) vectors.fill(0, id * width, (id + 1) * width);
  return { vectors, width };
}

async function silentIds(file: string): Promise<{ readonly ids: readonly number[]; readonly vocabulary: number }> {
  const { form } = await openText({ tokenizer: file });
  const json = JSON.parse(new TextDecoder().decode(await readBytes(file))) as TokenizerJson;
  const { templates, vocabulary } = tokenizerOf(json);
  const ends = templates.single.flatMap((part) => ('id' in part ? [part.id] : []));
  const ids = [form.padding, unknownId(json) ?? form.padding, ...ends].filter((id) => id < vocabulary);
  return { ids, vocabulary };
}

export function readVectors(folder: string, tokenizer: string): Promise<TokenVectors> {
  return vectorsOf(path.join(folder, MODEL2VEC_ENDS.onnx), tokenizer);
}

/** A file of model2vec as an ONNX model: ids and mask of tokens [batch, tokens], int64, to the sum of their vectors [batch, width], which says their direction. */
export async function readModel(file: string): Promise<Model> {
  const { vectors, width } = await vectorsOf(file, path.join(path.dirname(file), TOKENIZER_FILE));
  const { inputs, output } = MODEL2VEC_ENDS;
  const [ids, mask] = inputs;
  const node = (op: string, from: readonly string[], to: string, attrs: OnnxNode['attrs'] = new Map()): OnnxNode => ({
    op,
    domain: '',
    name: to,
    inputs: from,
    outputs: [to],
    attrs,
  });
  const end = (name: string, dtype: OnnxDType, last: string | number): ValueInfo => ({
    name,
    dtype,
    dims: ['batch', last],
  });
  return {
    irVersion: 8,
    opsets: new Map([['', 17]]),
    producerName: 'model2vec',
    producerVersion: '',
    metadata: new Map(),
    functions: [],
    graph: {
      name: 'model2vec',
      nodes: [
        node('Gather', ['embeddings', ids], 'vectors'),
        node('Cast', [mask], 'weights', new Map([['to', { type: 'int', value: 1 }]])),
        node('Unsqueeze', ['weights', 'last'], 'column'),
        node('Mul', ['vectors', 'column'], 'known'),
        node('ReduceSum', ['known', 'tokens'], output, new Map([['keepdims', { type: 'int', value: 0 }]])),
      ],
      initializers: [
        tensor('embeddings', 'float32', [vectors.length / width, width], vectors),
        tensor('last', 'int64', [1], BigInt64Array.of(2n)),
        tensor('tokens', 'int64', [1], BigInt64Array.of(1n)),
      ],
      inputs: inputs.map((name) => end(name, 'int64', 'tokens')),
      outputs: [end(output, 'float32', width)],
      valueInfos: [],
    },
  };
}
