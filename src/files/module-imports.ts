import { stat } from 'node:fs/promises';
import path from 'node:path';
import { readText } from '../base/files.ts';

/** A name that begins with ./ or ../ in an import, export, require or URL. */
const RELATIVE = /\b(?:from|import|require|URL)\s*\(?\s*(["'`])(\.\.?\/[^"'`\n]+)\1/g;

/** Extensions that `require` tries. */
const ENDINGS = ['', '.js', '.json', '.cjs', '.mjs', '/index.js'];

/**
 * Names of the files that a JavaScript module imports by a relative name, directly or indirectly, relative to its folder. Packages and computed names
 * are not followed; text that only looks like an import, as in a comment, counts if such a file exists.
 */
export async function importsOf(file: string): Promise<string[]> {
  const folder = path.dirname(file);
  const found = new Set([path.resolve(file)]);
  for (const module of found) {
    if (!/\.[cm]?[jt]s$/.test(module)) continue;
    const names = [...(await readText(module)).matchAll(RELATIVE)].map(([, , name]) => name!);
    for (const name of names) {
      const imported = await fileOf(path.resolve(path.dirname(module), decoded(name)));
      if (imported !== undefined) found.add(imported);
    }
  }
  found.delete(path.resolve(file));
  return [...found].map((one) => path.relative(folder, one)).sort();
}

/** The name without a query, its percent encodings decoded. */
function decoded(name: string): string {
  const [plain] = name.split(/[?#]/) as [string];
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}

async function fileOf(name: string): Promise<string | undefined> {
  for (const ending of ENDINGS) {
    const found = await stat(name + ending).catch(() => undefined);
    if (found?.isFile() === true) return name + ending;
  }
  return undefined;
}
