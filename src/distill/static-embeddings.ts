import { UserError } from '../base/errors.ts';
import type { OnProgress } from '../base/progress.ts';
import { principalComponents } from '../base/math/pca.ts';
import type { Tokenizer } from '../data/text/tokenizer/tokenizer-json.ts';
import type { TokenInput } from '../data/config.ts';
import type { InferenceModel, InferenceTensor, ModelValue } from '../runtime/inference.ts';
import { samplesAs } from '../runtime/typed.ts';
import { tokenInputOf } from './teachers/inputs/text-inputs.ts';

export interface StaticOptions {
  /** Number of elements of a vector, fewer than the encoder's. */
  readonly size: number;
  /** Mean over all tokens of a text, or its first token ([CLS]). */
  readonly pooling: 'mean' | 'first';
  /** Output to read, if the file has several candidates. */
  readonly output?: string | undefined;
  /** Ids that get zeros because they stand for no text: padding, special tokens, unknown words. */
  readonly silent: ReadonlySet<number>;
  /** Ids that get zeros without asking the encoder, and have no rank in the vocabulary. */
  readonly unused: ReadonlySet<number>;
  readonly onProgress?: OnProgress | undefined;
}

export interface StaticEmbeddings {
  /** [vocabulary, size] */
  readonly vectors: Float32Array;
  /** Number of elements of the encoder's vectors. */
  readonly width: number;
  /** Share of the variance of these vectors that is kept. */
  readonly kept: number;
}

/** Constant `a` of Arora et al. 2017, "A simple but tough-to-beat baseline for sentence embeddings". */
const SIF = 1e-4;
const BATCH = 256;

/**
 * Makes a vector for each token from an encoder of sentences, as model2vec does (Tulkens and van Dongen 2024, "Model2Vec: fast state-of-the-art
 * static embeddings"): the encoder reads each token alone, the principal components are kept, and each vector is multiplied by a / (a + p), where p
 * is the frequency of its rank in the vocabulary by Zipf's law. `UserError` for an encoder of other inputs or outputs.
 */
export async function staticEmbeddings(
  encoder: InferenceModel,
  name: string,
  tokenizer: Tokenizer,
  { size, pooling, output, silent, unused, onProgress }: StaticOptions,
): Promise<StaticEmbeddings> {
  const wanted = outputOf(encoder, name, output);
  const ids = Array.from({ length: tokenizer.vocabulary }, (_, id) => id).filter((id) => !unused.has(id));
  const teacherVectors: Float32Array[] = [];
  for (let start = 0; start < ids.length; start += BATCH) {
    const some = ids.slice(start, start + BATCH);
    teacherVectors.push(await pooled(encoder, name, wanted, { tokenizer, ids: some, pooling }));
    onProgress?.('reading the vocabulary', Math.min(ids.length, start + BATCH), ids.length);
  }
  const width = teacherVectors[0]!.length / Math.min(BATCH, ids.length);
  if (size > Math.min(width, ids.length)) {
    throw new UserError(
      `--size: expected at most ${Math.min(width, ids.length)}, received ${size}`,
      `The vectors of ${name} have ${width} numbers, and its vocabulary has ${ids.length} tokens.`,
    );
  }
  const all = new Float32Array(ids.length * width);
  teacherVectors.forEach((part, i) => all.set(part, i * BATCH * width));
  if (!all.every(Number.isFinite)) {
    throw new UserError(`${name}: its output ${wanted} holds numbers that are not finite`, 'Export it in float32.');
  }
  const { rows, kept } = principalComponents(all, width, size);
  const weights = zipfWeights(ids.length);
  const vectors = new Float32Array(tokenizer.vocabulary * size);
  ids.forEach((id, i) => {
    if (silent.has(id)) return;
    for (let k = 0; k < size; k++) vectors[id * size + k] = rows[i * size + k]! * weights[i]!;
  });
  return { vectors, width, kept };
}

/** a / (a + p) by rank, with p proportional to 1 / (rank + 2) for ranks from 0. */
function zipfWeights(count: number): number[] {
  const inverse = Array.from({ length: count }, (_, rank) => 1 / (rank + 2));
  const sum = inverse.reduce((total, value) => total + value, 0);
  return inverse.map((value) => SIF / (SIF + value / sum));
}

const KNOWN = ['sentence_embedding', 'last_hidden_state', 'token_embeddings'];

function outputOf({ outputs }: InferenceModel, name: string, asked: string | undefined): string {
  const fits = outputs.filter(({ dtype, shape }) => dtype === 'float32' && (shape.length === 2 || shape.length === 3));
  const listed = outputs.map((one) => `${one.name} (${one.dtype}, [${one.shape.join(', ')}])`).join(', ');
  if (asked !== undefined) {
    if (fits.some((one) => one.name === asked)) return asked;
    throw new UserError(
      `--output: expected an output of ${name} that is float32 [batch, tokens, width] or [batch, width], received ${asked}`,
      `It has ${listed}.`,
    );
  }
  const known = KNOWN.find((one) => fits.some((fit) => fit.name === one));
  if (known !== undefined) return known;
  if (fits.length === 1) return fits[0]!.name;
  throw new UserError(
    `${name}: expected one output that is float32 [batch, tokens, width] or [batch, width], received ${fits.length}`,
    `It has ${listed}. Name one of them with --output.`,
  );
}

/** Vectors [ids, width] of texts of one token each. */
async function pooled(
  encoder: InferenceModel,
  name: string,
  output: string,
  { tokenizer, ids, pooling }: { tokenizer: Tokenizer; ids: readonly number[]; pooling: 'mean' | 'first' },
): Promise<Float32Array> {
  const template = tokenizer.templates.single;
  const length = template.length;
  const parts: Readonly<Record<TokenInput, (id: number, at: number) => number>> = {
    input_ids: (id, at) => {
      const part = template[at]!;
      return 'id' in part ? part.id : id;
    },
    attention_mask: () => 1,
    token_type_ids: (_, at) => template[at]!.type,
  };
  const feeds = Object.fromEntries(
    encoder.inputs.map((input): [string, InferenceTensor] => {
      const part = tokenInputOf(encoder.inputs, input);
      refuseUnlessFits(name, input, part, length);
      const values = Float32Array.from({ length: ids.length * length }, (_, i) =>
        parts[part!](ids[Math.floor(i / length)]!, i % length),
      );
      return [
        input.name,
        { data: samplesAs(input.dtype, values, `${input.name} of ${name}`), shape: [ids.length, length] },
      ];
    }),
  );
  const { data, shape } = (await encoder.run(feeds, [output]))[output]!;
  const values = data as Float32Array;
  if (shape.length === 2) return values;
  const width = shape[2]!;
  const out = new Float32Array(ids.length * width);
  for (let row = 0; row < ids.length; row++) {
    for (let k = 0; k < width; k++) {
      let sum = values[row * length * width + k]!;
      if (pooling === 'mean') {
        for (let at = 1; at < length; at++) sum += values[(row * length + at) * width + k]!;
        sum /= length;
      }
      out[row * width + k] = sum;
    }
  }
  return out;
}

function refuseUnlessFits(
  name: string,
  { name: input, dtype, shape }: ModelValue,
  part: TokenInput | undefined,
  length: number,
): void {
  const isOpen = (size: number | string | undefined, wanted?: number): boolean =>
    typeof size === 'string' || size === wanted;
  const fits =
    part !== undefined &&
    ['int64', 'int32', 'float32'].includes(dtype) &&
    shape.length === 2 &&
    isOpen(shape[0]) &&
    isOpen(shape[1], length);
  if (fits) return;
  throw new UserError(
    `${name}: expected inputs input_ids, attention_mask and token_type_ids, or some of them, [batch, tokens] with both sizes open, ` +
      `received ${input} of ${dtype} [${shape.map((size) => (size === '' ? '?' : size)).join(', ')}]`,
    'Export the encoder with dynamic axes for batch and tokens.',
  );
}
