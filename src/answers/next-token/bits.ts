import type { TargetValues } from '../../data/dataset.ts';
import type { NextTokenReport } from './described.ts';
import { NO_TOKEN, TAIL } from './pack.ts';

/** Sizes of an answer: places of a sequence, and tokens to choose among. */
export interface AnswerSize {
  readonly length: number;
  readonly tokens: number;
}

/** A place of a sequence whose next token is known. */
interface Place {
  /** Index among the places of all sequences. */
  readonly at: number;
  readonly row: number;
  /** The next token. */
  readonly id: number;
}

/** Places of [n, length + TAIL] targets whose next token is known, in their order. */
export function* askedPlaces(targets: TargetValues, length: number): Generator<Place> {
  const width = length + TAIL;
  for (let row = 0; row < targets.length / width; row++)
    for (let place = 0; place < length; place++) {
      const id = targets[row * width + place]!;
      if (id !== NO_TOKEN) yield { at: row * length + place, row, id };
    }
}

/** Sum of a column of [n, length + TAIL] targets behind the tokens. */
function total(targets: TargetValues, length: number, column: number): number {
  let sum = 0;
  for (let at = length + column; at < targets.length; at += length + TAIL) sum += targets[at]!;
  return sum;
}

/** Bytes of the text of all next tokens. */
function bytesIn(targets: TargetValues, length: number): number {
  return total(targets, length, 0);
}

/** -log2 of the softmax probability of a token among the logits that begin at `from`. */
function bitsAt(logits: Float32Array, from: number, tokens: number, id: number): number {
  let most = -Infinity;
  for (let i = from; i < from + tokens; i++) if (logits[i]! > most) most = logits[i]!;
  let sum = 0;
  for (let i = from; i < from + tokens; i++) sum += Math.exp(logits[i]! - most);
  return (Math.log(sum) + most - logits[from + id]!) / Math.LN2;
}

/** Bits of each known token, [places]. */
export function bitsOfPlaces(logits: Float32Array, targets: TargetValues, { length, tokens }: AnswerSize): number[] {
  return Array.from(askedPlaces(targets, length), ({ at, id }) => bitsAt(logits, at * tokens, tokens, id));
}

/** Bits of the known tokens of each sequence, [n]. */
export function bitsOf(logits: Float32Array, targets: TargetValues, { length, tokens }: AnswerSize): number[] {
  const sums = new Array<number>(targets.length / (length + TAIL)).fill(0);
  for (const { at, row, id } of askedPlaces(targets, length)) sums[row]! += bitsAt(logits, at * tokens, tokens, id);
  return sums;
}

/** Bits of the known tokens of each sequence by the frequencies of these tokens, [n]. */
export function bitsByFrequency(targets: TargetValues, length: number): number[] {
  const counts = new Map<number, number>();
  let all = 0;
  for (const { id } of askedPlaces(targets, length)) {
    counts.set(id, (counts.get(id) ?? 0) + 1);
    all++;
  }
  const sums = new Array<number>(targets.length / (length + TAIL)).fill(0);
  for (const { row, id } of askedPlaces(targets, length)) sums[row]! += Math.log2(all / counts.get(id)!);
  return sums;
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Bits over the bytes of their text. */
export function perByte(bits: readonly number[], targets: TargetValues, length: number): number {
  return sumOf(bits) / Math.max(1, bytesIn(targets, length));
}

/** Numbers of guesses whose shares of right answers are given. */
const GUESSES = [1, 3, 5] as const;

/** Figures of answers, see `described.ts`. */
export function nextTokenReport(logits: Float32Array, targets: TargetValues, size: AnswerSize): NextTokenReport {
  const { length, tokens } = size;
  const bits = sumOf(bitsOf(logits, targets, size));
  const [bytes, words] = [bytesIn(targets, length), total(targets, length, 1)];
  const right = GUESSES.map(() => 0);
  let asked = 0;
  for (const { at, id } of askedPlaces(targets, length)) {
    asked++;
    const place = rankOf(logits, at * tokens, tokens, id);
    GUESSES.forEach((guesses, i) => {
      if (place < guesses) right[i]!++;
    });
  }
  return {
    tokens: asked,
    bytes,
    words,
    bitsPerByte: bits / Math.max(1, bytes),
    perplexity: 2 ** (bits / Math.max(1, asked)),
    wordPerplexity: words === 0 ? null : Math.min(Number.MAX_VALUE, 2 ** (bits / words)),
    within: GUESSES.map((guesses, i) => ({ guesses, share: asked === 0 ? 0 : right[i]! / asked })),
  };
}

/** Number of tokens that are guessed before a token: those with a larger logit, and of equal ones those with a lower id. */
function rankOf(logits: Float32Array, from: number, tokens: number, id: number): number {
  const own = logits[from + id]!;
  let before = 0;
  for (let i = 0; i < tokens; i++) if (logits[from + i]! > own || (logits[from + i] === own && i < id)) before++;
  return before;
}
