import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** What a load came to. Latencies in milliseconds, ascending. */
export interface LoadResult {
  readonly seconds: number;
  readonly latencies: readonly number[];
  /** Answers by status; 0: the connection broke. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Answers with status 200 per second. */
  readonly rate: number;
}

export interface Target {
  readonly port: number;
  /** The bytes of a whole HTTP/1.1 request. */
  readonly request: Buffer;
}

/** The request as it goes over the wire. */
export function httpRequest(path: string, body: Buffer, headers: Readonly<Record<string, string>> = {}): Buffer {
  const lines = Object.entries({ host: '127.0.0.1', 'content-length': String(body.length), ...headers });
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** One connection that is kept; it reads as little of an answer as needs be, for the generator shares the machine. */
class Connection {
  readonly #socket: Socket;
  #buffered: Buffer = Buffer.alloc(0);
  #left = 0;
  #status = 0;
  #done: ((status: number) => void) | undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', () => this.#finish(0));
    this.#socket.on('close', () => this.#finish(0));
  }

  get isGone(): boolean {
    return this.#socket.destroyed;
  }

  ask(request: Buffer): Promise<number> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#done = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#left === 0) {
      this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
      const end = this.#buffered.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#buffered.toString('latin1', 0, end);
      this.#status = Number(head.slice(9, 12));
      const [, length = '0'] = /content-length: (\d+)/i.exec(head) ?? [];
      this.#left = Number(length) - (this.#buffered.length - end - 4);
      this.#buffered = Buffer.alloc(0);
    } else this.#left -= chunk.length;
    if (this.#left === 0) this.#finish(this.#status);
  }

  #finish(status: number): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(status);
  }
}

/** Each of `connections` asks again as soon as it has its answer. */
export async function closedLoop(target: Target, connections: number, seconds: number): Promise<LoadResult> {
  const record = new Recording();
  const end = performance.now() + 1000 * seconds;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      let connection = new Connection(target.port);
      while (performance.now() < end) {
        const begun = performance.now();
        record.add(await connection.ask(target.request), performance.now() - begun);
        if (connection.isGone) connection = new Connection(target.port);
      }
      connection.close();
    }),
  );
  return record.result((performance.now() - start) / 1000);
}

/**
 * Requests at moments of a Poisson process, whatever has been answered by then: latency counts from the moment at which a
 * request was due, so that a server that stalls is not asked less.
 */
export async function openLoop(
  target: Target,
  rate: number,
  seconds: number,
  { connections = 512, seed = 1 }: { connections?: number; seed?: number } = {},
): Promise<LoadResult> {
  const record = new Recording();
  const free: Connection[] = Array.from({ length: 16 }, () => new Connection(target.port));
  const due: number[] = [];
  const random = lehmer(seed);
  const start = performance.now();
  const end = start + 1000 * seconds;
  let next = start;
  let made = free.length;
  const pending = new Set<Promise<void>>();
  const send = (): void => {
    while (due.length > 0) {
      let connection = free.pop();
      if (connection === undefined && made < connections) {
        connection = new Connection(target.port);
        made++;
      }
      if (connection === undefined) return;
      const moment = due.shift()!;
      const own = connection;
      const done = own.ask(target.request).then((status) => {
        record.add(status, performance.now() - moment);
        if (own.isGone) made--;
        else free.push(own);
        pending.delete(done);
        send();
      });
      pending.add(done);
    }
  };
  while (next < end) {
    const now = performance.now();
    while (next <= now && next < end) {
      due.push(next);
      next += (-Math.log(1 - random()) * 1000) / rate;
    }
    send();
    // A generator that looks all the time would take a core from the server: requests go out up to a millisecond late.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (pending.size > 0 || due.length > 0) await Promise.race(pending);
  const took = (performance.now() - start) / 1000;
  free.forEach((connection) => connection.close());
  return record.result(took);
}

class Recording {
  readonly #latencies: number[] = [];
  readonly #statuses: Record<number, number> = {};

  add(status: number, ms: number): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (status === 200) this.#latencies.push(ms);
  }

  result(seconds: number): LoadResult {
    const latencies = this.#latencies.sort((a, b) => a - b);
    return { seconds, latencies, statuses: this.#statuses, rate: latencies.length / seconds };
  }
}

/** Park and Miller's generator: the same moments each time. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

export function percentile(latencies: readonly number[], share: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? NaN;
}
