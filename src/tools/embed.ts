import { stat } from 'node:fs/promises';
import path from 'node:path';
import { exists, readBytes } from '../base/files.ts';
import { UserError } from '../base/errors.ts';
import type { OnProgress } from '../base/progress.ts';
import { unknownId, vocabularyOf } from '../data/text/tokenizer/models.ts';
import { openText } from '../data/text/open.ts';
import { TOKENIZER_FILE } from '../data/text/tokenizer-file.ts';
import { tokenizerOf } from '../data/text/tokenizer/tokenizer-json.ts';
import type { Tokenizer, TokenizerJson } from '../data/text/tokenizer/tokenizer-json.ts';
import { staticEmbeddings } from '../distill/static-embeddings.ts';
import type { StaticEmbeddings } from '../distill/static-embeddings.ts';
import { readersOfVectors } from '../files/token-vectors.ts';
import type { TokenVectors } from '../files/token-vectors.ts';
import { readOnnx, writeModel } from '../files/onnx-file.ts';
import { lowerToOnnx } from '../formats/onnx/lower.ts';
import { onnxContent } from '../formats/onnx/protobuf.ts';
import type { Constant } from '../graph/types.ts';
import { layersNetwork } from '../networks/layers/layers.ts';
import { buildModel } from '../networks/models/registry.ts';
import { evaluator } from '../runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../runtime/inference.ts';
import { sessionOptions } from '../runtime/onnxruntime/session-choice.ts';
import { inferenceGraph } from '../ship/export.ts';
import { useLazyBackend } from '../trace/use.ts';

const SIZE = 256;

export interface EmbedOptions {
  /** Path of an encoder of sentences, .onnx, or of a folder of model2vec, whose vectors are taken as they are. */
  readonly encoder: string;
  /** Path of its tokenizer.json. */
  readonly tokenizer: string;
  /** Numbers of a vector. Default: 256 of an encoder, all of a folder; fewer are the first ones. */
  readonly size?: number | undefined;
  /** Maximum tokens of a text. */
  readonly length: number;
  readonly pooling: 'mean' | 'first';
  readonly output?: string | undefined;
  /** The file to write; tokenizer.json is copied beside it. */
  readonly out: string;
  readonly onProgress?: OnProgress | undefined;
}

export interface Embedded {
  readonly file: string;
  readonly tokenizer: string;
  readonly vocabulary: number;
  readonly size: number;
  /** Size of the encoder's own vectors, and the share of their variance that is kept. */
  readonly width: number;
  readonly kept: number;
  readonly sizeBytes: number;
}

/**
 * Makes a bag of static embeddings from an encoder of sentences, as an ONNX file: token ids [batch, length] to the mean of their vectors [batch,
 * size], followed by an identity dense layer that a recipe replaces (`student: { onnx: FILE, head: replace }`).
 */
export async function embed(options: EmbedOptions): Promise<Embedded> {
  const { encoder: file, length, out } = options;
  const beside = path.join(path.dirname(out), TOKENIZER_FILE);
  if (!(await exists(file)))
    throw new UserError(`${file}: no such file or folder`, 'Name an ONNX file, or a folder of model2vec.');
  const isFolder = (await stat(file)).isDirectory();
  if (path.resolve(out) === path.resolve(file))
    throw new UserError(`--out: ${out} is the encoder`, 'Name another file.');
  const { form } = await openText({ column: 'text', tokenizer: options.tokenizer, length });
  if (form.tokenizer !== 'tokenizer.json')
    throw new UserError(
      `--tokenizer: expected a tokenizer.json, received ${options.tokenizer}`,
      "Name the encoder's own.",
    );
  const bytes = await readBytes(options.tokenizer);
  if ((await exists(beside)) && Buffer.compare(await readBytes(beside), bytes) !== 0)
    throw new UserError(
      `--out: beside ${out} lies the tokenizer.json of another model`,
      'Name a file in a folder of its own.',
    );
  const json = JSON.parse(new TextDecoder().decode(bytes)) as TokenizerJson;
  const tokenizer = tokenizerOf(json);
  const marked = markedIds(json, tokenizer, form.padding);
  const own = isFolder ? await vectorsOfFolder(file, options.tokenizer) : undefined;
  const { vectors, width, kept, size } =
    own === undefined ? await vectorsOfEncoder(file, tokenizer, options, marked) : firstNumbers(file, own, options);
  const model = onnxContent(
    lowerToOnnx(bagOf(vectors, form, size), {
      metadata: new Map(
        Object.entries({
          text: JSON.stringify(form),
          preprocessing: JSON.stringify({
            shape: [length],
            scale: 1,
            mean: new Array<number>(length).fill(0),
            std: new Array<number>(length).fill(1),
          }),
          targets: JSON.stringify(Array.from({ length: size }, (_, i) => `component ${i + 1}`)),
          output: 'values',
        }),
      ),
    }),
  );
  const isOwn = path.resolve(beside) === path.resolve(options.tokenizer);
  await writeModel(out, model, new Map(isOwn ? [] : [[path.basename(beside), bytes]]));
  const { vocabulary } = form;
  return { file: out, tokenizer: beside, vocabulary, size, width, kept, sizeBytes: model.length };
}

type Made = StaticEmbeddings & { readonly size: number };

async function vectorsOfEncoder(
  file: string,
  tokenizer: Tokenizer,
  { size = SIZE, ...options }: EmbedOptions,
  marked: ReturnType<typeof markedIds>,
): Promise<Made> {
  const encoder = new InferenceModel(await readOnnx(file), file, sessionOptions('cpu', {}));
  const made = staticEmbeddings(encoder, file, tokenizer, { ...options, size, ...marked });
  return { ...(await made.finally(() => encoder.dispose())), size };
}

/** The vectors of a folder, of the one format of such folders that Limbeck reads. */
async function vectorsOfFolder(folder: string, tokenizer: string): Promise<TokenVectors> {
  const [format] = readersOfVectors.names();
  if (format === undefined)
    throw new UserError(`${folder}: expected an ONNX file, received a folder`, 'Name the ONNX file in it.');
  return (await readersOfVectors.load(format))(folder, tokenizer);
}

/** The first numbers of the vectors of a folder. */
function firstNumbers(folder: string, { vectors: all, width }: TokenVectors, { size = width }: EmbedOptions): Made {
  if (size > width)
    throw new UserError(
      `--size: expected at most ${width}, the numbers of a vector of ${folder}, received ${size}`,
      'Leave it out.',
    );
  const rows = all.length / width;
  const vectors = Float32Array.from(
    { length: rows * size },
    (_, at) => all[Math.floor(at / size) * width + (at % size)]!,
  );
  const [whole, kept] = [all, vectors].map((values) => values.reduce((sum, value) => sum + value ** 2, 0)) as [
    number,
    number,
  ];
  return { vectors, width, size, kept: whole === 0 ? 1 : kept / whole };
}

function bagOf(
  vectors: Float32Array,
  { vocabulary, padding, length }: { vocabulary: number; padding: number; length: number },
  size: number,
) {
  useLazyBackend(evaluator);
  const model = buildModel('embedding-bag', {
    inputShape: [length],
    classes: size,
    seed: 0,
    options: { vocabulary, padding, size },
  });
  // A tokenizer without padding gets a new id for it.
  const table = new Float32Array(vocabulary * size);
  table.set(vectors);
  const identity = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  const float = (shape: readonly number[], data: Float32Array): Constant => ({
    type: { dtype: 'float32', shape },
    data,
  });
  const weights = new Map([
    ['tokens/embeddings', float([vocabulary, size], table)],
    ['logits/kernel', float([size, size], identity)],
    ['logits/bias', float([size], new Float32Array(size))],
  ]);
  return inferenceGraph({ network: layersNetwork(model), weights }, []);
}

/** Ids of tokens that stand for no text: padding and unknown words, which have a rank in the vocabulary, and all others. */
function markedIds(json: TokenizerJson, { templates, vocabulary }: Tokenizer, padding: number) {
  const { added_tokens, model } = json;
  const names = vocabularyOf(model);
  const silent = new Set([padding]);
  const unknown = unknownId(json);
  if (unknown !== undefined) silent.add(unknown);
  const added = (added_tokens ?? []).filter(({ special }) => special === true).map(({ id }) => id);
  const ends = templates.single.flatMap((part) => ('id' in part ? [part.id] : []));
  const unused = [...names].filter(([token]) => /^\[unused\d+\]$/.test(token)).map(([, id]) => id);
  const known = new Set([...names.values(), ...(added_tokens ?? []).map(({ id }) => id)]);
  const gaps = Array.from({ length: vocabulary }, (_, id) => id).filter((id) => !known.has(id));
  return { silent, unused: new Set([...added, ...ends, ...unused, ...gaps].filter((id) => !silent.has(id))) };
}
