import type { z } from 'zod';
import type { InferRequest } from '../batch/queue.ts';
import { MODEL_VERSION } from '../model.ts';
import { jsonIn } from '../json.ts';
import type { AskedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';
import type { TensorSpec } from '../../graph/types.ts';
import { checkedTensors } from './checked.ts';
import type { GivenInput } from './checked.ts';
import { bytesFromJson } from './json-tensor.ts';
import { refuseUnsupported, schedulingOf, wholeNumber } from './parameters.ts';
import type { Parameters } from './parameters.ts';
import { inferSchema } from './schemas.ts';

/** Request of a client for one output. */
interface Wanted {
  readonly binary: boolean;
  /** The k largest as `value:index:label`; 0: the values themselves. */
  readonly classes: number;
}

/** Plain data, for it may come from another process. */
export interface ParsedRequest {
  readonly request: InferRequest;
  readonly id: string | undefined;
  readonly wanted: ReadonlyMap<string, Wanted>;
  /** Of the outputs that are not named. */
  readonly allBinary: boolean;
}

/**
 * The body of an infer request: JSON, followed by the bytes of tensors where `headerLength` says how long the JSON is (the
 * binary tensor extension). Bytes are views of the body.
 */
export function parseRequest(body: Uint8Array, headerLength: number | undefined, model: AskedModel): ParsedRequest {
  const given = jsonOf(body, headerLength);
  refuseOther('model_name', given.model_name, model.name);
  refuseOther('model_version', given.model_version, MODEL_VERSION);
  const raw = headerLength === undefined ? body.subarray(body.length) : body.subarray(headerLength);
  let at = 0;
  const inputs = given.inputs.map((input): GivenInput => {
    refuseUnsupported(input.parameters ?? {});
    const length = wholeNumber(input.parameters ?? {}, 'binary_data_size');
    if (length === undefined) {
      const bytes = ({ dtype }: TensorSpec): Uint8Array => bytesFromJson(input.name, dtype, input.shape, input.data);
      return { ...input, bytes };
    }
    if (input.data !== undefined) throw new Refusal(400, `input ${input.name} has data and binary_data_size`);
    const bytes = raw.subarray(at, at + length);
    at += length;
    return { ...input, bytes: () => bytes };
  });
  if (at !== raw.length) throw new Refusal(400, `the inputs name ${at} bytes of binary data, received ${raw.length}`);
  const outputs = given.outputs ?? [];
  const tensors = checkedTensors(
    model,
    inputs,
    outputs.map(({ name }) => name),
  );
  const own = given.parameters ?? {};
  const allBinary = own['binary_data_output'] === true;
  const byName = new Map(outputs.map((output) => [output.name, wantedOf(output.parameters ?? {}, allBinary)]));
  return {
    request: { ...tensors, ...schedulingOf(own, model) },
    id: given.id,
    wanted: byName,
    allBinary,
  };
}

function refuseOther(key: string, given: string | undefined, own: string): void {
  if (given === undefined || given === '' || given === own) return;
  throw new Refusal(
    400,
    `${key} is ${given.slice(0, 200)}, and the address is of ${own}: leave it out, or say the same`,
  );
}

function jsonOf(body: Uint8Array, headerLength: number | undefined): z.infer<typeof inferSchema> {
  if (headerLength !== undefined && headerLength > body.length) {
    throw new Refusal(400, `Inference-Header-Content-Length is ${headerLength}, the body has ${body.length} bytes`);
  }
  const value = jsonIn(body.subarray(0, headerLength ?? body.length), (why) => `the request is no JSON: ${why}`);
  const parsed = inferSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal(400, `the request is wrong at ${issue!.path.join('.') || 'its top'}: ${issue!.message}`);
}

function wantedOf(given: Parameters, allBinary: boolean): Wanted {
  refuseUnsupported(given);
  const binary = given['binary_data'];
  if (binary !== undefined && typeof binary !== 'boolean')
    throw new Refusal(400, 'parameter binary_data: expected true or false');
  return { binary: binary ?? allBinary, classes: wholeNumber(given, 'classification') ?? 0 };
}
