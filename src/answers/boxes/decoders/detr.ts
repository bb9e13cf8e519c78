import { cornersOf, otherLayout } from './decoder.ts';
import type { Decoder } from './decoder.ts';

/**
 * Two outputs: logits [batch, queries, classes + 1], of which the last stands for no object (Carion et al. 2020, "DETR"), or [batch, queries, classes]
 * of classes that each have a sigmoid (Zhu et al. 2021, "Deformable DETR"; RT-DETR), and boxes [batch, queries, 4], centre x, centre y, width and
 * height in shares of the picture.
 */
export const detr: Decoder = {
  isInShares: true,
  find: (outputs) => {
    const boxes =
      outputs.find(({ name }) => name === 'pred_boxes') ??
      only(outputs.filter(({ shape }) => shape.length === 3 && shape[2] === 4));
    const logits =
      outputs.find(({ name }) => name === 'logits') ??
      only(outputs.filter((output) => output !== boxes && output.shape.length === 3));
    return [logits, boxes];
  },
  decode: ([logits, boxes], { file, classes }) => {
    const [queries = 0, width = 0] = logits!.shape;
    const isFit = [logits!, boxes!].every(({ shape }) => shape.length === 2 && shape[0] === queries);
    if (!isFit || boxes!.shape[1] !== 4 || (width !== classes && width !== classes + 1))
      throw otherLayout(
        file,
        `logits [queries, ${classes + 1}], or [queries, ${classes}] without a class for no object, and boxes [queries, 4]`,
        [logits!, boxes!],
      );
    const scores =
      width === classes
        ? logits!.data.map((logit) => 1 / (1 + Math.exp(-logit)))
        : largestOfSoftmax(logits!.data, width);
    return { boxes: cornersOf(boxes!.data), scores };
  },
};

function only<T>(found: readonly T[]): T | undefined {
  return found.length === 1 ? found[0] : undefined;
}

/** Scores [queries, classes]: the probability of each query's likeliest class other than none, the last of `width`. */
function largestOfSoftmax(logits: Float32Array, width: number): Float32Array {
  const queries = logits.length / width;
  const out = new Float32Array(queries * (width - 1));
  for (let query = 0; query < queries; query++) {
    const row = logits.subarray(query * width, (query + 1) * width);
    const highest = row.reduce((most, value) => Math.max(most, value), -Infinity);
    const sum = row.reduce((total, value) => total + Math.exp(value - highest), 0);
    let best = 0;
    for (let c = 1; c < width - 1; c++) if (row[c]! > row[best]!) best = c;
    out[query * (width - 1) + best] = Math.exp(row[best]! - highest) / sum;
  }
  return out;
}
