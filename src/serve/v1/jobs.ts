import type { ReadingModel } from '../reading/model.ts';
import type { WireTensor } from '../types.ts';
import { typedView } from '../v2/json-tensor.ts';
import { finite } from './answers.ts';
import { saidOf } from './forms.ts';
import type { AskedOf } from './forms.ts';
import { readSamples } from './raw.ts';
import type { ReadRequest } from './raw.ts';
import type { Sent } from './texts.ts';

/** Answers of a model to the samples of a request; each output is [samples, …], in the order of the fields of an answer. */
interface Answered extends AskedOf, Pick<ReadRequest, 'needs'> {
  readonly outputs: readonly WireTensor[];
  readonly samples: number;
  /** Columns of each sample with a word that train does not have. */
  readonly unknown?: readonly (readonly string[])[] | undefined;
  /** True for vectors as base64 of their numbers in float32, little-endian. */
  readonly isBase64?: boolean | undefined;
}

/** The samples of a request to `/v1/M`. `Refusal` for what is wrong with it. */
export function readInputs(model: ReadingModel, { contentType, body }: Sent): Promise<ReadRequest> {
  const described = model.described!;
  const { read = readSamples } = saidOf(described).form;
  return read({ contentType, body, model, described });
}

/** The answer to a request to `/v1/M`, as JSON. */
export function writePredictions(model: ReadingModel, answered: Answered): Uint8Array {
  const described = model.described!;
  const { form, names } = saidOf(described);
  const context = { ...answered, said: { names, logits: described.logits }, described };
  return written(model, 'predictions', answered.samples, (sample) => {
    const row = rowOf(answered, sample);
    const unknown = answered.unknown?.[sample] ?? [];
    const answer = answered.isBase64 === true ? { embedding: base64Of(row) } : form.answerOf(row, sample, context);
    return unknown.length > 0 ? { ...answer, unknown } : answer;
  });
}

/** The answer to a request to `/v1/M/similar`, as JSON. */
export function writeSimilarities(model: ReadingModel, answered: Answered): Uint8Array {
  const rows = Array.from({ length: answered.samples }, (_, sample) => rowOf(answered, sample));
  const lengths = rows.map((row) => Math.sqrt(dot(row, row)) || 1);
  return written(model, 'similarities', rows.length, (i) =>
    rows.map((other, j) => finite(dot(rows[i]!, other) / (lengths[i]! * lengths[j]!))),
  );
}

/** Letters of JSON that become bytes at a time. */
const PIECE = 2 ** 20;

/** JSON, sample by sample: the objects of one sample are in memory, not those of all. */
function written({ name }: ReadingModel, key: string, samples: number, of: (sample: number) => object): Uint8Array {
  const parts: Buffer[] = [];
  let text = `{"model":${JSON.stringify(name)},"${key}":[`;
  for (let sample = 0; sample < samples; sample++) {
    text += `${sample === 0 ? '' : ','}${JSON.stringify(of(sample))}`;
    if (text.length < PIECE) continue;
    parts.push(Buffer.from(text));
    text = '';
  }
  const last = Buffer.from(`${text}]}`);
  return parts.length === 0 ? last : Buffer.concat([...parts, last]);
}

/** The numbers that a model answers to one sample, those of several outputs one after another. */
function rowOf({ outputs, samples }: Answered, sample: number): number[] {
  const rows = outputs.map(({ dtype, shape, bytes }) => {
    const data = typedView(dtype, shape, bytes);
    return Array.from(data.subarray((sample * data.length) / samples, ((sample + 1) * data.length) / samples), Number);
  });
  return rows.length === 1 ? rows[0]! : rows.flat();
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function base64Of(row: readonly number[]): string {
  return Buffer.from(Float32Array.from(row).buffer).toString('base64');
}
