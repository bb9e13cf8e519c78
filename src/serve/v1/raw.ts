import { shown, UserError } from '../../base/errors.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';
import type { AskedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';
import type { DescribedModel } from './described.ts';
import { pixelsOf, valuesOf } from './read.ts';
import { idsOf } from './texts.ts';
import type { Sent } from './texts.ts';
import { clip } from '../../data/sounds/clip.ts';
import { parseWav } from '../../data/sounds/wav.ts';

/** A request to `/v1/M`, as plain data. */
export interface SentTo extends Sent {
  readonly model: AskedModel;
  readonly described: DescribedModel;
}

/** A request that was read, with the values of all samples. */
export interface ReadRequest {
  readonly raw: Float32Array | Uint8Array;
  /** Plain data that the form keeps of the request for its answers. */
  readonly needs?: unknown;
}

/** True for a body of JSON or text. */
export function isText(contentType: string): boolean {
  return /^application\/(.*\+)?json|^text\/|^application\/x-www-form-urlencoded|^$/i.test(contentType);
}

export function isPicture(contentType: string): boolean {
  return /^(image\/|application\/octet-stream)/i.test(contentType);
}

/** Samples before preparation: pixels of a picture, or what other bodies say. */
export async function readSamples(sent: SentTo): Promise<ReadRequest> {
  return { raw: isPicture(sent.contentType) ? await pixelsOf(sent.body, sent.described) : await samplesOf(sent) };
}

/** Values of the samples that were sent, before preparation: numbers, token ids of texts, or a sound. */
async function samplesOf({ model, described, ...sent }: SentTo): Promise<Float32Array> {
  const { text, parts } = described;
  if (!isText(sent.contentType)) {
    const sound = decoded(sent, described);
    if (text !== undefined) refuseOtherIds(sound, text);
    return sound;
  }
  const ids = text && (await idsOf(model, text, parts, sent));
  if (ids !== undefined) return ids;
  const values = valuesOf(sent.body, described);
  if (text !== undefined) refuseOtherIds(values, text);
  return values;
}

/** `Refusal` for numbers that are no ids of a tokenizer: a model would round them, or count negative ones from its last. */
function refuseOtherIds(values: Float32Array, { vocabulary }: TextForm): void {
  const wrong = values.find((value) => !Number.isInteger(value) || value < 0 || value >= vocabulary);
  if (wrong !== undefined)
    throw new Refusal(
      400,
      `expected token ids, from 0 to ${vocabulary - 1}, received ${wrong}; or send the text itself`,
    );
}

function decoded({ contentType, body }: Sent, described: DescribedModel): Float32Array {
  if (/^audio\/(x-|vnd\.)?wave?/i.test(contentType))
    return soundOf(Buffer.from(body.buffer, body.byteOffset, body.length), described);
  const remedy = /^multipart\//i.test(contentType)
    ? ': send the file itself as the body, without a form around it'
    : '';
  throw new Refusal(
    415,
    `content-type: expected application/json, text/plain, image/png and the like, or audio/wav, received ${shown(contentType)}${remedy}`,
  );
}

/** A WAV file at the rate and of the length that the model hears, brought there as the sounds of its data were. */
function soundOf(body: Buffer, { shape, rate }: DescribedModel): Float32Array {
  if (rate === undefined) throw new Refusal(400, 'this model takes no sounds: its file does not say at which rate');
  try {
    return clip(parseWav(body, 'the sound'), { rate, seconds: shape[0]! / rate });
  } catch (error) {
    if (error instanceof UserError) throw new Refusal(400, error.message);
    throw error;
  }
}
