import { setImmediate } from 'node:timers/promises';
import { bytesOf } from '../../base/bytes.ts';
import { inputsByName } from '../../data/inputs.ts';
import type { TensorSpec } from '../../graph/types.ts';
import { typedAs } from '../../runtime/typed.ts';
import { statedForm } from '../../tasks/answer-form.ts';
import type { Client } from '../batch/queue.ts';
import type { ModelHost } from '../host.ts';
import { asked } from '../model.ts';
import type { ServedModel } from '../model.ts';
import { Refusal, refuseTooMany } from '../refusal.ts';
import type { WireTensor } from '../types.ts';
import { typedView } from '../v2/json-tensor.ts';
import { finite } from './answers.ts';
import { SAID } from './forms.ts';
import type { AskedOf } from './forms.ts';
import { describedBy, fedShape, isScaledInItsWay, prepared, statedNames } from './preparation.ts';
import type { DescribedModel } from './preparation.ts';

export interface PredictCall extends AskedOf {
  readonly contentType: string;
  readonly body: Buffer;
  readonly client: Client;
  /** True for vectors as base64 of their numbers in float32, little-endian. */
  readonly isBase64?: boolean;
}

/**
 * `POST /v1/M`: a picture, a sound, texts, lists of words or raw values in, classes or tags out, with what the file says of its preparation and
 * its labels.
 */
export async function predict(host: ModelHost, model: ServedModel, call: PredictCall): Promise<object> {
  const described = descriptionOf(model);
  const { kind, names } = statedForm(described);
  const { isChoice, isLong = false, read } = SAID[kind];
  if (!isChoice && call.top !== undefined)
    throw new Refusal(400, `top: model ${model.name} does not choose a class, and answers with all of its values`);
  if (call.score !== undefined && kind !== 'boxes')
    throw new Refusal(400, `score: model ${model.name} does not answer with boxes`);
  if (call.isBase64 === true && kind !== 'vector')
    throw new Refusal(400, `encoding_format: model ${model.name} does not answer with vectors`);
  const sent = { contentType: call.contentType, body: call.body, model: asked(model), described };
  const { raw, answerOf } = await read(host.reader, sent, { names, logits: described.logits }, call);
  const rows = await answersOf(host, model, raw, described, call.client);
  const predictions: object[] = [];
  for (const [sample, row] of rows.entries()) {
    if (isLong && sample > 0) await setImmediate();
    const answer = answerOf(row, sample);
    predictions.push(call.isBase64 === true ? { embedding: base64Of(row) } : answer);
  }
  return { model: model.name, predictions };
}

/** `POST /v1/M/similar`: the cosine of the angle between the vectors of each two of several samples, [samples][samples]. */
export async function similar(host: ModelHost, model: ServedModel, call: PredictCall): Promise<object> {
  const described = descriptionOf(model);
  const { kind } = statedForm(described);
  if (kind !== 'vector')
    throw new Refusal(400, `model ${model.name} does not answer with vectors, by which samples are compared`);
  const sent = { contentType: call.contentType, body: call.body, model: asked(model), described };
  const { raw } = await SAID[kind].read(host.reader, sent, { names: undefined, logits: false });
  const rows = await answersOf(host, model, raw, described, call.client);
  if (rows.length < 2) throw new Refusal(400, `expected two samples or more, received ${rows.length}`);
  const lengths = rows.map((row) => Math.sqrt(dot(row, row)) || 1);
  const similarities = rows.map((row, i) =>
    rows.map((other, j) => finite(dot(row, other) / (lengths[i]! * lengths[j]!))),
  );
  return { model: model.name, similarities };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function base64Of(row: readonly number[]): string {
  return Buffer.from(Float32Array.from(row).buffer).toString('base64');
}

/** The answer of a model to each of several raw samples. */
async function answersOf(
  host: ModelHost,
  model: ServedModel,
  raw: Float32Array | Uint8Array,
  described: DescribedModel,
  client: Client,
): Promise<number[][]> {
  const values = prepared(raw, described);
  const samples = values.length / described.shape.reduce((product, dimension) => product * dimension, 1);
  refuseTooMany(model, samples);
  const { outputs } = model.facts;
  // scikit-learn's files give the label of the class before the probabilities.
  const output = outputs.find(({ dtype }) => dtype === 'float32' || dtype === 'float16') ?? outputs[0];
  const wanted = (described.fields ?? [output!]).map(({ name }) => name);
  const answer = await host.infer(model, {
    inputs: fedTo(model, values, samples, described),
    ...{ outputs: wanted, samples, priority: 0, client },
  });
  const all = wanted.map((name) => {
    const { dtype, shape, bytes } = answer.outputs.find((one) => one.name === name)!;
    return Array.from(typedView(dtype, shape, bytes), Number);
  });
  return Array.from({ length: samples }, (_, i) =>
    all.flatMap((data) => data.slice((i * data.length) / samples, ((i + 1) * data.length) / samples)),
  );
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
    SAID[statedForm(statedNames(model)).kind].needs ??
    (isScaledInItsWay(model)
      ? 'sees pictures cut out of larger ones or scaled by a filter of its own: send prepared values'
      : 'does not have exactly one float32 input of a known size, nor those that its metadata give the tokens of texts: send requests');
  throw new Refusal(400, `model ${model.name} ${why} to /v2/models/${model.name}/infer`);
}
