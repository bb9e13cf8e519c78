import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { Refusal } from '../refusal.ts';

const decoders = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/** Limit of the memory that all bodies being read or answered may take together. */
export class BodyBudget {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  take(bytes: number): void {
    if (this.#taken + bytes > this.#most) {
      throw new Refusal(503, 'too many large requests at a time', { reason: 'REJECTED', retryAfterSeconds: 1 });
    }
    this.#taken += bytes;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}

/** The whole body, unpacked, and how much of the budget it holds. `Refusal` for one larger than `most` bytes. */
export async function readBody(
  request: IncomingMessage,
  most: number,
  budget: BodyBudget,
): Promise<{ body: Buffer; held: number }> {
  const tooLarge = (): Refusal => new Refusal(413, `the body is larger than ${most} bytes`);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > most) throw tooLarge();
  let held = 0;
  const take = (bytes: number): void => {
    budget.take(bytes);
    held += bytes;
  };
  try {
    const packed = await collected(request, most, take, tooLarge);
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding === 'identity') return { body: packed, held };
    const decode = decoders[encoding as keyof typeof decoders];
    if (decode === undefined)
      throw new Refusal(415, `Content-Encoding: expected gzip or deflate, received ${encoding}`);
    const body = await decode(packed, { maxOutputLength: most }).catch((error: unknown) => {
      throw (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
        ? tooLarge()
        : new Refusal(400, `the body is no ${encoding}: ${(error as Error).message}`);
    });
    take(body.length);
    return { body, held };
  } catch (error) {
    budget.give(held);
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'the connection ended before the whole body had come', { reason: 'CANCELED' });
  }
}

/** Body of a request, collected by events: an asynchronous iterator takes more time than everything else that is done with a small body. */
function collected(
  request: IncomingMessage,
  most: number,
  take: (bytes: number) => void,
  tooLarge: () => Refusal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const fail = (error: Error): void => {
      request.removeListener('data', add);
      reject(error);
    };
    const add = (part: Buffer): void => {
      size += part.length;
      try {
        if (size > most) throw tooLarge();
        take(part.length);
        parts.push(part);
      } catch (error) {
        request.pause();
        fail(error as Error);
      }
    };
    request.on('data', add);
    request.once('end', () => resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts, size)));
    request.once('error', fail);
    request.once('close', () => fail(new Error('closed')));
  });
}
