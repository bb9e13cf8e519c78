import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './built.ts';

/**
 * The program as `npm run build` makes it, but for types, in a folder of its own that the caller removes: what a kit holds of it is what users get.
 * Gives its `cli.js`.
 */
export function buildProgram(): { readonly folder: string; readonly cli: string } {
  const cache = path.join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'program-'));
  const options = ['--noCheck', '--declaration', 'false', '--incremental', 'false', '--outDir', `${folder}/dist`];
  succeed(ROOT, 'scripts/assets.mjs', `${folder}/dist`);
  succeed(ROOT, path.join(ROOT, 'node_modules/typescript-7/bin/tsc'), '-p', 'tsconfig.build.json', ...options);
  cpSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  return { folder, cli: path.join(folder, 'dist/cli.js') };
}

/** Runs a program in Node to its end; an Error with what it said where it fails. */
export function succeed(cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with code ${String(status)}:\n${stdout}${stderr}`);
  return stdout;
}
