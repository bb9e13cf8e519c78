import { bytesOf } from '../../base/bytes.ts';
import { shown } from '../../base/errors.ts';
import { inputsOf } from '../../data/inputs.ts';
import type { TextForm } from '../../data/text/encode.ts';
import type { TensorSpec } from '../../graph/types.ts';
import { typedAs } from '../../runtime/typed.ts';
import type { Client } from '../batch/queue.ts';
import type { ModelHost } from '../host.ts';
import type { ServedModel } from '../model.ts';
import { Refusal, refuseTooMany } from '../refusal.ts';
import type { WireTensor } from '../types.ts';
import { viewOf } from '../v2/json-tensor.ts';
import { best, named } from './answers.ts';
import { describedBy, fedShape, prepared, tagsWords } from './preparation.ts';
import type { Described } from './preparation.ts';
import { pixelsOf, valuesOf } from './read.ts';
import { soundOf } from './sound.ts';
import { idsOf } from './texts.ts';
import { sentencesOf, tagged } from './words.ts';

export interface PredictCall {
  readonly contentType: string;
  readonly body: Buffer;
  /** Number of classes to name for each sample, where the client says one. */
  readonly top: number | undefined;
  readonly client: Client;
}

/**
 * `POST /v1/M`: a picture, a sound, texts, lists of words or raw values in, classes or tags out, with what the file says of its preparation and
 * its labels.
 */
export async function predict(host: ModelHost, model: ServedModel, call: PredictCall): Promise<object> {
  const described = descriptionOf(model);
  const isJson = /^application\/(.*\+)?json|^text\/|^application\/x-www-form-urlencoded|^$/i.test(call.contentType);
  const { text, targets } = described;
  if (targets !== undefined && call.top !== undefined)
    throw new Refusal(400, `top: model ${model.name} does not choose a class, and answers with all of its values`);
  if (text !== undefined && described.tags !== undefined) {
    const sentences = await sentencesOf(model, text, { ...call, isJson });
    const fed = Float32Array.from(sentences.flatMap(({ encoded }) => Array.from(encoded.ids)));
    const rows = await asked(host, model, fed, described, call.client);
    return { model: model.name, predictions: rows.map((row, i) => tagged(sentences[i]!, row, described, call.top)) };
  }
  const ids = text && isJson ? await idsOf(model, text, described.parts, call) : undefined;
  const raw = ids ?? (isJson ? valuesOf(call.body, described) : await decoded(call, described));
  if (text !== undefined && ids === undefined) refuseOtherIds(raw, text);
  const rows = await asked(host, model, raw, described, call.client);
  const one = (row: readonly number[]): object =>
    targets === undefined ? best(row, described, call.top) : { values: named(row, described) };
  return { model: model.name, predictions: rows.map(one) };
}

/** The answer of a model to each of several raw samples. */
async function asked(
  host: ModelHost,
  model: ServedModel,
  raw: Float32Array | Uint8Array,
  described: Described,
  client: Client,
): Promise<number[][]> {
  const values = prepared(raw, described);
  const samples = values.length / described.shape.reduce((product, dimension) => product * dimension, 1);
  refuseTooMany(model, samples);
  const { outputs } = model.facts;
  // scikit-learn's files give the label of the class before the probabilities.
  const output = outputs.find(({ dtype }) => dtype === 'float32' || dtype === 'float16') ?? outputs[0];
  const answer = await host.infer(model, {
    inputs: fedTo(model, values, samples, described),
    ...{ outputs: [output!.name], samples, priority: 0, client },
  });
  const { dtype, shape, bytes } = answer.outputs[0]!;
  const data = Array.from(viewOf(dtype, shape, bytes), Number);
  const width = data.length / samples;
  return Array.from({ length: samples }, (_, i) => data.slice(i * width, (i + 1) * width));
}

/** Prepared samples as the inputs of a model. */
function fedTo({ facts }: ServedModel, values: Float32Array, samples: number, described: Described): WireTensor[] {
  const { shape, parts } = described;
  const [{ name }] = facts.inputs as [TensorSpec];
  if (parts === undefined)
    return [{ name, dtype: 'float32', shape: [samples, ...fedShape(described)], bytes: bytesOf(values) }];
  const each = inputsOf(values, samples, { sampleShape: shape, inputs: parts });
  return facts.inputs.map((input) => {
    const { data, shape: own } = each[input.name]!;
    return { name: input.name, dtype: input.dtype, shape: own, bytes: bytesOf(typedAs(input.dtype, data)) };
  });
}

/** `Refusal` for numbers that are no ids of a tokenizer: a model would round them, or count negative ones from its last. */
function refuseOtherIds(values: Float32Array | Uint8Array, { vocabulary }: TextForm): void {
  const wrong = values.find((value) => !Number.isInteger(value) || value < 0 || value >= vocabulary);
  if (wrong !== undefined)
    throw new Refusal(
      400,
      `expected token ids, from 0 to ${vocabulary - 1}, received ${wrong}; or send the text itself`,
    );
}

function decoded({ contentType, body }: PredictCall, described: Described): Promise<Uint8Array> | Float32Array {
  if (/^audio\/(x-|vnd\.)?wave?/i.test(contentType)) return soundOf(body, described);
  if (/^(image\/|application\/octet-stream)/i.test(contentType)) return pixelsOf(body, described);
  const remedy = /^multipart\//i.test(contentType)
    ? ': send the file itself as the body, without a form around it'
    : '';
  throw new Refusal(
    415,
    `content-type: expected application/json, text/plain, image/png and the like, or audio/wav, received ${shown(contentType)}${remedy}`,
  );
}

/** `GET /v1/M`: what it takes and what it answers. */
export function descriptionOf(model: ServedModel): Described {
  const described = describedBy(model);
  if (described !== undefined) return described;
  const why = tagsWords(model)
    ? 'gives words tags, and its file does not say how words become its input, or answers with another shape than [batch, tokens, tags]: send token ids'
    : 'does not have exactly one float32 input of a known size, nor those that its metadata give the tokens of texts: send requests';
  throw new Refusal(400, `model ${model.name} ${why} to /v2/models/${model.name}/infer`);
}
