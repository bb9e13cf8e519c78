import { UserError } from '../../base/errors.ts';
import { storedTokenizer } from '../../data/text/open.ts';
import { tokenizerFor } from '../../data/text/tokenizer/encode.ts';
import { statedText } from '../../files/stated.ts';
import { decodeModel, onnxContent } from '../../formats/onnx/protobuf.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';
import type { Model } from '../../formats/onnx/model.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session-options.ts';
import { pastName, withCache } from './cache/graph.ts';
import { decoderParts, isDecoder } from './cache/parts.ts';
import { CachedReader } from './cache/reader.ts';
import { chooser } from './choose.ts';
import type { Choice } from './choose.ts';
import { detokenizerOf } from './detokenize.ts';
import type { Detokenizer } from './detokenize.ts';
import { wholeReader } from './whole-reader.ts';
import type { TokenReader } from './whole-reader.ts';
import { wordsBehind } from './words.ts';
import type { ProposedWord } from './words.ts';

interface Completing extends Choice {
  /** Largest number of tokens. */
  readonly maxTokens: number;
  /** Texts before the first of which the completion ends. */
  readonly stop?: readonly string[];
}

/** Part of a completion: text that the tokens so far add, and at last the reason of the end. */
interface CompletionPart {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly finish?: 'stop' | 'length';
}

/** Writes on behind a text, by a file and the tokenizer.json that belongs to it. */
export interface Completer {
  /** True if the file is read with a cache of keys and values. */
  readonly isCached: boolean;
  /** Tokens of a text, with the end of another text before them. */
  readonly tokensOf: (text: string) => number[];
  /**
   * A part of text for each token, which is empty while a text of `stop` or a character may not be whole. The end of a text, and texts of `stop`, are not
   * among them. Of the prompt the last tokens are read, as many as a sequence has. Several may be written at a time.
   */
  readonly complete: (text: string, options: Completing) => Generator<CompletionPart, void, undefined>;
  /** The likeliest words at the end of a text, or behind it. */
  readonly words: (text: string, count: number) => ProposedWord[];
  readonly dispose: () => void;
}

/** Opens a file that says which token comes next. `folder`: of its tokenizer.json. `UserError` for other files, and for unsupported tokenizers. */
export async function openCompleter(
  content: OnnxContent,
  file: string,
  folder: string,
  session: SessionOptions,
): Promise<Completer> {
  const model = decodeModel(content, file);
  const form = statedText(model.metadata);
  if (form === undefined || model.metadata.get('task') !== 'next-token')
    throw new UserError(
      `${file}: does not say which token comes next`,
      'Name an ONNX file of a run with task: next-token.',
    );
  const json = await storedTokenizer(form, folder);
  const tokenizer = tokenizerFor(form, json);
  const detokenize = detokenizerIn(file, json);
  const { reader, isCached } = readerOf(model, content, file, session);
  const end = form.padding;
  const tokensOf = (text: string): number[] => [end, ...tokenizer.ids(text, false)];
  const promptOf = (text: string): number[] => tokensOf(text).slice(-form.length);
  return {
    isCached,
    tokensOf,
    complete: (text, options) => completed(reader.fork(), promptOf(text), { ...options, end, detokenize }),
    words: (text, count) => wordsBehind(text, count, { reader, tokensOf, detokenize, end }),
    dispose: () => reader.dispose(),
  };
}

function readerOf(
  model: Model,
  content: OnnxContent,
  file: string,
  session: SessionOptions,
): { readonly reader: TokenReader; readonly isCached: boolean } {
  const form = statedText(model.metadata)!;
  const past = model.graph.inputs.filter(({ name }) => name.startsWith('past_key_values.'));
  const dims = past.find(({ name }) => name === pastName(0, 'key'))?.dims;
  if (dims !== undefined) {
    const sizes = {
      layers: past.length / 2,
      groups: Number(dims[1]),
      depth: Number(dims[3]),
      length: form.length,
      end: form.padding,
    };
    return { reader: CachedReader.open(content, file, sizes, session), isCached: true };
  }
  if (isDecoder(model)) {
    const parts = decoderParts(model, file);
    return { reader: CachedReader.open(onnxContent(withCache(model, parts)), file, parts, session), isCached: true };
  }
  return { reader: wholeReader(new InferenceModel(content, file, session), form), isCached: false };
}

function detokenizerIn(file: string, json: Parameters<typeof detokenizerOf>[0]): Detokenizer {
  try {
    return detokenizerOf(json);
  } catch (error) {
    throw new UserError(
      `${file}: ${(error as Error).message}`,
      'Give the tokenizer a decoder among ByteLevel, Metaspace, WordPiece, BPEDecoder, ByteFallback, Fuse, Replace, Strip and a Sequence of them.',
      { cause: error },
    );
  }
}

interface Written extends Completing {
  readonly end: number;
  readonly detokenize: Detokenizer;
}

function* completed(
  reader: TokenReader,
  prompt: readonly number[],
  { maxTokens, stop = [], end, detokenize, ...choice }: Written,
): Generator<CompletionPart, void, undefined> {
  const choose = chooser(choice);
  const before = detokenize(prompt).length;
  const tokens: number[] = [];
  let sent = 0;
  let text = '';
  const upTo = (length: number): string => {
    const part = text.slice(sent, length);
    sent = Math.max(sent, length);
    return part;
  };
  // A text of `stop` may begin at the end of what is known, and a character may lack bytes.
  const margin = Math.max(0, ...stop.map((one) => one.length - 1));
  while (tokens.length < maxTokens) {
    const id = choose(reader.logits([...prompt, ...tokens]));
    if (id === end) {
      yield { text: upTo(text.length), tokens: [...tokens], finish: 'stop' };
      return;
    }
    tokens.push(id);
    text = detokenize([...prompt, ...tokens]).slice(before);
    const stops = stop.map((one) => text.indexOf(one)).filter((at) => at >= 0);
    if (stops.length > 0) {
      yield { text: upTo(Math.min(...stops)), tokens: [...tokens], finish: 'stop' };
      return;
    }
    if (tokens.length === maxTokens) break;
    const whole = text.replace(/\uFFFD+$/, '').length;
    const part = upTo(Math.min(whole, text.length - margin));
    yield { text: part, tokens: [...tokens] };
  }
  yield { text: upTo(text.length), tokens: [...tokens], finish: 'length' };
}
