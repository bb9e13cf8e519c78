import { Refusal } from '../refusal.ts';

/** Clients that are remembered; beyond it those that ask least are forgotten. */
const MOST_CLIENTS = 10_000;

/** Requests that a client may still make, as of a moment. */
interface Bucket {
  left: number;
  atMs: number;
}

/** Limit of requests per second for each client, with bursts of up to one second's worth (a token bucket). */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#burst = Math.max(1, perSecond);
  }

  /** `client`: its token, or the address that it asks from. `Refusal` 429 where it has asked too much. */
  take(client: string, nowMs: number): void {
    const bucket = this.#bucketOf(client, nowMs);
    // Last in the map: the first ones are those that have not asked for longest.
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    if (this.#buckets.size > MOST_CLIENTS) this.#buckets.delete(this.#buckets.keys().next().value!);
    this.#refuseEmpty(bucket);
    bucket.left--;
  }

  /** The same refusal, of a request that is not counted. */
  check(client: string, nowMs: number): void {
    if (this.#buckets.has(client)) this.#refuseEmpty(this.#bucketOf(client, nowMs));
  }

  #bucketOf(client: string, nowMs: number): Bucket {
    const bucket = this.#buckets.get(client) ?? { left: this.#burst, atMs: nowMs };
    bucket.left = Math.min(this.#burst, bucket.left + ((nowMs - bucket.atMs) * this.#perSecond) / 1000);
    bucket.atMs = nowMs;
    return bucket;
  }

  #refuseEmpty({ left }: Bucket): void {
    if (left >= 1) return;
    const seconds = Math.max(1, Math.ceil((1 - left) / this.#perSecond));
    const message = `more than ${this.#perSecond} requests a second: ask again in ${seconds} s`;
    throw new Refusal(429, message, { reason: 'REJECTED', retryAfterSeconds: seconds });
  }
}
