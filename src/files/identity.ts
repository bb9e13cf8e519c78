import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { openToRead, readText } from '../base/files.ts';
import { isKerasFile } from './keras-names.ts';
import { importsOf } from './module-imports.ts';
import { onnxParts } from './onnx-file.ts';
import { weightFiles } from './tfjs-weights.ts';

/** Number of files read at a time. */
const AT_ONCE = 64;

/** Size and modification time of a file; for a folder, a hash over all its files. Undefined if it is missing. */
export async function stampOf(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isDirectory()) return `${found.size} ${found.mtimeMs}`;
  const names = await namesIn(file);
  const stamps: string[] = [];
  for (let from = 0; from < names.length; from += AT_ONCE)
    stamps.push(
      ...(await Promise.all(
        names.slice(from, from + AT_ONCE).map(async (name) => `${name} ${await stampOf(path.join(file, name))}`),
      )),
    );
  return sha256(stamps.join('\n'));
}

/**
 * Names of all files below a folder, in an order that does not depend on the machine. Files of file managers are skipped, as by readers of data;
 * links are followed.
 */
async function namesIn(folder: string, within: readonly string[] = []): Promise<string[]> {
  const place = await realpath(folder);
  // A link to a folder above it is not followed.
  if (within.includes(place)) return [];
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    if (name.startsWith('.') || name === '__MACOSX') continue;
    const entry = await stat(path.join(folder, name)).catch(() => undefined);
    if (entry?.isDirectory() === true) {
      const below = await namesIn(path.join(folder, name), [...within, place]);
      found.push(...below.map((inner) => path.join(name, inner)));
    } else if (entry !== undefined) found.push(name);
  }
  return found.sort();
}

/** Keys of a recipe whose file may refer to others. */
const KINDS = ['onnx', 'tfjs', 'module'] as const;

/**
 * Names of the files that belong to a file, relative to its folder: weights of a model, or imports of a module. Empty for a file of the wrong kind,
 * which its reader reports.
 */
export async function namesBeside(key: string, file: string): Promise<readonly string[]> {
  const kind = KINDS.find((one) => one === key);
  if (kind === undefined) return [];
  try {
    if (kind === 'module') return await importsOf(file);
    if (isKerasFile(file)) return [];
    if (kind === 'onnx' && !file.endsWith('.json')) return [...(await onnxParts(file)).files.keys()];
    return weightFiles((JSON.parse(await readText(file)) as { readonly weightsManifest?: unknown }).weightsManifest);
  } catch (error) {
    if (error instanceof UserError || error instanceof SyntaxError) return [];
    throw error;
  }
}

/** Hash of the content of a file, or of all files in a folder with their names. */
export async function contentHash(file: string): Promise<string> {
  if (!(await stat(file)).isDirectory()) return hashOfFile(file);
  const hashes: string[] = [];
  for (const name of await namesIn(file)) hashes.push(`${name} ${await hashOfFile(path.join(file, name))}`);
  return sha256(hashes.join('\n'));
}

async function hashOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of (await openToRead(file)).createReadStream()) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
