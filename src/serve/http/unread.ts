import { monotonicMs } from '../../base/clock.ts';
import { Refusal } from '../refusal.ts';

/** Bytes that a client has to take within `UNREAD_MS`, and of which an answer is written at a time. */
export const PIECE = 2 ** 18;
export const UNREAD_MS = 10_000;

/** One who asked, and may not read the answer. */
export interface Asker {
  readonly address: string;
  /** State of its connection: `gone` if nothing can be written to it any more, `behind` if the answer waits for those before it. */
  readonly state: 'open' | 'behind' | 'gone';
  /** Closes the connection, or the stream of it. */
  readonly drop: () => void;
}

/** Answers in memory that clients have not read yet: of all clients together, and of each address. A client that reads nothing is dropped. */
export class Unread {
  readonly #most: number;
  readonly #mostEach: number;
  readonly #byAddress = new Map<string, number>();
  readonly #held = new Set<Held>();
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(most: number) {
    this.#most = most;
    this.#mostEach = most / 2;
  }

  /** Memory of one answer, of none at first. */
  open(asker: Asker): Held {
    return new Held(asker, (held, bytes) => this.#change(held, bytes));
  }

  #change(held: Held, bytes: number): void {
    const { address } = held.asker;
    const own = (this.#byAddress.get(address) ?? 0) + bytes;
    if (bytes > 0 && (own > this.#mostEach || this.#taken + bytes > this.#most)) {
      const whose = own > this.#mostEach ? 'this address has' : 'clients have';
      throw new Refusal(503, `${whose} too many answers that were not read`, {
        reason: 'REJECTED',
        retryAfterSeconds: 1,
      });
    }
    this.#taken += bytes;
    if (own === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, own);
    if (held.bytes + bytes === 0) this.#held.delete(held);
    else this.#held.add(held);
    this.#timer ??= setInterval(() => this.#look(), 1000).unref();
  }

  #look(): void {
    const now = monotonicMs();
    for (const held of this.#held) {
      const state = held.asker.state;
      if (state === 'gone') held.end();
      else if (state === 'open' && now > held.dueMs) {
        held.asker.drop();
        held.end();
      }
    }
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Memory that an answer takes, from when it is computed until it is read. */
export class Held {
  readonly asker: Asker;
  readonly #change: (held: Held, bytes: number) => void;
  #bytes = 0;
  #dueMs = Infinity;

  constructor(asker: Asker, change: (held: Held, bytes: number) => void) {
    this.asker = asker;
    this.#change = change;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  /** The answer takes this many bytes at least. `Refusal` 503 where there is no room for them. */
  atLeast(bytes: number): void {
    if (bytes > this.#bytes) this.#set(bytes);
  }

  /** Counts the outputs of a model, where they are more than a connection takes at once. */
  outputs(outputs: readonly { readonly bytes: Uint8Array }[]): void {
    const bytes = outputs.reduce((sum, one) => sum + one.bytes.length, 0);
    if (bytes > PIECE) this.atLeast(bytes);
  }

  /** This many bytes are left to be read, from now on within a time that depends on `step`, those that are told of next. */
  left(bytes: number, step = PIECE): void {
    this.#set(bytes);
    this.#dueMs = monotonicMs() + (UNREAD_MS * Math.max(step, PIECE)) / PIECE;
  }

  end(): void {
    this.#set(0);
  }

  #set(bytes: number): void {
    if (bytes === this.#bytes) return;
    this.#change(this, bytes - this.#bytes);
    this.#bytes = bytes;
  }
}
