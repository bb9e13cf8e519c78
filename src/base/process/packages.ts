import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { UserError } from '../errors.ts';

const MISSING = 'missing';

const MANIFEST = path.resolve(import.meta.dirname, '../../../package.json');

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/**
 * Folder of an installed package as Node resolves it from the file `from`; undefined if it is not installed. By folder, because many packages do not
 * export their package.json.
 */
export function packageFolder(name: string, from: string = import.meta.filename): string | undefined {
  return (createRequire(from).resolve.paths(name) ?? [])
    .map((modules) => path.join(modules, name))
    .find((folder) => existsSync(path.join(folder, 'package.json')));
}

/** Version of an installed package; `missing` if it is not installed or its package.json is unreadable. */
export function versionOf(name: string): string {
  const folder = packageFolder(name);
  return (folder && manifestIn(folder)?.version) ?? MISSING;
}

export function limbeckVersion(): string {
  return manifestIn(path.dirname(MANIFEST))?.version ?? MISSING;
}

/** Names of the required packages. */
export function requiredPackages(): string[] {
  return Object.keys(own().dependencies);
}

/**
 * `UserError` with the install command if a package is missing. They are the optional peer dependencies of package.json, named in docs/install.md;
 * `what` needs them, such as `export: [tflite]`.
 */
export function needPackages(what: string, names: readonly string[], from?: string): void {
  const absent = names.filter((name) => packageFolder(name, from) === undefined);
  if (absent.length === 0) return;
  throw new UserError(
    `${what}: ${absent.join(' and ')} ${absent.length === 1 ? 'is' : 'are'} not installed`,
    `Run: ${installCommand(absent)}`,
  );
}

/** Command that installs packages in the versions that this version of Limbeck is tested with. */
export function installCommand(names: readonly string[]): string {
  const { peerDependencies } = own();
  const words = names.map((name) => `${name}@${peerDependencies[name]!.replace(/^\^/, '')}`);
  return `npm install --ignore-scripts ${words.join(' ')}`;
}

function own(): Manifest {
  return JSON.parse(readFileSync(MANIFEST, 'utf8')) as Manifest;
}

function manifestIn(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}
