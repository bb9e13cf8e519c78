import type { ServiceDefinition } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';

const PROTO = fileURLToPath(new URL('../../../docs/inference.proto', import.meta.url));
const OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true } as const;

let loaded: Promise<ServiceDefinition> | undefined;

/** The service of docs/inference.proto, its messages as `Message` says. */
export function inferenceService(): Promise<ServiceDefinition> {
  return (loaded ??= load(PROTO, OPTIONS).then(
    (definition) => definition['inference.GRPCInferenceService'] as ServiceDefinition,
  ));
}
