import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { packageFolder } from '../base/process/packages.ts';

/** Modules of packages that the converter imports, by specifier: the package's name, and the file for browsers. */
const PACKAGES: Readonly<Record<string, readonly [name: string, file: string]>> = {
  '@bufbuild/protobuf': ['@bufbuild/protobuf', 'dist/esm/index.js'],
  '@bufbuild/protobuf/codegenv2': ['@bufbuild/protobuf', 'dist/esm/codegenv2/index.js'],
  '@bufbuild/protobuf/wire': ['@bufbuild/protobuf', 'dist/esm/wire/index.js'],
  fflate: ['fflate', 'esm/browser.js'],
  flatbuffers: ['flatbuffers', 'mjs/flatbuffers.js'],
  h5wasm: ['h5wasm', 'dist/esm/hdf5_hl.js'],
};

/** Comments before declarations of our own modules, a third of their bytes. */
const DESCRIPTION = /^[ \t]*\/\*\*[^`]*?\*\/[ \t]*\n?/gm;

/** Folder of the compiled program, whose modules have the same places below `app/`. */
const PROGRAM = path.join(import.meta.dirname, '..');

/** Specifiers of static and dynamic imports and of re-exports. */
const IMPORT = /(\bfrom\s*|^\s*import\s*|\bimport\(\s*)(["'])([^"'\n]+)\2/gm;

/**
 * Compiled modules with all that they import, by their addresses below `app/`. Browsers find no package by its name, and workers read no import map, so
 * specifiers of packages become addresses.
 */
export async function modulesFrom(entries: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const waiting = [...entries];
  for (const address of waiting) {
    const text = await readFile(fileAt(address), 'utf8');
    const linked = text.replace(IMPORT, (whole, before: string, quote: string, to: string) => {
      const other = addressOf(address, to);
      if (other === undefined) return whole;
      if (!waiting.includes(other)) waiting.push(other);
      const relative = path.posix.relative(path.posix.dirname(address), other);
      return `${before}${quote}${relative.startsWith('.') ? relative : `./${relative}`}${quote}`;
    });
    const isOwn = !address.startsWith('packages/');
    found.set(address, new TextEncoder().encode(isOwn ? linked.replace(DESCRIPTION, '') : linked));
  }
  return found;
}

const packagePath = (name: string, file: string): string => path.posix.join('packages', name, file);

function addressOf(from: string, to: string): string | undefined {
  if (to.startsWith('.')) return path.posix.join(path.posix.dirname(from), to);
  const place = Object.hasOwn(PACKAGES, to) ? PACKAGES[to] : undefined;
  return place && packagePath(...place);
}

function fileAt(address: string): string {
  const name = [...new Set(Object.values(PACKAGES).map(([one]) => one))].find((one) =>
    address.startsWith(`${packagePath(one, '')}/`),
  );
  if (name === undefined) return path.join(PROGRAM, address);
  const folder = packageFolder(name);
  if (folder === undefined) throw new Error(`the package ${name}, on which this program depends, is not installed`);
  return path.join(folder, address.slice(packagePath(name, '').length + 1));
}
