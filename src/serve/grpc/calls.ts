import type { ModelHost } from '../host.ts';
import { Refusal } from '../refusal.ts';
import { modelConfig, modelMetadata, modelStatistics, serverMetadata } from '../v2/describe.ts';
import type { Message } from './messages.ts';

export interface GrpcSite {
  readonly host: ModelHost;
  readonly version: string;
  readonly device: string;
  readonly maxJson: number;
}

/** `gone`: aborted when the client is. */
type Answer = (site: GrpcSite, request: Message, gone: AbortSignal) => Promise<Message> | Message;

/** The calls of the service that have one request and one answer, besides `ModelInfer`. */
export const calls: Readonly<Record<string, Answer>> = {
  ServerLive: () => ({ live: true }),
  ServerReady: ({ host }) => ({ ready: host.isReady }),
  // A model that is not there is not ready, which clients ask after they unload one.
  ModelReady: ({ host }, { name, version }) => ({ ready: host.isReady && host.has(String(name), String(version)) }),
  ServerMetadata: ({ version }) => serverMetadata(version),
  ModelMetadata: ({ host }, request) => modelMetadata(named(host, request)),
  ModelConfig: ({ host, device }, request) => ({
    config: modelConfig(named(host, request), { workers: host.pool.workers.length, device }),
  }),
  ModelStatistics: ({ host }, request) => ({
    model_stats: (request['name'] === '' ? host.models : [named(host, request)]).map(modelStatistics),
  }),
  RepositoryIndex: async ({ host }, request) => ({
    models: (await host.index()).filter(({ state }) => request['ready'] !== true || state === 'READY'),
  }),
  RepositoryModelLoad: async ({ host }, request, gone) => {
    refuseParameters(request);
    await host.load(String(request['model_name']), gone);
    return {};
  },
  RepositoryModelUnload: async ({ host }, request, gone) => {
    refuseParameters(request);
    await host.unload(String(request['model_name']), gone);
    return {};
  },
};

function named(host: ModelHost, { name, version }: Message) {
  return host.model(String(name), version === '' ? undefined : String(version));
}

function refuseParameters({ parameters }: Message): void {
  const [first] = Object.keys(parameters ?? {}).filter((key) => key !== 'unload_dependents');
  if (first === undefined) return;
  throw new Refusal(400, `parameter ${first}: a model is loaded from its file, with the options of the server`);
}
