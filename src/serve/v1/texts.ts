import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import type { InputPart } from '../../data/dataset.ts';
import { isWord } from '../../data/text/tokenizer/encode.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';
import { storedEncoder } from '../../data/text/open.ts';
import { readByTokenizer } from '../../data/text/read-by.ts';
import { PARTS } from '../../data/text/sink.ts';
import { jsonIn } from '../json.ts';
import { refuseLetters } from '../limits.ts';
import type { AskedModel } from '../model.ts';
import { Refusal, refuseTooMany, withoutFolder } from '../refusal.ts';
import { inputsIn } from './read.ts';

/** A body as it was sent. */
export interface Sent {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** The encoders that `open` makes of what a file says and what lies in its folder, each opened once and kept as long as its model is loaded. */
export function encodersBy<T>(open: (form: TextForm, folder: string) => Promise<T>) {
  const opened = new Map<string, { readonly key: string; readonly encoder: Promise<T> }>();
  return async ({ name, key, file }: AskedModel, form: TextForm): Promise<T> => {
    let held = opened.get(file);
    if (held?.key !== key) opened.set(file, (held = { key, encoder: open(form, path.dirname(path.resolve(file))) }));
    try {
      return await held.encoder;
    } catch (error) {
      // The files beside the model may be right the next time.
      opened.delete(file);
      if (!(error instanceof UserError)) throw error;
      throw new Refusal(500, withoutFolder(`model ${name} cannot read texts: ${error.message}`, file));
    }
  };
}

/** The tokenizer of a model: tokenizer.json beside its file, where it has one. */
const encoderOf = encodersBy(storedEncoder);

/**
 * Texts as token ids, one sample behind the other; of a model of several inputs each has the parts of these. Undefined for a body of numbers,
 * which are ids already.
 */
export async function idsOf(
  model: AskedModel,
  text: TextForm,
  parts: readonly InputPart[] | undefined,
  sent: Sent,
): Promise<Float32Array | undefined> {
  const samples = samplesIn(model, sent, text);
  if (samples === undefined) return undefined;
  const encode = await encoderOf(model, text);
  // An only input takes ids, whatever its name is.
  const several = parts !== undefined && parts.length > 1 ? parts : [{ name: 'input_ids' }];
  const named = several.map(({ name }) => PARTS[name as keyof typeof PARTS]);
  const out = new Float32Array(samples.length * named.length * text.length);
  samples.forEach((sample, i) => {
    const encoded = readOrRefuse('text', i, () => encode(sample));
    named.forEach((part, at) => out.set(encoded[part], (i * named.length + at) * text.length));
  });
  return out;
}

/** The result of `read`; a text that a tokenizer has no ids for is the fault of who sent it. */
export function readOrRefuse<T>(what: 'text' | 'words', sample: number, read: () => T): T {
  try {
    return readByTokenizer(what, () => `sample ${sample}`, read);
  } catch (error) {
    if (error instanceof UserError) throw new Refusal(400, error.message);
    throw error;
  }
}

function samplesIn(
  model: AskedModel,
  sent: Sent,
  { texts, length }: TextForm,
): readonly (readonly string[])[] | undefined {
  const { isPlain, values } = contentOfBody(sent);
  const expected =
    texts === 1
      ? 'a text, or an array of texts'
      : 'a pair of texts, as in {"inputs": [["first", "second"]]}, or an array of pairs';
  if (isPlain && texts === 2) throw new Refusal(400, `expected ${expected}, received one text`);
  if (holdsNumbers(values)) return undefined;
  const list = listIn(values, expected);
  // One pair may stand alone.
  const isPair = texts === 2 && list.every((one) => typeof one === 'string');
  const samples: unknown[][] = isPair ? [[...list]] : list.map((one): unknown[] => (Array.isArray(one) ? one : [one]));
  refuseTooMany(model, samples.length);
  return samples.map((sample, i) => {
    if (sample.length === texts && sample.every((one): one is string => typeof one === 'string')) {
      refuseLetters(model.limits, length, i, lettersOf(sample));
      return checked(sample);
    }
    throw new Refusal(400, `expected ${expected}, received ${JSON.stringify(sample).slice(0, 80)}`);
  });
}

/** `inputs` of a body, or all of it where it is no object; of a body of content type text/plain the text. */
export function contentOfBody({ contentType, body }: Sent): { readonly isPlain: boolean; readonly values: unknown } {
  const content = decoded(body);
  if (/^text\/plain/i.test(contentType)) return { isPlain: true, values: content };
  const given = jsonIn(
    body,
    () => 'the body is no JSON; send {"inputs": "a text"}, or a text with content-type text/plain',
  );
  return { isPlain: false, values: inputsIn(given) };
}

/** The samples of what was sent, of which a text may stand alone. */
export function listIn(values: unknown, expected: string): readonly unknown[] {
  const list = typeof values === 'string' ? [values] : values;
  if (Array.isArray(list) && list.length > 0) return list as readonly unknown[];
  throw new Refusal(400, `expected ${expected}, received none`);
}

export function holdsNumbers(values: unknown): boolean {
  return Array.isArray(values) ? holdsNumbers(values[0]) : typeof values === 'number';
}

export function lettersOf(texts: readonly string[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0);
}

function decoded(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new Refusal(400, 'the body is no UTF-8');
  }
}

function checked(sample: readonly string[]): readonly string[] {
  if (sample.every(isWord)) return sample;
  throw new Refusal(400, 'the text is empty');
}
