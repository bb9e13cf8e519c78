import { datatypeOf } from '../dtypes.ts';
import { VERSION } from '../host.ts';
import type { ModelHost } from '../host.ts';
import { Refusal } from '../refusal.ts';
import type { WireTensor } from '../types.ts';
import { checkedTensors } from '../v2/checked.ts';
import { bytesOfTexts, classified } from '../v2/classification.ts';
import { refuseUnsupported, schedulingOf, wholeNumber } from '../v2/parameters.ts';
import { bytesFromContents, contentsOf } from './contents.ts';
import { plain } from './messages.ts';
import type { GrpcInferRequest, Message } from './messages.ts';

export interface InferCall {
  readonly signal: AbortSignal;
  /** Milliseconds that the client waits at most. */
  readonly patienceMs: number;
}

/** Answers come raw where the inputs did, else as typed contents: what a client sends it can read. */
export async function inferMessage(host: ModelHost, given: GrpcInferRequest, call: InferCall): Promise<Message> {
  const model = host.model(given.model_name, given.model_version === '' ? undefined : given.model_version);
  const raw = given.raw_input_contents;
  if (raw.length > 0 && raw.length !== given.inputs.length) {
    throw new Refusal(400, `${given.inputs.length} inputs and ${raw.length} raw_input_contents`);
  }
  const inputs = given.inputs.map(({ name, datatype, shape, parameters, contents }, i) => {
    refuseUnsupported(plain(parameters));
    if (raw.length > 0 && contents !== null) throw new Refusal(400, `input ${name} has contents besides raw ones`);
    const sizes = shape.map(Number);
    return {
      ...{ name, datatype, shape: sizes },
      bytes: ({ dtype }: { dtype: WireTensor['dtype'] }) =>
        raw.length > 0 ? raw[i]! : bytesFromContents(name, dtype, sizes, contents ?? {}),
    };
  });
  const classes = new Map(
    given.outputs.map(({ name, parameters }) => {
      const own = plain(parameters);
      refuseUnsupported(own);
      return [name, wholeNumber(own, 'classification') ?? 0] as const;
    }),
  );
  const tensors = checkedTensors(model, inputs, [...classes.keys()]);
  const scheduling = schedulingOf(plain(given.parameters), model);
  const timeoutMs = Math.min(call.patienceMs, scheduling.timeoutMs ?? model.options.maxLatencyMs ?? Infinity);
  const answer = await host.infer(model, { ...tensors, ...scheduling, timeoutMs, client: call.signal });
  const isRaw = raw.length > 0 || given.inputs.length === 0;
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
    ...{ model_name: model.name, model_version: VERSION, id: given.id },
    outputs: parts.map(({ head }) => head),
    raw_output_contents: isRaw ? parts.map(({ bytes }) => bytes) : [],
  };
}
