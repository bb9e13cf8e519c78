import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';

/**
 * `npm run -s loaded -- RECIPE [--set key=value] [--why FILE] [--list]`: the files and lines of `src` that all processes and threads of a run load.
 * Trainings last an epoch. `--why` prints the chain of imports that loads a file first, `--list` all files. Words after `--` are a command line that is
 * traced instead. `--program`: the folder with `dist/cli.js`, by default this one, after `npm run build`.
 */
const root = path.resolve(import.meta.dirname, '..');

/** Files of `src` that the command line loads, each with the file that imported it first. */
function loadedBy(args, program) {
  const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-loaded-'));
  try {
    const log = path.join(folder, 'log.tsv');
    const hook = pathToFileURL(path.join(import.meta.dirname, 'loaded-hook.mjs')).href;
    const preload = `data:text/javascript,import { register } from 'node:module'; register(${JSON.stringify(hook)});`;
    const { status, stderr, stdout } = spawnSync(process.execPath, [path.join(program, 'dist/cli.js'), ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, LIMBECK_LOADED: log, NODE_OPTIONS: `--import "${preload.replaceAll('"', '\\"')}"` },
    });
    if (status !== 0) throw new Error(`limbeck ${args.join(' ')}: exit code ${status}\n${stdout}${stderr}`);
    return sourcesOf(readFileSync(log, 'utf8'), program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Arguments of a run of the recipe in which each training lasts an epoch. */
function shortRun(recipe, settings = []) {
  const file = path.resolve(recipe);
  const epochs = pathsOf(parse(readFileSync(file, 'utf8')), 'epochs').map((key) => `${key}=1`);
  return ['run', file, '--out', 'runs', ...[...epochs, ...settings].flatMap((setting) => ['--set', setting])];
}

function pathsOf(value, name, at = '') {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === name ? [`${at}${key}`] : pathsOf(inner, name, `${at}${key}.`),
  );
}

function sourcesOf(log, program) {
  const importers = new Map();
  for (const line of log.trimEnd().split('\n')) {
    const [importer, file] = line.split('\t').map((url) => sourceOf(url, program));
    if (file !== undefined && !importers.has(file)) importers.set(file, importer);
  }
  return importers;
}

/** `src/cli.ts` of the URL of `dist/cli.js`. */
function sourceOf(url, program) {
  if (!url.startsWith('file:')) return undefined;
  const [top, ...rest] = path.relative(program, fileURLToPath(url)).split(path.sep);
  return top === 'dist' ? ['src', ...rest].join('/').replace(/\.js$/, '.ts') : undefined;
}

function linesOf(files) {
  return files.reduce((sum, file) => sum + readFileSync(path.join(root, file), 'utf8').split('\n').length - 1, 0);
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      why: { type: 'string' },
      program: { type: 'string', default: root },
      list: { type: 'boolean', default: false },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const isRecipe = positionals.length === 1 && /\.ya?ml$/.test(positionals[0]);
  const args = isRecipe ? shortRun(positionals[0], values.set) : positionals;
  const loaded = loadedBy(args, path.resolve(values.program));
  if (values.why !== undefined) {
    if (!loaded.has(values.why)) throw new Error(`${values.why}: not loaded`);
    for (let file = values.why; file !== undefined; file = loaded.get(file)) console.log(file);
    return;
  }
  const files = [...loaded.keys()].sort();
  if (values.list) for (const file of files) console.log(`${linesOf([file])} ${file}`);
  console.log(`${files.length} files, ${linesOf(files)} lines`);
}

main();
