import { openSync, read as readFile } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { inPieces } from '../../base/bytes.ts';
import { OpenFile } from '../../data/storage/sample-storage.ts';

/**
 * Puts the bytes of a model into a temporary file without a name, and returns a function that reads them. Workers that start later get the same
 * bytes, although the file they come from may be replaced meanwhile, and the server holds none of them. Without room on the disk it does.
 */
export async function spooled(bytes: Uint8Array, place = tmpdir()): Promise<() => Promise<Uint8Array>> {
  const kept = await unnamed(bytes, place).catch(() => undefined);
  // Closures of one function keep alive what any of them uses, so none here uses the bytes.
  return kept === undefined ? held(bytes) : contentOf.bind(undefined, kept, bytes.length);
}

function held(bytes: Uint8Array): () => Promise<Uint8Array> {
  return () => Promise.resolve(bytes);
}

async function unnamed(bytes: Uint8Array, place: string): Promise<OpenFile> {
  const folder = await mkdtemp(path.join(place, 'limbeck-model-'));
  try {
    const file = path.join(folder, 'model');
    await writeFile(file, bytes, { mode: 0o600 });
    return new OpenFile(openSync(file, 'r'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function contentOf({ descriptor }: OpenFile, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const piece of inPieces(bytes))
    for (const end = at + piece.length; at < end;) {
      const { bytesRead } = await promisify(readFile)(descriptor, bytes, at, end - at, at);
      if (bytesRead === 0) throw new Error('the temporary file of a model ends early');
      at += bytesRead;
    }
  return bytes;
}
