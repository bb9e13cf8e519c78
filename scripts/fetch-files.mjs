/** Files of other projects that are fetched and not part of this repository, each with the checksum of its bytes. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Longest wait for one file, in milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * Fetches the files that `folder` lacks from `address`, a URL that ends in `/`: names with their SHA-256. All are checked before one is written,
 * and each is renamed when it is whole, so an error leaves the folder as it was. Returns the paths of those that were fetched. An Error says
 * which file cannot be fetched, or is another one, and what to do.
 */
export async function fetchFiles(address, folder, files) {
  if (!address.endsWith('/')) throw new Error(`expected an address that ends in /, received ${address}`);
  const missing = Object.entries(files).filter(([name, sha256]) => {
    const file = path.join(folder, name);
    if (!existsSync(file)) return true;
    const found = hashOf(readFileSync(file));
    if (found === sha256) return false;
    throw new Error(`${file} has the checksum ${found}, expected ${sha256}: remove it, and it is fetched anew`);
  });
  const fetched = [];
  for (const [name, sha256] of missing) fetched.push([name, await fetchFile(new URL(name, address), folder, sha256)]);
  mkdirSync(folder, { recursive: true });
  return fetched.map(([name, bytes]) => {
    const file = path.join(folder, name);
    writeFileSync(`${file}.half`, bytes);
    renameSync(`${file}.half`, file);
    return file;
  });
}

async function fetchFile(url, folder, sha256) {
  const bytes = await bytesOf(url).catch((error) => {
    const why = error.cause?.message || error.cause?.code || error.message;
    throw new Error(
      `${url} cannot be fetched: ${why}. Fetch it where it can be reached, and put it into ${folder}: its SHA-256 is ${sha256}`,
    );
  });
  const found = hashOf(bytes);
  if (found === sha256) return bytes;
  throw new Error(
    `${url}: ${bytes.length} bytes with the checksum ${found}, expected ${sha256}. Some networks answer with a page of their own: look at what comes`,
  );
}

async function bytesOf(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`the answer is ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

function hashOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
