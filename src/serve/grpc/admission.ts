import { ServerInterceptingCall, status } from '@grpc/grpc-js';
import type { Metadata, ServerInterceptingCallInterface, ServerInterceptor } from '@grpc/grpc-js';
import type { ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { monotonicMs } from '../../base/clock.ts';
import type { Access, Right } from '../http/access.ts';
import type { BodyBudget } from '../http/body.ts';
import type { Held, Unread } from '../http/unread.ts';
import { MessageDecoder } from './message-decoder.ts';
import { Refusal } from '../refusal.ts';
import type { Sessions } from './sessions.ts';

export interface AdmissionOptions {
  readonly access: Access;
  readonly budget: BodyBudget;
  readonly unread: Unread;
  readonly sessions: Sessions;
  /** Bytes of a message with tensors; all others are small. */
  readonly maxBody: number;
  /** Bytes that a compressed message may be unpacked to. */
  readonly maxUnpacked: number;
  /** Milliseconds in which the request of a call has to be here. */
  readonly requestTimeoutMs: number;
}

/** The bytes of a request, not decoded; they count in the budget until `done`, or the end of the call, and so does the answer to it. */
export interface Received {
  readonly bytes: Buffer;
  readonly held: Held;
  readonly done: () => void;
}

/** Bytes of a request that has no tensors. */
const SMALL = 2 ** 16;
/** Milliseconds after which a call that was refused is closed. */
const REFUSED_MS = 1000;
/** gRPC's prefix of a message. */
const PREFIX = 5;
const HEALTH = /\/Server(Live|Ready)$/;
const LOADS = /\/RepositoryModel(Load|Unload)$/;
const TENSORS = /\/Model(Stream)?Infer$/;

/** Parts of a call of grpc-js that its types do not name: without them nothing could be counted before a whole message is in memory. */
interface Inner {
  readonly stream: ServerHttp2Stream;
  readonly incomingEncoding: string;
  decoder: Pick<MessageDecoder, 'write'>;
  maxReceiveMessageSize: number;
}

/** Interceptor that looks at the metadata of a call before any byte of its messages is read, and counts these bytes as they come. */
export function admission(options: AdmissionOptions): ServerInterceptor {
  return ({ path }, call) => {
    const receiving = new Receiving(options, path, call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            if (receiving.attempt(() => receiving.begin(metadata))) pass(metadata);
          },
          onReceiveMessage: (bytes: Buffer, pass) => {
            receiving.attempt(() => pass(receiving.received(bytes)));
          },
          onReceiveHalfClose: (pass) => {
            receiving.end();
            pass();
          },
        }),
    });
  };
}

/** `Refusal` for a stranger, and for a client that asks too often. */
export function admit(access: Access, metadata: Metadata, peer: { getPeer(): string }, right?: Right): void {
  const [given] = metadata.get('authorization');
  access.admit(given === undefined ? undefined : String(given), addressOf(peer), monotonicMs(), right);
}

function addressOf(peer: { getPeer(): string }): string {
  return peer.getPeer().replace(/:\d+$/, '');
}

class Receiving {
  readonly #options: AdmissionOptions;
  readonly #path: string;
  readonly #isStream: boolean;
  readonly #address: string;
  readonly #call: ServerInterceptingCallInterface;
  readonly #most: number;
  /** Bytes of the budget: all of the call, and those of the message that is coming. */
  #held = 0;
  #coming = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  readonly #answers = new Set<Held>();

  constructor(options: AdmissionOptions, path: string, call: ServerInterceptingCallInterface) {
    this.#options = options;
    this.#path = path;
    this.#isStream = /Stream/.test(path);
    this.#address = addressOf(call);
    this.#call = call;
    this.#most = TENSORS.test(path) ? options.maxBody : SMALL;
  }

  /** False where it refuses, and ends the call. */
  attempt(step: () => void): boolean {
    try {
      if (!this.#isOver) step();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#isOver = true;
      this.end();
      this.#call.sendStatus(statusOf(error));
      const { stream } = this.#call as unknown as Inner;
      // The client is told, and need not end its side.
      setTimeout(() => stream.close(), REFUSED_MS).unref();
      this.#options.sessions.wasted(stream.session);
    }
    return !this.#isOver;
  }

  begin(metadata: Metadata): void {
    if (!HEALTH.test(this.#path)) {
      admit(this.#options.access, metadata, this.#call, LOADS.test(this.#path) ? 'load' : 'read');
    }
    const inner = this.#call as unknown as Inner;
    inner.decoder = new MessageDecoder(this.#options.maxBody);
    inner.stream.once('close', () => {
      this.end();
      this.#options.budget.give(this.#held, this.#address);
      this.#held = 0;
      for (const answer of this.#answers) answer.end();
      this.#isOver = true;
    });
    if (inner.incomingEncoding !== 'identity') {
      // Unpacked by the library, which counts each message by itself: reserved before.
      inner.maxReceiveMessageSize = Math.min(this.#most, this.#options.maxUnpacked);
      this.#take(inner.maxReceiveMessageSize);
    }
    inner.stream.on('data', (chunk: Buffer) => void this.attempt(() => this.#count(chunk.length)));
    if (!this.#isStream) this.#wait();
  }

  /** A whole message, unpacked. */
  received(bytes: Buffer): Received {
    this.#give(this.#coming);
    this.#coming = 0;
    // Of a stream each message has its own time; between them it may wait as long as it likes.
    if (this.#isStream) this.end();
    this.#take(bytes.length);
    let isDone = false;
    const done = (): void => {
      if (!isDone) this.#give(bytes.length);
      isDone = true;
      held.end();
      this.#answers.delete(held);
    };
    const { stream } = this.#call as unknown as Inner;
    const held = this.#options.unread.open({
      address: this.#address,
      get state() {
        return stream.destroyed ? 'gone' : 'open';
      },
      drop: () => stream.close(constants.NGHTTP2_CANCEL),
    });
    this.#answers.add(held);
    return { bytes, held, done };
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #count(bytes: number): void {
    if (this.#coming + bytes > this.#most + PREFIX)
      throw new Refusal(413, `the message is larger than ${this.#most} bytes`);
    if (this.#isStream && this.#coming === 0) this.#wait();
    this.#take(bytes);
    this.#coming += bytes;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#late(), this.#options.requestTimeoutMs);
  }

  #late(): void {
    this.attempt(() => {
      throw new Refusal(408, `the request was not here after ${this.#options.requestTimeoutMs / 1000} s`);
    });
  }

  #take(bytes: number): void {
    this.#options.budget.take(bytes, this.#address);
    this.#held += bytes;
  }

  /** Not more than it holds: the end of the call gives all of it. */
  #give(bytes: number): void {
    const given = Math.min(bytes, this.#held);
    this.#held -= given;
    this.#options.budget.give(given, this.#address);
  }
}

const CODES: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  408: status.DEADLINE_EXCEEDED,
  413: status.RESOURCE_EXHAUSTED,
  429: status.RESOURCE_EXHAUSTED,
  499: status.CANCELLED,
  503: status.UNAVAILABLE,
};

export function statusOf(error: Refusal): { code: status; details: string } {
  return { code: CODES[error.status] ?? status.UNKNOWN, details: error.message };
}
