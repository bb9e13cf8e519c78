import type { Log } from '../../../base/log.ts';
import type { Client } from '../../../serve/batch/queue.ts';
import { Refusal } from '../../../serve/refusal.ts';
import { FramedProcess } from '../../../serve/worker/child.ts';
import type { EndMessage, FromWriter, WriteMessage } from './messages.ts';
import { MOST_SECONDS } from './request.ts';

/** Jobs at a time. */
const MOST_JOBS = 32;

/** Messages of a job that nobody has taken yet. */
class Inbox {
  readonly #messages: (FromWriter | Error)[] = [];
  #wake: (() => void) | undefined;

  put(message: FromWriter | Error): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  async take(): Promise<FromWriter | Error> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#messages.shift()!;
  }
}

/** Writes behind prompts, in a process of its own that is started for the first request and replaced when it ends. */
export class Writer {
  readonly #entry: string;
  readonly #mostBytes: number;
  readonly #log: Log;
  readonly #inboxes = new Map<number, Inbox>();
  #child: FramedProcess<WriteMessage | EndMessage, FromWriter> | undefined;
  #next = 0;
  #isClosed = false;

  /** `entry`: the compiled `process.js`. `mostBytes`: memory of the process. */
  constructor(entry: string, mostBytes: number, log: Log) {
    this.#entry = entry;
    this.#mostBytes = mostBytes;
    this.#log = log;
  }

  /** Messages of a job, until its last one or until the client is gone. `Refusal` where too many jobs are written, and for what cannot be written. */
  async *write(
    job: Omit<WriteMessage, 'type' | 'id'>,
    client: Client,
  ): AsyncGenerator<Extract<FromWriter, { type: 'part' | 'usage' }>, void, undefined> {
    if (this.#inboxes.size >= MOST_JOBS || this.#isClosed)
      throw new Refusal(503, `${this.#inboxes.size} completions are being written`, {
        reason: 'REJECTED',
        retryAfterSeconds: 1,
      });
    const [id, inbox] = [this.#next++, new Inbox()];
    this.#inboxes.set(id, inbox);
    const child = (this.#child ??= this.#start());
    child.send({ ...job, type: 'write', id }, []);
    // It ends a job by itself between two tokens.
    const timer = setTimeout(() => child.kill(), 2000 * MOST_SECONDS);
    const looking = setInterval(() => {
      if (client.aborted) inbox.put(new Refusal(499, 'the client is gone', { reason: 'CANCELED' }));
    }, 100);
    let isDone = false;
    try {
      for (;;) {
        const message = await inbox.take();
        if (message instanceof Error) throw message;
        isDone = message.type !== 'part';
        if (message.type === 'bug') throw new Error(message.stack);
        if (message.type === 'refusal') throw new Refusal(message.status, message.message);
        yield message;
        if (isDone) return;
      }
    } finally {
      clearTimeout(timer);
      clearInterval(looking);
      this.#inboxes.delete(id);
      if (!isDone && this.#child === child) child.send({ type: 'end', id }, []);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#child?.kill();
    await this.#child?.ended;
  }

  #start(): FramedProcess<WriteMessage | EndMessage, FromWriter> {
    const child = new FramedProcess<WriteMessage | EndMessage, FromWriter>(
      { entry: this.#entry, words: [String(this.#mostBytes)] },
      (message) => this.#inboxes.get(message.id)?.put(message),
    );
    void child.ended.then((why) => {
      if (this.#child === child) this.#child = undefined;
      if (!this.#isClosed) this.#log.write('warn', `the process that writes completions ended (${why})`);
      for (const inbox of this.#inboxes.values())
        inbox.put(
          new Refusal(503, `the process that writes completions ended (${why})`, {
            reason: 'BACKEND',
            retryAfterSeconds: 1,
          }),
        );
    });
    return child;
  }
}
