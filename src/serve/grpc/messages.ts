import { Refusal } from '../refusal.ts';
import { grpcService } from './service.ts';

/** Messages of docs/inference.proto as the loader gives them: 64-bit numbers as text, bytes as Buffers. */
export type Message = Readonly<Record<string, unknown>>;

export interface GrpcParameter {
  /** The name of the one field that is set. */
  readonly parameter_choice?: string;
  readonly [field: string]: unknown;
}

interface GrpcTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly string[];
  readonly parameters: Readonly<Record<string, GrpcParameter>>;
  readonly contents: Readonly<Record<string, readonly unknown[]>> | null;
}

export interface GrpcInferRequest {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly parameters: Readonly<Record<string, GrpcParameter>>;
  readonly inputs: readonly GrpcTensor[];
  readonly outputs: readonly Pick<GrpcTensor, 'name' | 'parameters'>[];
  readonly raw_input_contents: readonly Buffer[];
}

/** Parameters as plain values. */
export function plainParameters(parameters: Readonly<Record<string, GrpcParameter>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([key, value]) => {
      if (value.parameter_choice === undefined) throw new Refusal(400, `parameter ${key} has no value`);
      return [key, value[value.parameter_choice]];
    }),
  );
}

/** The request of a call, decoded. `Refusal` for bytes that are none. */
export async function decodedRequest(call: string, bytes: Uint8Array): Promise<Message> {
  const method = (await grpcService())[call]!;
  try {
    return method.requestDeserialize(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)) as Message;
  } catch (error) {
    throw new Refusal(400, `the message is no ${call}Request: ${(error as Error).message}`);
  }
}
