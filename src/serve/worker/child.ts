import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { framed, FrameReader } from './frames.ts';

export interface ChildOptions {
  /** The compiled file that it runs. */
  readonly entry: string;
  /** Options of Node.js. */
  readonly flags?: readonly string[];
  /** Words for its entry. */
  readonly words?: readonly string[];
  /** True for a process that gets only processor time that nobody else wants. */
  readonly lowPriority?: boolean | undefined;
}

/** Bytes of a message that are put together sooner than written piece by piece. */
const MOST_COPIED = 2 ** 14;

/** A process of this server, which gets messages on its stdin and answers on descriptor 3. */
export class FramedProcess<To extends object, From> {
  /** Resolves, when it has ended, with the signal or the exit code, or with the reason why it did not start. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  constructor(
    { entry, flags = [], words = [], lowPriority }: ChildOptions,
    onMessage: (head: From, body: Uint8Array) => void,
  ) {
    // A group of its own: Ctrl-C in the terminal is for the server, which drains first.
    const stdio = ['pipe', 2, 2, 'pipe'] as const;
    const options = { stdio: [...stdio], detached: true, windowsHide: true };
    this.#child = spawn(process.execPath, [...flags, entry, ...words], options);
    if (lowPriority === true && this.#child.pid !== undefined)
      setPriority(this.#child.pid, constants.priority.PRIORITY_LOW);
    const reader = new FrameReader<From>(onMessage);
    (this.#child.stdio[3] as Readable).on('data', (chunk: Buffer) => reader.push(chunk));
    // What cannot be written any more is told by the end of the process.
    this.#child.stdin!.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: To, parts: readonly (readonly Uint8Array[])[]): void {
    const stdin: Writable = this.#child.stdin!;
    const pieces = framed(message, parts);
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    if (size <= MOST_COPIED) {
      stdin.write(Buffer.concat(pieces, size));
      return;
    }
    stdin.cork();
    for (const piece of pieces) stdin.write(piece);
    stdin.uncork();
  }

  /** Resolves when it has taken enough of what was sent that more may follow, or has ended. */
  async drained(): Promise<void> {
    const stdin = this.#child.stdin!;
    if (stdin.writableNeedDrain)
      await Promise.race([new Promise((resolve) => stdin.once('drain', resolve)), this.ended]);
  }

  /** No more messages; it ends when it has answered those it has. */
  close(): void {
    this.#child.stdin!.end();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
