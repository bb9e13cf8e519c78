import type { InferRequest } from '../batch/queue.ts';
import type { AskedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';
import type { WireTensor } from '../types.ts';
import { checkedTensors } from '../v2/checked.ts';
import { refuseUnsupported, schedulingOf, wholeNumber } from '../v2/parameters.ts';
import { bytesFromContents } from './contents.ts';
import { decodedRequest, plainParameters } from './messages.ts';
import type { GrpcInferRequest } from './messages.ts';

/** Plain data, for it may come from another process. */
export interface ParsedMessage {
  readonly request: InferRequest;
  readonly id: string;
  /** Number of classes that an output is asked for as; 0: its values. */
  readonly classes: ReadonlyMap<string, number>;
  /** True if inputs came as bytes, in which case outputs go as bytes. */
  readonly isRaw: boolean;
}

/** `body`: the bytes of a `ModelInferRequest` for this model. */
export async function parseMessage(body: Uint8Array, model: AskedModel): Promise<ParsedMessage> {
  const message = (await decodedRequest('ModelInfer', body)) as unknown as GrpcInferRequest;
  const raw = message.raw_input_contents;
  if (raw.length > 0 && raw.length !== message.inputs.length) {
    throw new Refusal(400, `${message.inputs.length} inputs and ${raw.length} raw_input_contents`);
  }
  const inputs = message.inputs.map(({ name, datatype, shape, parameters, contents }, i) => {
    refuseUnsupported(plainParameters(parameters));
    if (raw.length > 0 && contents !== null) throw new Refusal(400, `input ${name} has contents besides raw ones`);
    const sizes = shape.map(Number);
    return {
      name,
      datatype,
      shape: sizes,
      bytes: ({ dtype }: { dtype: WireTensor['dtype'] }) =>
        raw.length > 0 ? raw[i]! : bytesFromContents(name, dtype, sizes, contents ?? {}),
    };
  });
  const classes = new Map(
    message.outputs.map(({ name, parameters }) => {
      const own = plainParameters(parameters);
      refuseUnsupported(own);
      return [name, wholeNumber(own, 'classification') ?? 0] as const;
    }),
  );
  const tensors = checkedTensors(model, inputs, [...classes.keys()]);
  const request = { ...tensors, ...schedulingOf(plainParameters(message.parameters), model) };
  return { request, id: message.id, classes, isRaw: raw.length > 0 || message.inputs.length === 0 };
}
