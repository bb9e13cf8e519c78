import { datatypeOf } from '../dtypes.ts';
import { MODEL_VERSION } from '../model.ts';
import type { ReadingModel } from '../reading/model.ts';
import type { WireTensor } from '../types.ts';
import { bytesOfTexts, classified } from '../v2/classification.ts';
import { contentsOf } from './contents.ts';
import type { Message } from './messages.ts';
import type { ParsedMessage } from './parse.ts';
import { grpcService } from './service.ts';

/** An answer and how it was asked for. */
export interface ReplyJob extends Pick<ParsedMessage, 'id' | 'classes' | 'isRaw'> {
  readonly outputs: readonly WireTensor[];
  /** True for an answer of a stream. */
  readonly isOfStream: boolean;
}

/** The bytes of a `ModelInferResponse`, or of a `ModelStreamInferResponse`. Outputs go raw where the inputs came so: what a client sends it can read. */
export async function writeReply(model: ReadingModel, { outputs, isOfStream, ...how }: ReplyJob): Promise<Uint8Array> {
  const service = await grpcService();
  const message = messageOf(model, outputs, how);
  if (isOfStream) return service['ModelStreamInfer']!.responseSerialize({ infer_response: message });
  return service['ModelInfer']!.responseSerialize(message);
}

function messageOf(
  model: ReadingModel,
  outputs: readonly WireTensor[],
  { id, classes, isRaw }: Omit<ReplyJob, 'outputs' | 'isOfStream'>,
): Message {
  const parts = outputs.map((output) => {
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
    model_name: model.name,
    model_version: MODEL_VERSION,
    id,
    outputs: parts.map(({ head }) => head),
    raw_output_contents: isRaw ? parts.map(({ bytes }) => bytes) : [],
  };
}
