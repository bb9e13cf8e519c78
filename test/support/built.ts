import { transformSync } from '@swc/core';
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/limbeck');

/**
 * The program as JavaScript, for tests that start processes: a folder with `dist/cli.js`. It is made once per content of
 * `src` and package.json, without checking types.
 */
export function built(): string {
  // Once per test file: sources that change meanwhile must not change the program under test.
  return (made ??= build());
}

let made: string | undefined;

function build(): string {
  const files = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(path.join(ROOT, 'src', file)).isFile())
    .sort();
  const sources = files.map((file) => readFileSync(path.join(ROOT, 'src', file), 'utf8'));
  const proto = readFileSync(path.join(ROOT, 'docs/inference.proto'), 'utf8');
  const hash = createHash('sha256')
    .update(JSON.stringify([files, sources, proto, readFileSync(path.join(ROOT, 'package.json'), 'utf8')]))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(CACHE, hash);
  if (existsSync(folder)) return folder;
  const temporary = `${folder}.${randomBytes(4).toString('hex')}`;
  files.forEach((file, i) => {
    if (!file.endsWith('.ts') || file.includes(`${path.sep}samples${path.sep}`)) return;
    const { code } = transformSync(sources[i]!, {
      filename: file,
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'es6' },
    });
    const target = path.join(temporary, 'dist', file.replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, code.replace(/((?:from|import\(|import)\s*["']\.[^"']*)\.ts(["'])/g, '$1.js$2'));
  });
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/assets.mjs'), path.join(temporary, 'dist')]);
  cpSync(path.join(ROOT, 'package.json'), path.join(temporary, 'package.json'));
  cpSync(path.join(ROOT, 'docs/inference.proto'), path.join(temporary, 'docs/inference.proto'));
  try {
    for (const old of readdirSync(CACHE))
      if (isOld(path.join(CACHE, old))) rmSync(path.join(CACHE, old), { recursive: true });
    renameSync(temporary, folder);
  } catch {
    // Another test has built the same meanwhile.
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** An hour without a build: no test that is running uses it. */
function isOld(folder: string): boolean {
  return Date.now() - statSync(folder).mtimeMs > 3_600_000;
}

export interface Finished {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Start the command line in `cwd`, after `preload`, JavaScript that runs first. */
export function start(cwd: string, args: readonly string[], preload?: string) {
  const before = preload === undefined ? [] : [`--import=data:text/javascript,${encodeURIComponent(preload)}`];
  const child = spawn(process.execPath, [...before, path.join(built(), 'dist/cli.js'), ...args], { cwd });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => (stdout += String(data)));
  child.stderr.on('data', (data) => (stderr += String(data)));
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, finished, output: () => stdout };
}

export function limbeck(cwd: string, ...args: string[]): Promise<Finished> {
  return start(cwd, args).finished;
}
