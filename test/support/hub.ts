import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { wordPieces } from './tokenizer.ts';

interface HubForm {
  readonly architecture?: string;
  readonly preprocessor?: object;
  /** Largest number of tokens, of a folder with a tokenizer. */
  readonly tokenizer?: number;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  /** Files in place of onnx/model.onnx. */
  readonly files?: readonly string[];
  readonly config?: boolean;
}

/** Writes a folder as the hub has it, with an ONNX file that has no nodes. */
export async function hubFolder(
  folder: string,
  { architecture = 'ViTForImageClassification', preprocessor, tokenizer, inputs = ['pixel_values'], outputs = ['logits'], files = ['onnx/model.onnx'], config = true }: HubForm,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const value = (name: string) => ({ name, dtype: 'float32' as const, dims: ['batch', 2] });
  const graph = { name: 'g', inputs: inputs.map(value), outputs: outputs.map(value), valueInfos: [], initializers: [], nodes: [] };
  const bytes = encodeModel({ irVersion: 8, opsets: new Map([['', 17]]), producerName: '', producerVersion: '', metadata: new Map(), functions: [], graph });
  const json: [string, object | undefined][] = [
    ['config.json', config ? { architectures: [architecture], id2label: { 0: 'cat', 1: 'dog' } } : undefined],
    ['preprocessor_config.json', preprocessor],
    ['tokenizer.json', tokenizer === undefined ? undefined : wordPieces(['a'])],
    ['tokenizer_config.json', tokenizer === undefined ? undefined : { model_max_length: tokenizer }],
  ];
  const content = new Map<string, string | Uint8Array>(files.map((name) => [name, bytes]));
  for (const [name, value] of json) if (value !== undefined) content.set(name, JSON.stringify(value));
  for (const [name, data] of content) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), data);
  }
} // prettier-ignore
