import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Refusal } from '../refusal.ts';
import { UNREAD_MS, PIECE } from './unread.ts';
import type { Held } from './unread.ts';

/** Reply of a route. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object becomes JSON. */
  readonly body?: object | string | readonly Uint8Array[];
  /** Text that is sent as it comes, in place of a body. */
  readonly stream?: AsyncGenerator<string, void, undefined>;
}

/** Body of a refusal. */
export type ErrorBody = (status: number, message: string, error: unknown) => object;

/** Bytes that are put together sooner than written piece by piece. */
const MOST_COPIED = 2 ** 14;

const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * Sends it; node leaves out the body of what was asked for by HEAD, and the headers are those of GET. `held`: its memory, until the client has read
 * it. `Refusal` where there is no room for that.
 */
export function send(response: ServerResponse, reply: Reply, last: boolean, held: Held): void {
  const { status = 200, headers = {}, body = '', stream } = reply;
  if (stream !== undefined) {
    response.writeHead(status, {
      'x-content-type-options': 'nosniff',
      ...(last && { connection: 'close' }),
      ...headers,
    });
    void sendStream(response, stream);
    return;
  }
  const isText = typeof body === 'string';
  const parts = isText ? [Buffer.from(body)] : isParts(body) ? body : [Buffer.from(JSON.stringify(body))];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  // What a connection takes at once is not counted: most answers.
  const isLong = length > PIECE || !isIdle(response);
  if (isLong) held.atLeast(length);
  response.writeHead(status, {
    ...(isText ? {} : JSON_TYPE),
    'content-length': length,
    'x-content-type-options': 'nosniff',
    ...(last && { connection: 'close' }),
    ...headers,
  });
  if (isLong) inPieces(response, parts, length, held);
  else if (parts.length > 1 && length > MOST_COPIED) {
    for (const part of parts.slice(0, -1)) response.write(part);
    response.end(parts.at(-1));
  } else response.end(parts.length === 1 ? parts[0] : Buffer.concat(parts, length));
}

/** Writes parts as they come, the next one when the client has taken the one before. A client that takes none for `UNREAD_MS` is dropped. */
async function sendStream(response: ServerResponse, stream: NonNullable<Reply['stream']>): Promise<void> {
  try {
    for await (const part of stream) {
      if (response.destroyed) return;
      if (!response.write(part)) await once(response, 'drain', { signal: AbortSignal.timeout(UNREAD_MS) });
    }
    response.end();
  } catch {
    response.destroy();
  }
}

/** True of a connection that has sent all that came before: requests may come before the answers to those before are read. */
function isIdle({ socket }: ServerResponse): boolean {
  return socket !== null && socket.writableLength === 0;
}

/** Writes a piece when the one before is gone, by which a client that reads nothing is known. */
function inPieces(response: ServerResponse, parts: readonly Uint8Array[], length: number, held: Held): void {
  const pieces = parts.flatMap((part) =>
    Array.from({ length: Math.ceil(part.length / PIECE) }, (_, i) => part.subarray(i * PIECE, (i + 1) * PIECE)),
  );
  let [next, left] = [0, length];
  held.left(left);
  const more = (): void => {
    while (next < pieces.length) {
      const piece = pieces[next++]!;
      left -= piece.length;
      const isTaken = response.write(piece);
      if (isTaken) continue;
      response.once('drain', () => {
        held.left(left);
        more();
      });
      return;
    }
    response.end();
  };
  more();
}

function isParts(body: object): body is readonly Uint8Array[] {
  return Array.isArray(body) && body.length > 0 && body[0] instanceof Uint8Array;
}

/** An error as the protocol has it, or by `bodyOf`; what is no `Refusal` is a bug of ours, of which clients are told nothing. */
export function errorReply(error: unknown, bodyOf: ErrorBody = (_status, message) => ({ error: message })): Reply {
  if (!(error instanceof Refusal))
    return { status: 500, body: bodyOf(500, 'this is a bug in limbeck serve; its log says more', error) };
  const { status, message, retryAfterSeconds } = error;
  const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  const ask = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  // 499 is what servers write into their logs for a client that is gone; nobody reads it.
  return { status: status === 499 ? 400 : status, headers: { ...retry, ...ask }, body: bodyOf(status, message, error) };
}
