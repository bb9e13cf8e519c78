import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { UserError } from '../../base/errors.ts';
import { readUtf8 } from '../../base/files.ts';
import { isFromOtherPage } from '../../base/web.ts';
import { Refusal } from '../refusal.ts';

/** Rules on who may send requests. */
export interface Access {
  /** SHA-256 of each token; empty: everybody who reaches the server. */
  readonly tokens: readonly Buffer[];
  /** True if the server can be reached from this machine alone. */
  readonly loopback: boolean;
}

/** One token on each line of a file; lines with # are comments. */
export async function tokensOf(file: string): Promise<Buffer[]> {
  const lines = (await readUtf8(file)).split(/\r?\n/).map((line) => line.trim());
  const tokens = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (tokens.length === 0) throw new UserError(`${file}: there is no token in it`, 'Write one on a line of its own.');
  const short = tokens.find((token) => token.length < 16);
  if (short !== undefined) {
    throw new UserError(
      `${file}: a token has ${short.length} characters, expected at least 16`,
      'Make one with: openssl rand -hex 24',
    );
  }
  return tokens.map(hashOf);
}

/** `Refusal` 401 for one without a token, where there are some. */
export function refuseStranger({ tokens }: Access, authorization: string | undefined): void {
  if (tokens.length === 0) return;
  const [, given] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  const hash = hashOf(given ?? '');
  // All are compared, so that the time tells nothing.
  const known = tokens.filter((token) => timingSafeEqual(token, hash)).length > 0;
  if (given === undefined || !known)
    throw new Refusal(401, 'this server asks for a token: send the header Authorization: Bearer TOKEN');
}

/**
 * Requests that a page of another origin makes a browser on this machine send. Without tokens, such a page could use a
 * server that nobody else reaches, also by a name of its own that leads to 127.0.0.1.
 */
export function refuseOtherPages({ loopback, tokens }: Access, request: IncomingMessage): void {
  if (!isFromOtherPage(request, loopback && tokens.length === 0)) return;
  throw new Refusal(
    403,
    'refused: the request comes from a page of another server, or by a name that is not of this one',
  );
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
