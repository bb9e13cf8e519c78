import type { ServiceDefinition } from '@grpc/grpc-js';
import { fileURLToPath } from 'node:url';

const PROTO = fileURLToPath(new URL('../../../docs/inference.proto', import.meta.url));
const OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true } as const;

let loaded: Promise<ServiceDefinition> | undefined;

/** The service of docs/inference.proto, its messages as `Message` says. */
export function grpcService(): Promise<ServiceDefinition> {
  return (loaded ??= readProto());
}

/** Loads the optional package only here: servers without gRPC import this module too. */
async function readProto(): Promise<ServiceDefinition> {
  const { load } = await import('@grpc/proto-loader');
  return (await load(PROTO, OPTIONS))['inference.GRPCInferenceService'] as ServiceDefinition;
}
