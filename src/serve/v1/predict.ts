import { bytesOf } from '../../base/bytes.ts';
import { inputsByName } from '../../data/inputs.ts';
import type { TensorSpec } from '../../graph/types.ts';
import { typedAs } from '../../graph/arrays.ts';
import type { Client } from '../batch/queue.ts';
import { elementsOf } from '../dtypes.ts';
import type { ModelHost } from '../host.ts';
import type { ServedModel } from '../model.ts';
import { asked } from '../reading/model.ts';
import { Refusal, refuseTooMany } from '../refusal.ts';
import type { WireTensor } from '../types.ts';
import { refuseLargeAnswer } from '../answer-size.ts';
import { saidOf } from './forms.ts';
import type { AskedOf } from './forms.ts';
import type { DescribedModel } from './described.ts';
import { isText } from './raw.ts';
import type { ReadRequest } from './raw.ts';
import { describedBy, fedShape, isScaledInItsWay, prepared, statedNames } from './preparation.ts';
import { countUnknown, unknownWords } from './unknown.ts';

export interface PredictCall extends AskedOf {
  readonly contentType: string;
  readonly body: Buffer;
  readonly client: Client;
  /** Counter of the memory that the answer takes. */
  readonly held: { readonly outputs: (outputs: readonly WireTensor[]) => void };
  /** True for vectors as base64 of their numbers in float32, little-endian. */
  readonly isBase64?: boolean;
  /** True if a word that train does not have is refused. */
  readonly isStrict?: boolean;
}

/**
 * `POST /v1/M`: a picture, a sound, texts, lists of words or raw values in, classes or tags out, with what the file says of its preparation and
 * its labels. The answer is JSON.
 */
export async function predict(host: ModelHost, model: ServedModel, call: PredictCall): Promise<Uint8Array> {
  const described = descriptionOf(model);
  const { choice, least, isVector, saysAll = false } = saidOf(described).form;
  if (choice === undefined && call.top !== undefined)
    throw new Refusal(400, `top: model ${model.name} does not choose a class, and answers with all of its values`);
  if (call.score !== undefined && least === undefined)
    throw new Refusal(400, `score: model ${model.name} does not answer with boxes`);
  if (call.isBase64 === true && isVector !== true)
    throw new Refusal(400, `encoding_format: model ${model.name} does not answer with vectors`);
  const { raw, samples, needs } = await readCall(host, model, described, call);
  const unknown = unknownIn(host, model, raw, described, call);
  const answered = await answersTo(host, model, { raw, samples }, described, call, saysAll || (call.top ?? 1) > 1);
  const { top, score, isBase64, client } = call;
  const values = valuesOf(answered);
  const said = { ...answered, needs, unknown, top, score, isBase64 };
  return host.reader.run('predictions', asked(model), said, { client, values });
}

/** `POST /v1/M/similar`: the cosine of the angle between the vectors of each two of several samples, [samples][samples]. The answer is JSON. */
export async function similar(host: ModelHost, model: ServedModel, call: PredictCall): Promise<Uint8Array> {
  const described = descriptionOf(model);
  if (saidOf(described).form.isVector !== true)
    throw new Refusal(400, `model ${model.name} does not answer with vectors, by which samples are compared`);
  const { raw, samples } = await readCall(host, model, described, call);
  unknownIn(host, model, raw, described, call);
  const answered = await answersTo(host, model, { raw, samples }, described, call, true);
  if (answered.samples < 2) throw new Refusal(400, `expected two samples or more, received ${answered.samples}`);
  return host.reader.run('similarities', asked(model), answered, { client: call.client, values: valuesOf(answered) });
}

/** A request that was read, with the number of its samples: of too many nothing else is looked at. */
async function readCall(
  { reader }: ModelHost,
  model: ServedModel,
  described: DescribedModel,
  { contentType, body, client }: PredictCall,
): Promise<ReadRequest & { readonly samples: number }> {
  const effort = !isText(contentType) ? { file: body } : described.text === undefined ? { json: body } : { text: body };
  const read = await reader.run('inputs', asked(model), { contentType, body }, { client, ...effort });
  const samples = read.raw.length / elementsOf(described.shape);
  refuseTooMany(model, samples);
  return { ...read, samples };
}

/** Columns of each sample whose word train does not have, counted; undefined without any. */
function unknownIn(
  { log }: ModelHost,
  model: ServedModel,
  raw: Float32Array | Uint8Array,
  described: DescribedModel,
  { isStrict = false }: PredictCall,
): string[][] | undefined {
  const unknown = unknownWords(raw, described);
  if (unknown !== undefined) countUnknown(model, unknown, described, { log, isStrict });
  return unknown;
}

function valuesOf({ outputs }: { readonly outputs: readonly WireTensor[] }): number {
  return outputs.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
}

/** The answers of a model to several raw samples. `isAll`: all values of an answer are written as text. */
async function answersTo(
  host: ModelHost,
  model: ServedModel,
  { raw, samples }: { readonly raw: ReadRequest['raw']; readonly samples: number },
  described: DescribedModel,
  { client, held }: PredictCall,
  isAll: boolean,
): Promise<{ readonly outputs: readonly WireTensor[]; readonly samples: number }> {
  const { outputs } = model.facts;
  // scikit-learn's files give the label of the class before the probabilities.
  const output = outputs.find(({ dtype }) => dtype === 'float32' || dtype === 'float16') ?? outputs[0];
  const wanted = (described.fields ?? [output!]).map(({ name }) => name);
  const request = { outputs: wanted, samples, priority: 0, client };
  refuseLargeAnswer(model, { ...request, inputs: [] }, isAll ? wanted : []);
  const inputs = fedTo(model, prepared(raw, described), samples, described);
  const answer = await host.infer(model, { ...request, inputs });
  held.outputs(answer.outputs);
  return { outputs: wanted.map((name) => answer.outputs.find((one) => one.name === name)!), samples };
}

/** Prepared samples as the inputs of a model. */
function fedTo({ facts }: ServedModel, values: Float32Array, samples: number, described: DescribedModel): WireTensor[] {
  const { shape, parts } = described;
  const [{ name }] = facts.inputs as [TensorSpec];
  if (parts === undefined)
    return [{ name, dtype: 'float32', shape: [samples, ...fedShape(described)], bytes: bytesOf(values) }];
  const each = inputsByName(values, samples, { sampleShape: shape, inputs: parts });
  return facts.inputs.map((input) => {
    const { data, shape: own } = each[input.name]!;
    return { name: input.name, dtype: input.dtype, shape: own, bytes: bytesOf(typedAs(input.dtype, data)) };
  });
}

/** `GET /v1/M`: what it takes and what it answers. */
export function descriptionOf(model: ServedModel): DescribedModel {
  const described = describedBy(model);
  if (described !== undefined) return described;
  const why =
    saidOf(statedNames(model)).form.needs ??
    (isScaledInItsWay(model)
      ? 'sees pictures cut out of larger ones or scaled by a filter of its own: send prepared values'
      : 'does not have exactly one float32 input of a known size, nor those that its metadata give the tokens of texts: send requests');
  throw new Refusal(400, `model ${model.name} ${why} to /v2/models/${model.name}/infer`);
}
