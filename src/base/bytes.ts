import { createHash } from 'node:crypto';

export * from './typed-bytes.ts';

export function sha256(...parts: readonly (Uint8Array | string | Iterable<Uint8Array>)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    if (typeof part === 'string') hash.update(part);
    else
      for (const bytes of part instanceof Uint8Array ? [part] : part)
        for (const piece of inPieces(bytes)) hash.update(piece);
  }
  return hash.digest('hex');
}

/** Most bytes that one call of node:crypto or node:fs is given: each fails beyond 2^31 - 1. */
const PIECE = 2 ** 30;

/** Parts of at most 1 GiB of bytes, without a copy. */
export function* inPieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}
