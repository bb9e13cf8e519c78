import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** What is said of a package that is not there. */
export const MISSING = 'missing';

export function limbeckVersion(): string {
  return versionIn(path.resolve(import.meta.dirname, '../../package.json'));
}

/** The version in the package.json of a package that does not export it. */
export function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    const version = versionIn(path.join(folder, name, 'package.json'));
    if (version !== MISSING) return version;
  }
  return MISSING;
}

function versionIn(file: string): string {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  } catch {
    return MISSING;
  }
}
