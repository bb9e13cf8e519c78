import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import type { Encoder, TextForm } from '../../data/text/encode.ts';
import { storedEncoder } from '../../data/text/open.ts';
import type { ServedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';

const opened = new WeakMap<ServedModel, Promise<Encoder>>();

/** The tokenizer of a model: tokenizer.json beside its file, where it has one. */
async function encoderOf(model: ServedModel, text: TextForm): Promise<Encoder> {
  let encoder = opened.get(model);
  if (encoder === undefined) opened.set(model, (encoder = storedEncoder(text, path.dirname(path.resolve(model.file)))));
  try {
    return await encoder;
  } catch (error) {
    // What lies beside the file may be right the next time.
    opened.delete(model);
    if (!(error instanceof UserError)) throw error;
    throw new Refusal(500, `model ${model.name} cannot read texts: ${error.message}`);
  }
}

/** Texts as token ids, one sample behind the other. Undefined for a body of numbers, which are ids already. */
export async function idsOf(
  model: ServedModel,
  text: TextForm,
  { contentType, body }: { readonly contentType: string; readonly body: Buffer },
): Promise<Float32Array | undefined> {
  const samples = samplesIn(body, contentType, text.texts);
  if (samples === undefined) return undefined;
  const encode = await encoderOf(model, text);
  const out = new Float32Array(samples.length * text.length);
  samples.forEach((sample, i) => out.set(encode(sample).ids, i * text.length));
  return out;
}

function samplesIn(body: Buffer, contentType: string, texts: 1 | 2): readonly (readonly string[])[] | undefined {
  const content = decoded(body);
  const expected =
    texts === 1
      ? 'a text, or an array of texts'
      : 'a pair of texts, as in {"inputs": [["first", "second"]]}, or an array of pairs';
  if (/^text\/plain/i.test(contentType)) {
    if (texts === 2) throw new Refusal(400, `expected ${expected}, received one text`);
    return [checked([content])];
  }
  let given: unknown;
  try {
    given = JSON.parse(content);
  } catch {
    throw new Refusal(400, 'the body is no JSON; send {"inputs": "a text"}, or a text with content-type text/plain');
  }
  const values: unknown =
    typeof given === 'object' && given !== null && !Array.isArray(given)
      ? (given as { inputs?: unknown }).inputs
      : given;
  if (holdsNumbers(values)) return undefined;
  const list = typeof values === 'string' ? [values] : values;
  if (!Array.isArray(list) || list.length === 0) throw new Refusal(400, `expected ${expected}, received none`);
  // One pair may stand alone.
  const isPair = texts === 2 && list.every((one) => typeof one === 'string');
  const samples: unknown[][] = isPair ? [list] : list.map((one): unknown[] => (Array.isArray(one) ? one : [one]));
  return samples.map((sample) => {
    if (sample.length === texts && sample.every((one): one is string => typeof one === 'string'))
      return checked(sample);
    throw new Refusal(400, `expected ${expected}, received ${JSON.stringify(sample).slice(0, 80)}`);
  });
}

function holdsNumbers(values: unknown): boolean {
  return Array.isArray(values) ? holdsNumbers(values[0]) : typeof values === 'number';
}

function decoded(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new Refusal(400, 'the body is no UTF-8');
  }
}

function checked(sample: readonly string[]): readonly string[] {
  if (sample.every((text) => /[^\p{White_Space}\0]/u.test(text))) return sample;
  throw new Refusal(400, 'the text is empty');
}
