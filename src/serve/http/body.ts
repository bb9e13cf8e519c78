import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { Refusal } from '../refusal.ts';

const decoders = { gzip: createGunzip, deflate: createInflate };

/**
 * Limit of the memory that all bodies being read or answered may take together, and those of one address, which has two thirds of it: a client that
 * sends large bodies slowly must not hold up the small ones of others.
 */
export class BodyBudget {
  readonly #most: number;
  readonly #mostEach: number;
  readonly #byAddress = new Map<string, number>();
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
    this.#mostEach = (2 * most) / 3;
  }

  take(bytes: number, address: string): void {
    const own = (this.#byAddress.get(address) ?? 0) + bytes;
    if (own > this.#mostEach || this.#taken + bytes > this.#most) {
      const whose = own > this.#mostEach ? ' from this address' : '';
      throw new Refusal(503, `too many large requests${whose} at a time`, { reason: 'REJECTED', retryAfterSeconds: 1 });
    }
    this.#taken += bytes;
    this.#byAddress.set(address, own);
  }

  give(bytes: number, address: string): void {
    this.#taken -= bytes;
    const left = (this.#byAddress.get(address) ?? 0) - bytes;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}

/**
 * The whole body, unpacked, and how much of the budget it holds, which is taken piece by piece as they come out. `Refusal` for one
 * larger than `most` bytes.
 */
export async function readBody(
  request: IncomingMessage,
  most: number,
  { budget, address }: { readonly budget: BodyBudget; readonly address: string },
  isJson = false,
): Promise<{ body: Buffer; held: number }> {
  const remedy = isJson ? ': send tensors as binary data (--max-json sets this limit)' : '';
  const tooLarge = (): Refusal => new Refusal(413, `the body is larger than ${most} bytes${remedy}`);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > most) throw tooLarge();
  let held = 0;
  const take = (bytes: number): void => {
    budget.take(bytes, address);
    held += bytes;
  };
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding as keyof typeof decoders] : undefined;
  if (encoding !== 'identity' && decoder === undefined)
    throw new Refusal(415, `Content-Encoding: expected gzip or deflate, received ${encoding}`);
  try {
    const packed = await collected(request, most, take, tooLarge);
    if (decoder === undefined) return { body: packed, held };
    const unpacker = decoder({ chunkSize: UNPACKED_AT_A_TIME });
    unpacker.end(packed);
    const body = await collected(unpacker, most, take, tooLarge).catch((error: unknown) => {
      unpacker.destroy();
      if (error instanceof Refusal) throw error;
      throw new Refusal(400, `the body is no ${encoding}: ${(error as Error).message}`);
    });
    return { body, held };
  } catch (error) {
    budget.give(held, address);
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'the connection ended before the whole body had come', { reason: 'CANCELED' });
  }
}

const UNPACKED_AT_A_TIME = 2 ** 18;

/** All of a stream, collected by events: an asynchronous iterator takes more time than everything else that is done with a small body. */
function collected(
  stream: Readable,
  most: number,
  take: (bytes: number) => void,
  tooLarge: () => Refusal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const fail = (error: Error): void => {
      stream.removeListener('data', add);
      reject(error);
    };
    const add = (part: Buffer): void => {
      size += part.length;
      try {
        if (size > most) throw tooLarge();
        take(part.length);
        parts.push(part);
      } catch (error) {
        stream.pause();
        fail(error as Error);
      }
    };
    stream.on('data', add);
    stream.once('end', () => resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts, size)));
    stream.once('error', fail);
    stream.once('close', () => fail(new Error('closed')));
  });
}
