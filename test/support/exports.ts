import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../src/base/bytes.ts';

/** Hashes of the exports of the run `r` in a folder, by file. */
export async function exportsOf(out: string): Promise<Record<string, string>> {
  const of = path.join(out, 'r/exports');
  const names = (await readdir(of)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, sha256(await readFile(path.join(of, name)))] as const)),
  );
}
