import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, openSync } from 'node:fs';
import { open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { epochSeconds } from '../../base/clock.ts';
import { ownFolder } from '../../base/folders/own-folder.ts';
import { cacheFolder } from '../../base/process/environment.ts';
import type { ImageOptions } from '../config.ts';
import { bytesOfSamples, heldIn, OpenFile } from '../storage/sample-storage.ts';
import type { HeldSamples } from '../storage/sample-storage.ts';

/** Bytes of a file before its pixels: a line of JSON, filled up with spaces. */
const HEADER = 256;
/** Fewer pictures are decoded in less time than a user would notice. */
const LEAST = 500;
/** The cache takes at most this share of the disk space that would be free without it. */
const SHARE = 0.25;
/** Number of files looked at at a time. */
const AT_ONCE = 64;
/** A file that was left unfinished for an hour belongs to a process that was killed. */
const LEFT_SECONDS = 3600;
const VERSION = 2;

/** Decoded pictures of an earlier run. */
export interface CachedPictures {
  /** [height, width, channels] */
  readonly shape: [number, number, number];
  /** The pixels, in a file that stays readable while it is open, also if it is removed. */
  readonly held: HeldSamples;
  /** Hash of the pixels. */
  readonly sha256: string;
  /** Hash of the bytes of the files, for pictures that are also needed as files. */
  readonly originals?: string | undefined;
}

/** Pictures that are read together. */
export interface PictureSource {
  /** The files that hold the pictures. */
  readonly files: readonly string[];
  /** Place of the pictures in the files, such as a column; absent for pictures with files of their own. */
  readonly within?: string | undefined;
  readonly count: number;
}

/**
 * Text that is equal for the same files, unchanged, prepared alike by the same decoders: each file by its path, size, time of its last change of content
 * or attributes, and inode. Undefined for files that cannot be looked at, and for too few pictures.
 */
export async function keyOfPictures(
  { files, within, count }: PictureSource,
  { resize, fit, channels }: ImageOptions,
): Promise<string | undefined> {
  if (count < LEAST) return undefined;
  const hash = createHash('sha256').update(
    JSON.stringify([VERSION, sharp.versions, resize, fit, channels, within, count]),
  );
  try {
    for (let from = 0; from < files.length; from += AT_ONCE) {
      const some = files.slice(from, from + AT_ONCE).map((file) => path.resolve(file));
      const found = await Promise.all(some.map((file) => stat(file, { bigint: true })));
      found.forEach(({ size, mtimeNs, ctimeNs, ino, dev }, i) =>
        hash.update(`${JSON.stringify(some[i])} ${[size, mtimeNs, ctimeNs, ino, dev].join(' ')}\n`),
      );
    }
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}

/** The pictures that `keepPictures` wrote under this key; undefined if there are none, or if the file is damaged. */
export async function picturesOf(key: string, count: number): Promise<CachedPictures | undefined> {
  try {
    const file = fileOf(key);
    if (file === undefined) return undefined;
    const descriptor = new OpenFile(openSync(file, 'r'));
    const handle = await open(file);
    const { buffer } = await handle.read(Buffer.alloc(HEADER), 0, HEADER, 0);
    const { size } = await handle.stat();
    await handle.close();
    const { shape, sha256, originals } = JSON.parse(buffer.toString()) as Omit<CachedPictures, 'held'>;
    const rowSize = shape[0] * shape[1] * shape[2];
    if (size !== HEADER + count * rowSize) return undefined;
    const rows = Int32Array.from({ length: count }, (_, row) => row);
    const held = heldIn({ file, open: descriptor, offset: HEADER, type: 'uint8', rowSize, rows });
    if (hashOf(held) !== sha256) return undefined;
    // The file that has been used least recently is the first to go.
    const now = new Date();
    await utimes(file, now, now);
    return { shape, held, sha256, originals };
  } catch {
    return undefined;
  }
}

/**
 * Keeps decoded pictures for later runs, where there is room; true if they are there. Of processes that keep the same pictures at once the last one's
 * file stays. The cache only saves time: what goes wrong here is no error.
 */
export async function keepPictures(
  key: string,
  { shape, held, originals }: Omit<CachedPictures, 'sha256'>,
): Promise<boolean> {
  let temporary: string | undefined;
  try {
    const file = fileOf(key);
    if (file === undefined) return false;
    temporary = `${file}.${randomBytes(6).toString('hex')}${UNFINISHED}`;
    const bytes = held.stored === undefined ? held.samples.byteLength : held.stored.rows.length * held.stored.rowSize;
    if (!(await makeRoom(path.dirname(file), HEADER + bytes))) return false;
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.write(Buffer.alloc(HEADER, ' '));
      const hash = createHash('sha256');
      for (const bytes of bytesOfSamples(held)) {
        hash.update(bytes);
        await handle.writeFile(bytes);
      }
      await handle.write(JSON.stringify({ shape, sha256: hash.digest('hex'), originals }), 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    return true;
  } catch {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined);
    return false;
  }
}

const UNFINISHED = '.tmp';

/**
 * Place of the pictures with this key, in a folder that no other user can enter: who may not read the files may not read what was decoded of them, and
 * nobody else's pixels pass for theirs. Undefined if the user turned the cache off.
 */
function fileOf(key: string): string | undefined {
  const folder = cacheFolder();
  if (folder === undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  return path.join(ownFolder(folder, 'pictures'), `${key}.pixels`);
}

function hashOf(held: HeldSamples): string {
  const hash = createHash('sha256');
  for (const bytes of bytesOfSamples(held)) hash.update(bytes);
  return hash.digest('hex');
}

/** Removes files of the cache, least recently used first, until a new file of `bytes` fits. False if it would not fit into an empty cache. */
async function makeRoom(folder: string, bytes: number): Promise<boolean> {
  const files: { file: string; size: number; mtimeMs: number }[] = [];
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    // Another process may have removed it.
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) continue;
    if (name.endsWith(UNFINISHED) && epochSeconds() - found.mtimeMs / 1000 > LEFT_SECONDS)
      await rm(file, { force: true });
    else files.push({ file, size: found.size, mtimeMs: found.mtimeMs });
  }
  const { bavail, bsize } = await statfs(folder);
  let taken = files.reduce((sum, { size }) => sum + size, 0);
  const most = SHARE * (bavail * bsize + taken);
  if (bytes > most) return false;
  for (const { file, size } of files.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (taken + bytes <= most) break;
    await rm(file, { force: true });
    taken -= size;
  }
  return true;
}
