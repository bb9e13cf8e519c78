import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';

/** Folder that `npm run setup:tensorflow` makes, in a folder above this file; docs/gpu.md lists its content. */
export const MADE = path.join('.venv', 'tensorflow');
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;
const REMEDY = 'Run npm run setup:tensorflow in a clone of Limbeck, which builds it, or use --engine onnxruntime.';

/** tfjs-node with its addon. */
export interface FoundLibrary {
  readonly packageName: string;
  readonly folder: string;
  readonly addon: string;
}

/** Path of its addon, searched from a folder of this package upwards; `UserError` with the remedy if it is not installed. */
export function locateTensorFlow(from?: string): string {
  return locate(from).addon;
}

/** Finds the library; the set-up's comes first, because it is newer. */
export function locate(from: string = import.meta.dirname): FoundLibrary {
  for (let folder = from; path.dirname(folder) !== folder; folder = path.dirname(folder)) {
    const made = path.join(folder, MADE);
    const addon = path.join(made, 'tfjs_binding.node');
    const [packageName] = PACKAGES;
    if (existsSync(addon)) return { packageName, folder: path.join(made, 'node_modules', packageName), addon };
  }
  const installed = PACKAGES.flatMap((name) => installedPackage(name, from) ?? []);
  const usable = installed.find(({ addon }) => existsSync(addon));
  if (usable !== undefined) return usable;
  throw new UserError(
    installed[0] === undefined
      ? 'engine tensorflow: it is not installed'
      : `engine tensorflow: ${installed[0].packageName} is installed, but its native addon is not`,
    REMEDY,
  );
}

function installedPackage(packageName: string, from: string): FoundLibrary | undefined {
  const require = createRequire(path.join(from, 'package.json'));
  for (const modules of require.resolve.paths(packageName) ?? []) {
    const folder = path.join(modules, packageName);
    if (!existsSync(path.join(folder, 'package.json'))) continue;
    const lib = path.join(folder, 'lib');
    // A folder for each version of Node-API, of which the highest suits a current Node.
    const versions = existsSync(lib) ? readdirSync(lib).filter((name) => name.startsWith('napi-v')) : [];
    const newest = versions.sort((a, b) => Number(a.slice(6)) - Number(b.slice(6))).at(-1) ?? 'napi-v8';
    return { packageName, folder, addon: path.join(lib, newest, 'tfjs_binding.node') };
  }
  return undefined;
}
