/**
 * `npm run test:conformance -- [--tflite | --serve] [--setup] [jest options]`: checks our files with the official Python
 * packages. Makes a virtual environment in .venv from requirements.txt first, if it is not there or the requirements have
 * changed. With --tflite the tests are those of TFLite files; TensorFlow, which is large, has an environment of its own. With
 * --serve they are those of the inference server, asked by Triton's clients.
 */
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const own = ['tflite', 'serve'].find((name) => process.argv.includes(`--${name}`));
const tflite = own === 'tflite';
const venv = join(root, '.venv', ...(own === undefined ? [] : [own]));
const python = process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
const requirements = join(import.meta.dirname, own === undefined ? 'requirements.txt' : `requirements-${own}.txt`);
/** Packages of which one file is wanted, without what they depend on. */
const alone = tflite ? [join(import.meta.dirname, 'requirements-tflite-alone.txt')] : [];

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', cwd: root, env: { ...process.env, ...env } });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function setUp() {
  const stamp = join(venv, 'requirements.sha256');
  const hash = createHash('sha256');
  for (const file of [requirements, ...alone]) hash.update(readFileSync(file));
  const wanted = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const base = process.platform === 'win32' ? 'python' : 'python3';
  if (!existsSync(python)) run(base, ['-m', 'venv', venv]);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  run(python, [...install, '-r', requirements]);
  for (const file of alone) run(python, [...install, '--no-deps', '-r', file]);
  writeFileSync(stamp, wanted);
}

setUp();
const args = process.argv.slice(2).filter((arg) => arg !== '--setup' && arg !== `--${own}`);
if (!process.argv.includes('--setup')) {
  const group = own === undefined ? 'conformance/(?!tflite|serve)' : `conformance/${own}`;
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  run(process.execPath, [...jest, '--config', 'jest.conformance.config.js', group, ...args], {
    CONFORMANCE_PYTHON: python,
  });
}
