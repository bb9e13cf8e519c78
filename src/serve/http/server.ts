import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { monotonicMs } from '../../base/clock.ts';
import { UserError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Client } from '../batch/queue.ts';
import { Refusal } from '../refusal.ts';
import type { Access } from './access.ts';
import { readBody } from './body.ts';
import type { BodyBudget } from './body.ts';
import type { BodyKind, Site } from './call.ts';
import { Connections } from './connections.ts';
import { errorReply, send } from './reply.ts';
import type { Reply } from './reply.ts';
import type { Asker, Held, Unread } from './unread.ts';
import { addressOf, isOpen, rightTo, route } from './routes.ts';
import type { Tls } from './tls.ts';

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly access: Access;
  readonly tls?: Tls | undefined;
  /** Limit of what all bodies take together. */
  readonly budget: BodyBudget;
  /** Limit of what all answers take together that were not read. */
  readonly unread: Unread;
  /** Bytes of one body. */
  readonly maxBody: number;
  /** Milliseconds in which a request has to be here, headers and body. */
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  /** Of them those of one address. */
  readonly maxConnectionsEach: number;
  readonly log: Log;
  /** Listener to each answer. */
  readonly onAnswer: (answer: AnswerEntry) => void;
}

/** A line of the access log. */
export interface AnswerEntry {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  readonly bytesIn: number;
  readonly from: string;
}

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /**
   * Take no more connections; those that are open end with their next answer. Resolves when none is left that a request may still come on, or
   * after `patienceMs`.
   */
  readonly drain: (patienceMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function serveHttp(site: Site, options: HttpOptions): Promise<HttpServer> {
  let draining = false;
  let [active, lastMs] = [0, 0];
  const connections = new Connections(options.maxConnectionsEach);
  const onRequest: RequestListener = (request, response) => {
    active++;
    connections.asked(request.socket, request);
    const client = { aborted: false };
    const held = options.unread.open(new HttpAsker(request.socket, response));
    // One listener for all: each costs microseconds.
    response.on('close', () => {
      active--;
      held.end();
      connections.answered(request.socket);
      lastMs = monotonicMs();
      if (!response.writableFinished) client.aborted = true;
    });
    void answer(site, options, { client, held }, request, response, () => draining);
  };
  const limits = {
    maxHeaderSize: 2 ** 14,
    requestTimeout: options.requestTimeoutMs,
    connectionsCheckingInterval: 1000,
  };
  const headersTimeout = Math.min(options.requestTimeoutMs, 10_000);
  const timeouts = { ...limits, headersTimeout, keepAliveTimeout: 60_000 };
  const server: Server = options.tls
    ? createTlsServer({ ...timeouts, ...options.tls, handshakeTimeout: headersTimeout }, onRequest)
    : createServer({ ...timeouts, noDelay: true }, onRequest);
  server.maxConnections = options.maxConnections;
  server.on('connection', (socket: Socket) => connections.add(socket));
  server.on('secureConnection', (socket: Socket) => connections.secured(socket));
  server.listen({ port: options.port, host: options.host, backlog: 1024 });
  await once(server, 'listening').catch((error: unknown) => {
    throw new UserError(
      `serve: port ${options.port} of ${options.host} cannot be opened: ${(error as Error).message}`,
      'Choose another --port, or 0 for a free one.',
    );
  });
  const { port, family, address } = server.address() as AddressInfo;
  const shown = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${shown}:${port}`,
    port,
    drain: async (patienceMs) => {
      draining = true;
      const since = monotonicMs();
      // HTTP's own close would end idle connections too, with the requests that are on their way on them.
      NetServer.prototype.close.call(server);
      for (;;) {
        const now = monotonicMs();
        const isQuiet = active === 0 && now - Math.max(since, lastMs) > QUIET_MS;
        if (isQuiet || now - since > patienceMs || (await connectionsOf(server)) === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    close: () =>
      new Promise((resolve) => {
        // An error says that it listens no more.
        server.close(() => resolve());
        // Not by HTTP's own list, which a connection joins when its handshake has ended.
        for (const socket of connections.sockets) socket.destroy();
      }),
  };
}

/** Milliseconds without a request after which the clients of open connections are taken to have none on its way. */
const QUIET_MS = 500;

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error === null ? count : 0)));
}

/** One who asks over HTTP. */
class HttpAsker implements Asker {
  /** As it was at first: a connection that is closed has none. */
  readonly address: string;
  readonly #socket: Socket;
  readonly #response: ServerResponse;

  constructor(socket: Socket, response: ServerResponse) {
    this.address = socket.remoteAddress ?? '';
    this.#socket = socket;
    this.#response = response;
  }

  get state() {
    return this.#socket.destroyed ? 'gone' : this.#response.socket === null ? 'behind' : 'open';
  }

  drop(): void {
    this.#socket.destroy();
  }
}

const NO_QUERY = new URLSearchParams();

/** Bytes of a command to the server. */
const SMALL = 2 ** 16;

async function answer(
  site: Site,
  options: HttpOptions,
  { client, held }: { readonly client: Client; readonly held: Held },
  request: IncomingMessage,
  response: ServerResponse,
  isDraining: () => boolean,
): Promise<void> {
  const { access, budget } = options;
  const start = monotonicMs();
  // Gone when the client is.
  const from = held.asker.address;
  let bytesIn = 0;
  let last = false;
  const body = async (kind: BodyKind): Promise<Buffer> => {
    const most = Math.min(options.maxBody, { json: site.maxJson, binary: Infinity, command: SMALL }[kind]);
    const read = await readBody(request, most, { budget, address: from }, kind === 'json' && most < options.maxBody);
    bytesIn = read.held;
    return read.body;
  };
  const [place = '', ...rest] = (request.url ?? '/').split('?');
  let reply: Reply;
  let path: readonly string[] = [];
  try {
    path = pathOf(place);
    const query = rest.length === 0 ? NO_QUERY : new URLSearchParams(rest.join('?'));
    access.refuseOtherPages(request);
    if (!isOpen(site, path)) access.admit(request.headers.authorization, from, start, rightTo(path));
    reply = await route(site, { request, path, query, body, client, held });
  } catch (error) {
    if (!(error instanceof Refusal)) options.log.write('error', String((error as Error).stack ?? error));
    reply = errorReply(error, addressOf(site, path)?.errorBody);
    // What is still on its way of a refused body is not read.
    last = !request.complete;
  }
  // From here on the answer is in memory, and the body is not.
  budget.give(bytesIn, from);
  try {
    send(response, reply, last || isDraining(), held);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // Nothing else can be said to one who does not read.
    if (response.socket?.writableLength !== 0) request.socket.destroy();
    else send(response, (reply = errorReply(error)), true, held);
  }
  const { status = 200 } = reply;
  // The path is without what stands behind the ?: people put tokens there.
  options.onAnswer({
    method: request.method ?? '',
    path: place,
    status,
    ms: monotonicMs() - start,
    bytesIn,
    from,
  });
}

/** Parts of the path, decoded one by one: a slash within one stays in it. */
function pathOf(path: string): string[] {
  const parts = path.split('/').slice(1);
  if (parts.at(-1) === '') parts.pop();
  try {
    return parts.map(decodeURIComponent);
  } catch {
    throw new Refusal(400, 'the address is not valid: a % in it does not begin an escape such as %20');
  }
}
