import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { epochSeconds } from '../../base/clock.ts';
import { UserError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Tls } from '../http/tls.ts';
import { Refusal } from '../refusal.ts';
import { admission, admit, statusOf } from './admission.ts';
import type { AdmissionOptions, Received } from './admission.ts';
import { calls } from './calls.ts';
import type { GrpcSite } from './calls.ts';
import { glance } from './glance.ts';
import { inferMessage } from './infer.ts';
import { decodedRequest } from './messages.ts';
import type { Message } from './messages.ts';
import { grpcService } from './service.ts';
import { Sessions } from './sessions.ts';
import type { SessionLimits } from './sessions.ts';

export interface GrpcOptions extends Omit<AdmissionOptions, 'maxUnpacked' | 'sessions'>, SessionLimits {
  readonly host: string;
  readonly port: number;
  readonly tls?: Tls | undefined;
  readonly log: Log;
}

export interface GrpcServer {
  readonly port: number;
  /** Answer what is here, take no more. */
  readonly close: (patienceMs: number) => Promise<void>;
}

/** Bytes that an answer without tensors is counted as, so that it is not waited for without an end. */
const LITTLE = 2 ** 10;
/** Calls at a time on a connection. All that come at once are begun one after another, and health waits for them. */
const MOST_CALLS = 256;
/** Requests of one stream that are answered at a time; more are read when some are. */
const STREAM_MOST = 64;
/** Milliseconds after which a connection without a call is closed. */
const IDLE_MS = 300_000;

export async function serveGrpc(site: GrpcSite, options: GrpcOptions): Promise<GrpcServer> {
  const sessions = new Sessions(options);
  const server = new Server({
    'grpc.max_receive_message_length': options.maxBody,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': MOST_CALLS,
    'grpc.max_connection_idle_ms': IDLE_MS,
    interceptors: [admission({ ...options, sessions, maxUnpacked: Math.min(options.maxBody, site.maxJson) })],
  });
  server.addService(undecoded(await grpcService()), implementation(site, options));
  const credentials =
    options.tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: options.tls.cert, private_key: options.tls.key }]);
  const address = options.host.includes(':') ? `[${options.host}]` : options.host;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${address}:${options.port}`, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new UserError(`serve: --grpc-port ${options.port}: ${error.message}`, 'Choose another one.'));
    });
  });
  sessions.watch(server);
  return {
    port,
    close: async (patienceMs) => {
      const timer = setTimeout(() => server.forceShutdown(), patienceMs);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(timer);
    },
  };
}

/** The service with requests as bytes: how much there is to decode is looked at first. Answers may be bytes. */
function undecoded(service: ServiceDefinition): ServiceDefinition {
  const same = (bytes: Buffer): Buffer => bytes;
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => {
      const responseSerialize = (answer: Answer): Buffer =>
        answer instanceof Uint8Array ? bufferOf(answer) : method.responseSerialize(answer);
      return [name, { ...method, requestDeserialize: same, responseSerialize }];
    }),
  );
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function implementation(site: GrpcSite, options: GrpcOptions): UntypedServiceImplementation {
  const unary = Object.entries(calls).map(([name, answer]): [string, UntypedHandleCall] => [
    name,
    (call: Unary, done: sendUnaryData<Answer>) => {
      const gone = signalOf(call);
      const { bytes, held } = call.request;
      const answered = async (): Promise<Message> => {
        const message = await answer(site, await decodedRequest(name, bytes), gone);
        held.left(LITTLE);
        return message;
      };
      void settle(answered, done, options.log);
    },
  ]);
  const infer = (call: Unary, done: sendUnaryData<Answer>): void => {
    const { bytes, held } = call.request;
    const asked = { signal: signalOf(call), patienceMs: patienceOf(call), isOfStream: false, held };
    void settle(async () => inferMessage(site.host, bytes, glance(bytes, site.maxJson), asked), done, options.log);
  };
  const handlers: [string, UntypedHandleCall][] = [
    ...unary,
    ['ModelInfer', infer],
    ['ModelStreamInfer', (call: Stream) => stream(site, options, call)],
  ];
  return Object.fromEntries<UntypedHandleCall>(handlers);
}

/** Messages, or their bytes where they were written elsewhere. */
type Answer = Message | Uint8Array;
type Unary = ServerUnaryCall<Received, Answer>;
type Stream = ServerDuplexStream<Received, Answer>;

/** Answers in the order of the requests; an error answers one request and leaves the stream open. */
function stream(site: GrpcSite, options: GrpcOptions, call: Stream): void {
  const signal = signalOf(call);
  let before: Promise<unknown> = Promise.resolve();
  let pending = 0;
  let isFirst = true;
  call.on('data', ({ bytes, held, done }: Received) => {
    if (++pending >= STREAM_MOST) call.pause();
    // The call itself was counted as the first one.
    const isCounted = isFirst;
    isFirst = false;
    let id = '';
    const answer = (async () => {
      if (!isCounted) admit(options.access, call.metadata, call);
      const glanced = glance(bytes, site.maxJson);
      id = glanced.id;
      return inferMessage(site.host, bytes, glanced, { signal, patienceMs: patienceOf(call), isOfStream: true, held });
    })().catch((error: unknown): Message => ({
      error_message: asStatus(error, options.log).details,
      infer_response: { id },
    }));
    before = before.then(async () => {
      // A client that does not read its answers gets no more of them: nothing else would bound those that wait.
      if (!call.write(await answer)) await new Promise((resolve) => call.once('drain', resolve));
      done();
      if (--pending < STREAM_MOST) call.resume();
    });
  });
  call.on('end', () => void before.then(() => call.end()));
  // A client that is gone has no answers to be told of.
  call.on('error', () => undefined);
}

async function settle(answer: () => Promise<Answer>, done: sendUnaryData<Answer>, log: Log): Promise<void> {
  try {
    done(null, await answer());
  } catch (error) {
    done(asStatus(error, log));
  }
}

function asStatus(error: unknown, log: Log): { code: status; details: string } {
  if (error instanceof Refusal) return statusOf(error);
  log.write('error', String((error as Error).stack ?? error));
  return { code: status.INTERNAL, details: 'this is a bug in limbeck serve; its log says more' };
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
