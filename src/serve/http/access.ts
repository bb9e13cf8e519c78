import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { shown, UserError } from '../../base/errors.ts';
import { readUtf8 } from '../../base/files.ts';
import { isFromOtherPage } from '../../base/web.ts';
import { Refusal } from '../refusal.ts';
import { RateLimit } from './rate.ts';

/** Rules on who may send requests. */
export interface AccessOptions {
  /** The tokens that are asked for; empty: everybody who reaches the server may do all. */
  readonly tokens: readonly Token[];
  /** True if the server can be reached from this machine alone. */
  readonly loopback: boolean;
  /** Requests a second of one token, or of one address where there are no tokens. */
  readonly rate?: number | undefined;
}

/** Rights of a token: to ask models and to look at the server, and to load and unload models. */
export type Right = (typeof RIGHTS)[number];
const RIGHTS = ['read', 'load'] as const;

export interface Token {
  /** Its SHA-256. */
  readonly hash: Buffer;
  readonly rights: readonly Right[];
}

/** Wrong tokens that one address may send in a second. */
const WRONG_PER_SECOND = 10;
/** Pairs of an address and a token that it has sent; beyond it the first ones are forgotten. */
const MOST_KNOWN = 10_000;

/** One token on each line of a file, with its rights behind it, `read` by itself; lines with # are comments. */
export async function tokensOf(file: string): Promise<Token[]> {
  const lines = (await readUtf8(file)).split(/\r?\n/).map((line) => line.trim());
  const tokens = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (tokens.length === 0) throw new UserError(`${file}: there is no token in it`, 'Write one on a line of its own.');
  return tokens.map((line) => {
    const [token, ...given] = line.split(/\s+/) as [string, ...string[]];
    if (token.length < 16)
      throw new UserError(
        `${file}: a token has ${token.length} characters, expected at least 16`,
        'Make one with: openssl rand -hex 24',
      );
    const rights = given.map((word) => {
      const right = RIGHTS.find((one) => one === word);
      if (right !== undefined) return right;
      throw new UserError(
        `${file}: a token has the right ${shown(word)}, expected ${RIGHTS.join(' or ')}`,
        'Write the token, a space, and its rights: TOKEN read load.',
      );
    });
    return { hash: hashOf(token), rights: rights.length === 0 ? ['read'] : rights };
  });
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

  /**
   * `Refusal` 401 for a request without a token, where there are some, 403 for one whose token has not the right to it; 429 for a client that asks, or
   * guesses, too often.
   */
  admit(authorization: string | undefined, address: string, nowMs: number, right: Right = 'read'): void {
    const token = this.#tokenOf(authorization, address, nowMs);
    this.#rate?.take(token === undefined ? address : `token ${token}`, nowMs);
    if (token !== undefined && !this.#options.tokens[token]!.rights.includes(right))
      throw new Refusal(
        403,
        `this token may not ${right}: its line in the file of tokens names its rights, as in TOKEN read load`,
      );
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
    const same = tokens.map((token) => timingSafeEqual(token.hash, hash));
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
