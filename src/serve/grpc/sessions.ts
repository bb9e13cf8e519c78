import { constants } from 'node:http2';
import type { Http2Server, Http2Session, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';
import { monotonicMs } from '../../base/clock.ts';
import { Connections } from '../http/connections.ts';
import { RateLimit } from '../http/rate.ts';
import { Refusal } from '../refusal.ts';

/** Calls of an address in a second that are refused, reset or not read: each costs a third of a millisecond, and what is behind it waits. */
const WASTED_PER_SECOND = 100;

/** A call that is open: also one of a stream whose client sends nothing now. */
const CALL = { complete: true };

/** One connection. */
interface Session {
  readonly address: string;
  readonly socket: Socket;
  /** Calls that ended well, and others. */
  finished: number;
  wasted: number;
}

/** Limits of connections and calls over gRPC. */
export interface SessionLimits {
  readonly maxConnections: number;
  /** Of them those of one address; it may have four times as many open calls. */
  readonly maxConnectionsEach: number;
}

/** Connections of gRPC. One that only wastes the time of the server is closed, and one of an address with too many open calls. */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #connections: Connections;
  readonly #waste = new RateLimit(WASTED_PER_SECOND);
  readonly #sessions = new WeakMap<Http2Session, Session>();
  /** Open calls of each address. */
  readonly #open = new Map<string, number>();

  constructor(limits: SessionLimits) {
    this.#limits = limits;
    this.#connections = new Connections(limits.maxConnectionsEach);
  }

  /** Watches the connections of a server that listens. */
  watch(server: Server): void {
    // A part of grpc-js that its types do not name: nothing that they name sees a call before work is done for it.
    for (const http2 of (server as unknown as { http2Servers: Map<Http2Server, unknown> }).http2Servers.keys()) {
      http2.maxConnections = this.#limits.maxConnections;
      http2.on('connection', (socket: Socket) => this.#connections.add(socket));
      http2.on('session', (session) => this.#begin(session));
    }
  }

  /** Counts a call that was refused, reset, or not read. */
  wasted(session: Http2Session | undefined): void {
    const known = session && this.#sessions.get(session);
    if (known === undefined || session!.destroyed) return;
    known.wasted++;
    try {
      this.#waste.take(known.address, monotonicMs());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Clients of one address may be those of a proxy: the connections that do their work stay.
      if (2 * known.wasted > known.finished) session!.destroy();
    }
  }

  #begin(session: ServerHttp2Session): void {
    const { socket } = session;
    const known = { socket, address: socket.remoteAddress ?? '', finished: 0, wasted: 0 };
    this.#connections.secured(socket);
    this.#sessions.set(session, known);
    session.on('stream', (stream) => this.#opened(session, known, stream));
  }

  #opened(session: ServerHttp2Session, known: Session, stream: ServerHttp2Stream): void {
    const { address } = known;
    const open = (this.#open.get(address) ?? 0) + 1;
    this.#open.set(address, open);
    this.#connections.asked(known.socket, CALL);
    stream.once('close', () => {
      this.#connections.answered(known.socket);
      const left = this.#open.get(address)! - 1;
      if (left === 0) this.#open.delete(address);
      else this.#open.set(address, left);
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) known.finished++;
      else this.wasted(session);
    });
    if (open > 4 * this.#limits.maxConnectionsEach) session.destroy();
  }
}
