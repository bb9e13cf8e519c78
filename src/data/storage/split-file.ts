import { fstatSync, openSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import { bytesOf } from '../../base/bytes.ts';
import { sharedBytes, sharedFloats } from '../dataset.ts';
import type { RawSplit } from '../dataset.ts';
import { areBytes, heldIn, OpenFile } from './sample-storage.ts';
import type { StoredSamples } from './sample-storage.ts';
import type { Room } from './memory-budget.ts';

/** Bytes that are read or written in one call. */
const AT_ONCE = 2 ** 28;

/** Location of the samples: after the head of this file, or in another file, which the writing process keeps open. */
type Place =
  | { readonly type: StoredSamples['type']; readonly length: number }
  | (Omit<StoredSamples, 'open'> & { readonly path: string; readonly identity: string });

/**
 * Writes a split for another process of this machine: eight bytes with the length of the head, the head, the samples. False if writing fails, as on a
 * full disk: the other process then reads the split itself.
 */
export async function handOver(file: string, { samples, stored, ...rest }: RawSplit): Promise<boolean> {
  try {
    const place = stored === undefined ? placeOf({ samples }) : placeOfStored(stored);
    const head = serialize({ rest, place });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(head.length));
    const handle = await open(file, 'w', 0o600);
    try {
      const parts = [length, head, ...(stored === undefined ? [bytesOf(samples)] : [])];
      for (const part of parts) await writeAll(handle, part);
    } finally {
      await handle.close();
    }
    return true;
  } catch {
    await rm(file, { force: true }).catch(() => undefined);
    return false;
  }
}

/**
 * Reads a split that another process has written; undefined if the file does not exist, or its samples are in a file that this process cannot open.
 */
export async function takeOver(file: string, room?: Room): Promise<RawSplit | undefined> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const length = Buffer.alloc(8);
    await readAll(handle, length, 0);
    const head = Buffer.alloc(Number(length.readBigUInt64LE()));
    await readAll(handle, head, 8);
    const { rest, place } = deserialize(head) as { rest: Omit<RawSplit, 'samples' | 'stored'>; place: Place };
    if ('path' in place) {
      const stored = openedAt(place);
      return stored && { ...rest, ...heldIn(stored) };
    }
    // Without memory for the samples, this process reads the split itself and leaves it in a file.
    if (room?.take(place.length * (place.type === 'uint8' ? 1 : 4)) === false) return undefined;
    const samples = place.type === 'uint8' ? sharedBytes(place.length) : sharedFloats(place.length);
    await readAll(handle, bytesOf(samples), 8 + head.length);
    return { ...rest, samples };
  } finally {
    await handle.close();
  }
}

function placeOf(held: Pick<RawSplit, 'samples'>): Place {
  return { type: areBytes(held) ? 'uint8' : 'float32', length: held.samples.length };
}

/** Linux shows a process' open files, even unnamed ones, to other processes of the same user. */
function placeOfStored({ open: { descriptor }, ...stored }: StoredSamples): Place {
  return { ...stored, path: `/proc/${process.pid}/fd/${descriptor}`, identity: identityOf(descriptor) };
}

function openedAt({ path, identity, ...stored }: Extract<Place, { path: string }>): StoredSamples | undefined {
  try {
    const file = new OpenFile(openSync(path, 'r'));
    // In another PID namespace the path belongs to another process, so the file's identity is compared.
    return identityOf(file.descriptor) === identity ? { ...stored, open: file } : undefined;
  } catch {
    return undefined;
  }
}

function identityOf(descriptor: number): string {
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return `${dev}:${ino}`;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(AT_ONCE, bytes.length - at));
    at += bytesWritten;
  }
}

async function readAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(AT_ONCE, bytes.length - at), position + at);
    if (bytesRead === 0) throw new Error('a split that another process has handed over ends early');
    at += bytesRead;
  }
}
