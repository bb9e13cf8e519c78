import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  Metadata,
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';
import { epochSeconds, monotonicMs } from '../../base/clock.ts';
import { UserError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { refuseStranger } from '../http/access.ts';
import type { Access } from '../http/access.ts';
import { clientOf } from '../http/rate.ts';
import type { RateLimit } from '../http/rate.ts';
import { Refusal } from '../refusal.ts';
import { calls } from './calls.ts';
import type { GrpcSite } from './calls.ts';
import { inferMessage } from './infer.ts';
import type { GrpcInferRequest, Message } from './messages.ts';

export interface GrpcOptions {
  readonly host: string;
  readonly port: number;
  readonly access: Access;
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined;
  readonly maxBody: number;
  readonly log: Log;
  readonly rate?: RateLimit | undefined;
}

export interface GrpcServer {
  readonly port: number;
  /** Answer what is here, take no more. */
  readonly close: (patienceMs: number) => Promise<void>;
}

const PROTO = fileURLToPath(new URL('../../../docs/inference.proto', import.meta.url));

/** Requests of one stream that are answered at a time; more are read when some are. */
const STREAM_MOST = 64;

export async function serveGrpc(site: GrpcSite, options: GrpcOptions): Promise<GrpcServer> {
  const definition = await load(PROTO, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true });
  const service = definition['inference.GRPCInferenceService'] as ServiceDefinition;
  const server = new Server({
    'grpc.max_receive_message_length': options.maxBody,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': 1024,
  });
  server.addService(service, implementation(site, options));
  const credentials =
    options.tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(options.tls.cert), private_key: Buffer.from(options.tls.key) },
        ]);
  const address = options.host.includes(':') ? `[${options.host}]` : options.host;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${address}:${options.port}`, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new UserError(`serve: --grpc-port ${options.port}: ${error.message}`, 'Choose another one.'));
    });
  });
  return {
    port,
    close: async (patienceMs) => {
      const timer = setTimeout(() => server.forceShutdown(), patienceMs);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(timer);
    },
  };
}

function implementation(site: GrpcSite, options: GrpcOptions): UntypedServiceImplementation {
  const unary = Object.entries(calls).map(([name, answer]): [string, UntypedHandleCall] => [
    name,
    (call: ServerUnaryCall<Message, Message>, done: sendUnaryData<Message>) => {
      const isHealth = name === 'ServerLive' || name === 'ServerReady';
      void settle(
        async () => {
          if (!isHealth) admit(options, call);
          return answer(site, call.request, { signal: signalOf(call), patienceMs: patienceOf(call) });
        },
        done,
        options.log,
      );
    },
  ]);
  const handlers: [string, UntypedHandleCall][] = [
    ...unary,
    ['ModelStreamInfer', (call: Stream) => stream(site, options, call)],
  ];
  return Object.fromEntries<UntypedHandleCall>(handlers);
}

type Stream = ServerDuplexStream<GrpcInferRequest, Message>;

/** Answers in the order of the requests; an error answers one request and leaves the stream open. */
function stream(site: GrpcSite, options: GrpcOptions, call: Stream): void {
  const signal = signalOf(call);
  let before: Promise<unknown> = Promise.resolve();
  let pending = 0;
  call.on('data', (request: GrpcInferRequest) => {
    if (++pending >= STREAM_MOST) call.pause();
    const answer = (async () => {
      admit(options, call);
      return inferMessage(site.host, request, { signal, patienceMs: patienceOf(call) });
    })().then(
      (response): Message => ({ infer_response: response }),
      (error: unknown): Message => ({
        error_message: asStatus(error, options.log).details,
        infer_response: { id: request.id },
      }),
    );
    before = before.then(async () => {
      call.write(await answer);
      if (--pending < STREAM_MOST) call.resume();
    });
  });
  call.on('end', () => void before.then(() => call.end()));
  // A client that is gone has no answers to be told of.
  call.on('error', () => undefined);
}

async function settle(answer: () => Promise<Message>, done: sendUnaryData<Message>, log: Log): Promise<void> {
  try {
    done(null, await answer());
  } catch (error) {
    done(asStatus(error, log));
  }
}

const CODES: Readonly<Record<number, number>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  404: status.NOT_FOUND,
  413: status.RESOURCE_EXHAUSTED,
  429: status.RESOURCE_EXHAUSTED,
  499: status.CANCELLED,
  503: status.UNAVAILABLE,
};

function asStatus(error: unknown, log: Log): { code: number; details: string } {
  if (error instanceof Refusal) return { code: CODES[error.status] ?? status.UNKNOWN, details: error.message };
  log.write('error', String((error as Error).stack ?? error));
  return { code: status.INTERNAL, details: 'this is a bug in limbeck serve; its log says more' };
}

/** `Refusal` for a stranger, and for one who asks too often. */
function admit({ access, rate }: GrpcOptions, call: { readonly metadata: Metadata; getPeer(): string }): void {
  const given = authorization(call.metadata);
  refuseStranger(access, given);
  rate?.take(clientOf(access, given, call.getPeer().replace(/:\d+$/, '')), monotonicMs());
}

function authorization(metadata: Metadata): string | undefined {
  const [first] = metadata.get('authorization');
  return first === undefined ? undefined : String(first);
}

function signalOf(call: { on(event: 'cancelled', listener: () => void): unknown }): AbortSignal {
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort());
  return gone.signal;
}

function patienceOf(call: { getDeadline(): Date | number }): number {
  const deadline = call.getDeadline();
  return (typeof deadline === 'number' ? deadline : deadline.getTime()) - 1000 * epochSeconds();
}
