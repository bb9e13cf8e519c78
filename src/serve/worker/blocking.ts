import { readSync, writevSync } from 'node:fs';
import { START_BYTES } from './frames.ts';

/**
 * Blocking reads and writes on pipes. A worker does one thing at a time, and `run()` blocks it anyway: without an event loop
 * between the pipe and the runtime a message of 3 KB goes there and back in 27 µs, through `process.send` in 50.
 */
export function readFrame(fd: number): { readonly head: unknown; readonly body: Uint8Array } | undefined {
  const start = Buffer.alloc(START_BYTES);
  if (!readFully(fd, start)) return undefined;
  const text = Buffer.alloc(start.readUInt32LE(0));
  const body = new Uint8Array(start.readUInt32LE(4));
  if (!readFully(fd, text) || !readFully(fd, body)) return undefined;
  return { head: JSON.parse(text.toString('utf8')) as unknown, body };
}

/** False at the end of the pipe: the server is gone. */
function readFully(fd: number, target: Uint8Array): boolean {
  for (let at = 0; at < target.length;) {
    try {
      const count = readSync(fd, target, at, target.length - at, null);
      if (count === 0) return false;
      at += count;
    } catch (error) {
      if (!isTemporary(error)) throw error;
    }
  }
  return true;
}

export function writeParts(fd: number, parts: readonly Uint8Array[]): void {
  let rest = [...parts];
  while (rest.length > 0) {
    try {
      rest = after(rest, writevSync(fd, rest));
    } catch (error) {
      if (!isTemporary(error)) throw error;
    }
  }
}

function after(parts: readonly Uint8Array[], written: number): Uint8Array[] {
  let gone = written;
  let i = 0;
  while (i < parts.length && gone >= parts[i]!.length) gone -= parts[i++]!.length;
  const rest = parts.slice(i);
  if (gone > 0) rest[0] = rest[0]!.subarray(gone);
  return rest;
}

function isTemporary(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'EAGAIN' || code === 'EINTR';
}
