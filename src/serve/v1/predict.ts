import { bytesOf } from '../../base/bytes.ts';
import type { Client } from '../batch/queue.ts';
import type { ModelHost } from '../host.ts';
import type { ServedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';
import { viewOf } from '../v2/json-tensor.ts';
import { describedBy, fedShape, prepared, tagsWords } from './preparation.ts';
import type { Described } from './preparation.ts';
import { pixelsOf, valuesOf } from './read.ts';
import { soundOf } from './sound.ts';
import { idsOf } from './texts.ts';

export interface PredictCall {
  readonly contentType: string;
  readonly body: Buffer;
  /** Number of classes to name for each sample. */
  readonly top: number;
  readonly client: Client;
}

interface Class {
  readonly index: number;
  readonly label?: string;
  /** Share of a class, where the file says that its answers are logits; otherwise `score` has the value itself. */
  readonly probability?: number;
  readonly score?: number;
}

/** `POST /v1/M`: a picture, a sound, texts or raw values in, classes out, with what the file says of its preparation and its labels. */
export async function predict(host: ModelHost, model: ServedModel, call: PredictCall): Promise<object> {
  const described = descriptionOf(model);
  const isJson = /^application\/(.*\+)?json|^text\/|^application\/x-www-form-urlencoded|^$/i.test(call.contentType);
  const ids = described.text && isJson ? await idsOf(model, described.text, call) : undefined;
  const raw = ids ?? (isJson ? valuesOf(call.body, described) : await decoded(call, described));
  const values = prepared(raw, described);
  const size = described.shape.reduce((product, dimension) => product * dimension, 1);
  const samples = values.length / size;
  if (samples > model.options.maxBatch) {
    throw new Refusal(
      400,
      `model ${model.name} takes up to ${model.options.maxBatch} samples in a request, received ${samples}`,
    );
  }
  const { name } = model.facts.inputs[0]!;
  const [output] = model.facts.outputs;
  const answer = await host.infer(model, {
    inputs: [{ name, dtype: 'float32', shape: [samples, ...fedShape(described)], bytes: bytesOf(values) }],
    ...{ outputs: [output!.name], samples, priority: 0, client: call.client },
  });
  const { dtype, shape, bytes } = answer.outputs[0]!;
  const data = Array.from(viewOf(dtype, shape, bytes), Number);
  const classes = data.length / samples;
  const rows = Array.from({ length: samples }, (_, i) => data.slice(i * classes, (i + 1) * classes));
  const one = (row: readonly number[]): object =>
    described.targets === undefined ? best(row, described, call.top) : { values: named(row, described) };
  return { model: model.name, predictions: rows.map(one) };
}

function decoded({ contentType, body }: PredictCall, described: Described): Promise<Uint8Array> | Float32Array {
  const isSound = /^audio\/(x-|vnd\.)?wave?/i.test(contentType);
  return isSound ? soundOf(body, described) : pixelsOf(body, described);
}

/** `GET /v1/M`: what it takes and what it answers. */
export function descriptionOf(model: ServedModel): Described {
  const described = describedBy(model);
  if (described !== undefined) return described;
  if (tagsWords(model))
    throw new Refusal(
      400,
      `model ${model.name} gives each word of a sentence a tag, which /v1 does not support: send token ids to /v2/models/${model.name}/infer`,
    );
  throw new Refusal(
    400,
    `model ${model.name} does not have exactly one float32 input of a known size: send requests to /v2/models/${model.name}/infer`,
  );
}

function best(row: readonly number[], { labels, logits }: Described, top: number): Class & { top?: Class[] } {
  const values = logits ? softmax(row) : row;
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
  const classes = order.slice(0, Math.max(1, top)).map((index): Class => {
    const label = labels?.length === row.length ? { label: labels[index]! } : {};
    return { index, ...label, ...(logits ? { probability: values[index]! } : { score: values[index]! }) };
  });
  return { ...classes[0]!, ...(top > 1 && { top: classes }) };
}

/** All of what is answered, by name: the probability of each label, or the number. */
function named(row: readonly number[], { targets, logits }: Described): Class[] {
  return row.map((value, index): Class => {
    const label = targets?.length === row.length ? { label: targets[index]! } : {};
    return { index, ...label, ...(logits ? { probability: 1 / (1 + Math.exp(-value)) } : { score: value }) };
  });
}

function softmax(row: readonly number[]): number[] {
  const largest = Math.max(...row);
  const exponents = row.map((value) => Math.exp(value - largest));
  const sum = exponents.reduce((total, value) => total + value, 0);
  return exponents.map((value) => value / sum);
}
