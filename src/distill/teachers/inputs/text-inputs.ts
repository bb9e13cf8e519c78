import { UserError } from '../../../base/errors.ts';
import type { TokenInput } from '../../../data/config.ts';
import type { Dataset } from '../../../data/dataset.ts';
import type { DType } from '../../../graph/types.ts';
import type { InferenceTensor, ModelValue } from '../../../runtime/inference.ts';
import { samplesAs } from '../../../runtime/typed.ts';
import { pooledVectors } from './pooled.ts';
import type { Pooling } from './pooled.ts';

/** Input names of texts in files from PyTorch and TensorFlow. */
const NAMES: Readonly<Record<string, TokenInput>> = {
  input_ids: 'input_ids',
  input_word_ids: 'input_ids',
  ids: 'input_ids',
  attention_mask: 'attention_mask',
  input_mask: 'attention_mask',
  mask: 'attention_mask',
  token_type_ids: 'token_type_ids',
  input_type_ids: 'token_type_ids',
  segment_ids: 'token_type_ids',
};

/** Part of a text that an input of a file takes; a single input takes the ids. */
export function tokenInputOf(inputs: readonly ModelValue[], { name }: ModelValue): TokenInput | undefined {
  if (inputs.length === 1) return 'input_ids';
  return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}

const TYPES: ReadonlySet<DType> = new Set(['int64', 'int32', 'float32']);

interface TextInput {
  readonly input: ModelValue;
  /** Index of its part in a row of the data. */
  readonly from: number;
}

type Fed = Pick<Dataset, 'text' | 'inputs' | 'sampleShape'>;

/** The inputs of a file for texts. `UserError` if they do not fit. */
export function textInputs(inputs: readonly ModelValue[], name: string, { text, inputs: parts }: Fed): TextInput[] {
  const { length } = text!;
  return inputs.map((input) => {
    const part = tokenInputOf(inputs, input);
    if (part === undefined) {
      throw new UserError(
        `${name}: its input ${input.name} is none of input_ids, attention_mask and token_type_ids`,
        'Export the teacher with only these inputs; it can compute others from them.',
      );
    }
    if (!TYPES.has(input.dtype)) {
      throw new UserError(
        `${name}: expected int64, int32 or float32 for its input ${input.name}, received ${input.dtype}`,
        'Export the teacher with such an input.',
      );
    }
    const [, size] = input.shape;
    if (input.shape.length !== 2 || (typeof size === 'number' && size !== length)) {
      const declared = input.shape.map((one) => (one === '' ? '?' : one)).join(', ');
      throw new UserError(
        `${name}: its input ${input.name} is [${declared}], received texts of ${length} tokens`,
        input.shape.length === 2
          ? `Set \`teacher.text.length: ${size!}\`, or export the teacher with a dynamic length.`
          : 'Export the teacher with inputs [batch, tokens].',
        { changes: input.shape.length === 2 ? [{ path: ['text', 'length'], value: size }] : [] },
      );
    }
    return { input, from: parts?.find((one) => one.name === part)?.from ?? 0 };
  });
}

/** Texts are padded to a multiple of this length: a runtime plans anew for each length. */
const BUCKET = 16;

/** Groups rows of a batch by padded length; a single group for a file of fixed length or if `whole` is set. */
function buckets(x: Float32Array, n: number, inputs: readonly TextInput[], data: Fed, whole: boolean): Bucket[] {
  const { length } = data.text!;
  const mask = data.inputs?.find((part) => part.name === 'attention_mask')?.from;
  const isFixed = whole || mask === undefined || inputs.some(({ input }) => typeof input.shape[1] === 'number');
  const rows = Array.from({ length: n }, (_, i) => i);
  if (isFixed) return [{ length, rows }];
  const row = data.sampleShape[0]!;
  const found = new Map<number, number[]>();
  for (const i of rows) {
    const rowMask = x.subarray(i * row + mask, i * row + mask + length);
    const size = Math.min(length, Math.max(1, Math.ceil((rowMask.lastIndexOf(1) + 1) / BUCKET)) * BUCKET);
    found.set(size, [...(found.get(size) ?? []), i]);
  }
  return [...found].map(([size, ofSize]) => ({ length: size, rows: ofSize }));
}

interface Bucket {
  readonly length: number;
  readonly rows: readonly number[];
}

/** Feeds of a file for rows of a batch. */
function textFeeds(
  x: Float32Array,
  { length, rows }: Bucket,
  inputs: readonly TextInput[],
  { sampleShape }: Fed,
  name: string,
): Record<string, InferenceTensor> {
  const row = sampleShape[0]!;
  return Object.fromEntries(
    inputs.map(({ input, from }) => {
      const values = new Float32Array(rows.length * length);
      rows.forEach((i, at) => {
        const start = i * row + from;
        values.set(x.subarray(start, start + length), at * length);
      });
      const data = samplesAs(input.dtype, values, `${input.name} of ${name}`);
      return [input.name, { data, shape: [rows.length, length] }];
    }),
  );
}

type Ask = (feeds: Record<string, InferenceTensor>, n: number) => Promise<Readonly<Record<string, Values>>>;

interface Values {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

interface Asking {
  readonly data: Fed;
  /** Name of the file for messages. */
  readonly name: string;
  /** True if all texts are padded to the same length. */
  readonly whole: boolean;
  /** Output with one row of numbers for each text; undefined for outputs with a row for each token. */
  readonly answer?: string | undefined;
  /** Output with a vector for each token, and how the vectors of a text are pooled into one; undefined to refuse such an output. */
  readonly pooling?: { readonly output: string; readonly by: Pooling | undefined } | undefined;
  readonly ask: Ask;
}

/** Outputs of a file for texts, in the order of the batch, whatever their lengths and the file's batch size. */
export async function askedAboutTexts(
  x: Float32Array,
  n: number,
  inputs: readonly TextInput[],
  { data, name, whole, answer, pooling, ask }: Asking,
): Promise<Record<string, Values>> {
  const fixed = inputs.map(({ input }) => input.shape[0]).find((size) => typeof size === 'number');
  const all: Record<string, Values> = {};
  for (const { length, rows } of buckets(x, n, inputs, data, whole)) {
    const at = fixed ?? rows.length;
    for (let start = 0; start < rows.length; start += at) {
      const some = rows.slice(start, start + at);
      // A fixed batch is filled up by repeating the first text.
      const full = [...some, ...new Array<number>(at - some.length).fill(some[0]!)];
      const results = { ...(await ask(textFeeds(x, { length, rows: full }, inputs, data, name), full.length)) };
      if (pooling !== undefined && results[pooling.output]!.shape.length > 2)
        results[pooling.output] = pooledVectors(results[pooling.output]!, {
          pooling: pooling.by,
          mask: maskOf(x, { length, rows: full }, data),
          what: `${name}: its output ${pooling.output}`,
        });
      for (const [output, { data: values, shape }] of Object.entries(results)) {
        if (output === answer && shape.length > 2 && shape[1] === length) throw unpooled(name, output, shape);
        const size = values.length / full.length;
        const kept = (all[output] ??= { data: new Float32Array(n * size), shape: [n, ...shape.slice(1)] });
        some.forEach((row, i) => kept.data.set(values.subarray(i * size, (i + 1) * size), row * size));
      }
    }
  }
  return all;
}

/** [rows, length] 1 for a token of the text, 0 for padding. */
function maskOf(x: Float32Array, { length, rows }: Bucket, { text, inputs, sampleShape }: Fed): Uint8Array {
  const row = sampleShape[0]!;
  const from = (part: TokenInput): number | undefined => inputs?.find(({ name }) => name === part)?.from;
  const mask = from('attention_mask');
  const start = mask ?? from('input_ids') ?? 0;
  const out = new Uint8Array(rows.length * length);
  rows.forEach((i, at) => {
    for (let token = 0; token < length; token++) {
      const value = x[i * row + start + token]!;
      out[at * length + token] = (mask === undefined ? value !== text!.padding : value !== 0) ? 1 : 0;
    }
  });
  return out;
}

function unpooled(name: string, output: string, shape: readonly number[]): UserError {
  return new UserError(
    `${name}: its output ${output} is [${shape.join(', ')}], a row for each token, and a text is asked about as a whole`,
    'Export the teacher with one row for each text: its classifier, or the mean over the tokens, (h * m[..., None]).sum(1) / m.sum(1, keepdim=True) of the output h and the attention mask m in float. If the file has such an output, name it: `teacher.output`.',
  );
}
