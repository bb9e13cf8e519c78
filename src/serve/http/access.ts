import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { UserError } from '../../base/errors.ts';
import { readUtf8 } from '../../base/files.ts';
import { isFromOtherPage } from '../../base/web.ts';
import { Refusal } from '../refusal.ts';
import { RateLimit } from './rate.ts';

/** Rules on who may send requests. */
export interface AccessOptions {
  /** SHA-256 of each token; empty: everybody who reaches the server. */
  readonly tokens: readonly Buffer[];
  /** True if the server can be reached from this machine alone. */
  readonly loopback: boolean;
  /** Requests a second of one token, or of one address where there are no tokens. */
  readonly rate?: number | undefined;
}

/** Wrong tokens that one address may send in a second. */
const WRONG_PER_SECOND = 10;
/** Pairs of an address and a token that it has sent; beyond it the first ones are forgotten. */
const MOST_KNOWN = 10_000;

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

/** Decides on the headers of a request whether anything else of it is read; one for all protocols of a server. */
export class Access {
  readonly #options: AccessOptions;
  readonly #rate: RateLimit | undefined;
  readonly #wrong = new RateLimit(WRONG_PER_SECOND);
  /** Clients whose token was right before: wrong ones from the same address, perhaps a proxy's, do not hold them up. */
  readonly #known = new Set<string>();

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#rate = options.rate === undefined ? undefined : new RateLimit(options.rate);
  }

  /** `Refusal` 401 for a request without a token, where there are some; 429 for a client that asks, or guesses, too often. */
  admit(authorization: string | undefined, address: string, nowMs: number): void {
    const token = this.#tokenOf(authorization, address, nowMs);
    this.#rate?.take(token === undefined ? address : `token ${token}`, nowMs);
  }

  /**
   * `Refusal` for what a page of another origin makes a browser on this machine send. Without tokens, such a page could use a server
   * that nobody else reaches, also by a name of its own that leads to 127.0.0.1.
   */
  refuseOtherPages(request: IncomingMessage): void {
    const { loopback, tokens } = this.#options;
    if (!isFromOtherPage(request, loopback && tokens.length === 0)) return;
    throw new Refusal(
      403,
      'refused: the request comes from a page of another server, or by a name that is not of this one',
    );
  }

  #tokenOf(authorization: string | undefined, address: string, nowMs: number): number | undefined {
    const { tokens } = this.#options;
    if (tokens.length === 0) return undefined;
    const [, given] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    const hash = hashOf(given ?? '');
    // All are compared, so that the time tells nothing.
    const same = tokens.map((token) => timingSafeEqual(token, hash));
    const found = given === undefined ? -1 : same.indexOf(true);
    const pair = `${found} ${address}`;
    if (this.#known.has(pair)) return found;
    // While an address guesses too fast, it is not told of a new token that it is right.
    if (found === -1 && given !== undefined) this.#wrong.take(address, nowMs);
    else this.#wrong.check(address, nowMs);
    if (found === -1)
      throw new Refusal(401, 'this server asks for a token: send the header Authorization: Bearer TOKEN');
    this.#known.add(pair);
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!);
    return found;
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
