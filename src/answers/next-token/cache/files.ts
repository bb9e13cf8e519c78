import type { Skipped } from '../../../base/skipped.ts';
import { digits } from '../../../base/numbers.ts';
import { plainBatches } from '../../../data/batches/batches.ts';
import type { Dataset } from '../../../data/dataset.ts';
import { dynamicInt8 } from '../../../formats/onnx/dynamic.ts';
import type { OnnxContent } from '../../../formats/onnx/large.ts';
import type { Model } from '../../../formats/onnx/model.ts';
import { onnxContent } from '../../../formats/onnx/protobuf.ts';
import { INT4_OPSET, int4Weights } from '../../../formats/onnx/rewrite/int4.ts';
import { replaceNodes } from '../../../formats/onnx/rewrite/replace-nodes.ts';
import { storedRows, takesRows } from '../../../formats/onnx/rewrite/rows.ts';
import { InferenceModel } from '../../../runtime/inference.ts';
import type { SessionOptions } from '../../../runtime/onnxruntime/session-options.ts';
import { bitsOf, perByte } from '../bits.ts';
import { withCache } from './graph.ts';
import type { DecoderParts } from './parts.ts';
import { CachedReader } from './reader.ts';

/** Sequences that are computed at once. */
const AT_ONCE = 32;

/** Sequences that are read token by token and compared. */
const COMPARED = 2;

/** Largest difference of logits that orders of sums explain, relative to the largest logit. */
const TOLERANCE = 1e-3;

const WRITERS = {
  fp32: withCache,
  'dynamic-int8': (model: Model, parts: DecoderParts) => dynamicInt8(withCache(model, parts)).result,
  int4: (model: Model, parts: DecoderParts) => {
    const { result } = int4Weights(withCache(model, parts, INT4_OPSET));
    // Products have 4 bits; the table of tokens, of which a row is read at a time, has 8.
    return replaceNodes(result, (node, { stored, added }) => {
      const table = stored.get(node.inputs[0] ?? '');
      return takesRows(node, table) ? storedRows(node, table, added) : [node];
    }).result;
  },
};

type CachedPrecision = keyof typeof WRITERS;

interface CachedFile {
  readonly precision: CachedPrecision;
  readonly content: OnnxContent;
  /** On the split that it was measured on. */
  readonly bitsPerByte: number;
}

/** Measure of files with a cache. */
interface Measure {
  readonly split: Dataset;
  readonly session: SessionOptions;
  /** Largest rise of the bits per byte over those in float32, in percent. */
  readonly maxDrop: number;
}

/**
 * Files with a cache of keys and values of the decoder in `whole`: in float32, and with weights of 8 and 4 bits unless its bits per byte rise too much. An
 * Error if the one in float32, token by token, does not answer as `whole` does.
 */
export async function cachedFiles(
  whole: Model,
  parts: DecoderParts,
  { split, session, maxDrop }: Measure,
): Promise<{ readonly files: CachedFile[]; readonly skipped: Skipped[] }> {
  const files: CachedFile[] = [];
  const skipped: Skipped[] = [];
  for (const precision of Object.keys(WRITERS) as CachedPrecision[]) {
    const content = onnxContent(WRITERS[precision](whole, parts));
    if (precision === 'fp32') compare(whole, content, parts, split, session);
    const bitsPerByte = await bitsPerByteOf(content, parts, split, session);
    const rise = 100 * (bitsPerByte / (files[0]?.bitsPerByte ?? bitsPerByte) - 1);
    if (rise <= maxDrop) files.push({ precision, content, bitsPerByte });
    else
      skipped.push({
        what: `a file in ${precision}`,
        why: `its bits per byte are ${digits(bitsPerByte)}, ${digits(rise)} % more than in float32, and at most ${maxDrop} % are allowed`,
      });
  }
  return { files, skipped };
}

/** Bits per byte of a split, of which each sequence is read in one call. */
async function bitsPerByteOf(
  content: OnnxContent,
  { groups, depth, length, vocabulary }: DecoderParts,
  split: Dataset,
  session: SessionOptions,
): Promise<number> {
  const model = new InferenceModel(content, 'cached.onnx', session);
  const { count, batch } = plainBatches(split, AT_ONCE);
  const bits: number[] = [];
  try {
    for (let at = 0; at < count; at++) {
      const { x, shape, targets } = batch(at);
      const rows = shape[0]!;
      const ids = (values: readonly number[]) => ({
        data: BigInt64Array.from(values, BigInt),
        shape: [rows, length],
      });
      const none = { data: new Float32Array(0), shape: [rows, groups, 0, depth] };
      const { logits } = await model.run(
        {
          input_ids: ids(Array.from(x)),
          attention_mask: ids(Array.from(x, () => 1)),
          position_ids: ids(Array.from(x, (_, i) => i % length)),
          ...Object.fromEntries(model.inputs.slice(3).map(({ name }) => [name, none])),
        },
        ['logits'],
      );
      bits.push(...bitsOf(logits!.data as Float32Array, targets, { length, tokens: vocabulary }));
    }
  } finally {
    model.dispose();
  }
  return perByte(bits, split.targets, length);
}

/** Reads sequences token by token with the cache. An Error if an answer is not that of the whole sequence. */
function compare(
  whole: Model,
  content: OnnxContent,
  parts: DecoderParts,
  split: Dataset,
  session: SessionOptions,
): void {
  const { length, vocabulary } = parts;
  const model = new InferenceModel(onnxContent(whole), 'whole.onnx', session);
  const reader = CachedReader.open(content, 'cached.onnx', parts, session);
  const { x, shape } = plainBatches(split, COMPARED).batch(0);
  try {
    const input = model.inputs[0]!;
    const data = input.dtype === 'int32' ? Int32Array.from(x) : x;
    const logits = model.runNow({ [input.name]: { data, shape } })[model.outputs[0]!.name]!.data as Float32Array;
    for (let row = 0; row < shape[0]!; row++) {
      const ids = Array.from(x.subarray(row * length, (row + 1) * length));
      for (let at = 0; at < length; at++) {
        const from = (row * length + at) * vocabulary;
        const expected = logits.subarray(from, from + vocabulary);
        const step = reader.logits(ids.slice(0, at + 1));
        const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
        const error = step.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / scale;
        if (!(error <= TOLERANCE))
          throw new Error(`token ${at} of sequence ${row} with a cache differs from the whole sequence by ${error}`);
      }
    }
  } finally {
    reader.dispose();
    model.dispose();
  }
}
