import { datatypeOf } from '../dtypes.ts';
import { MODEL_VERSION } from '../model.ts';
import type { ModelHost } from '../host.ts';
import { asked } from '../model.ts';
import { bytesOfTexts, classified } from '../v2/classification.ts';
import { contentsOf } from './contents.ts';
import type { Glance } from './glance.ts';
import type { Message } from './messages.ts';

export interface InferCall {
  readonly signal: AbortSignal;
  /** Milliseconds that the client waits at most. */
  readonly patienceMs: number;
}

/** Answers come raw where the inputs did, else as typed contents: what a client sends it can read. */
export async function inferMessage(
  host: ModelHost,
  body: Uint8Array,
  { name, version, typedBytes }: Glance,
  call: InferCall,
): Promise<Message> {
  const model = host.model(name, version === '' ? undefined : version);
  const { request, id, classes, isRaw } = await host.reader.read('message', { body, model: asked(model) }, typedBytes);
  const timeoutMs = Math.min(call.patienceMs, request.timeoutMs ?? model.options.maxLatencyMs ?? Infinity);
  const answer = await host.infer(model, { ...request, timeoutMs, client: call.signal });
  const parts = answer.outputs.map((output) => {
    const k = classes.get(output.name) ?? 0;
    if (k === 0) {
      const head = { name: output.name, datatype: datatypeOf(output.dtype), shape: output.shape };
      return isRaw ? { head, bytes: output.bytes } : { head: { ...head, contents: contentsOf(output) } };
    }
    const { shape, values } = classified(model, output, k);
    const head = { name: output.name, datatype: 'BYTES', shape };
    if (isRaw) return { head, bytes: bytesOfTexts(values) };
    return { head: { ...head, contents: { bytes_contents: values.map((text) => Buffer.from(text)) } } };
  });
  return {
    ...{ model_name: model.name, model_version: MODEL_VERSION, id },
    outputs: parts.map(({ head }) => head),
    raw_output_contents: isRaw ? parts.map(({ bytes }) => bytes) : [],
  };
}
