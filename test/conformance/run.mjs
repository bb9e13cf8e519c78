/**
 * `npm run test:conformance -- [--tflite | --serve | --phones | --zoo | --tables] [--setup] [jest options]`: checks our files with the official Python
 * packages. Makes a virtual environment in .venv from requirements.txt first, if it is not there or the requirements have
 * changed. With --tflite the tests are those of TFLite files, with --serve those of the inference server, asked by Triton's
 * clients, with --phones those of a kit's samples for phones, with --zoo those of model files that others made, with --tables
 * those of scikit-learn and boosted trees; their packages have environments of their own. `text-student`, which trains a transformer for minutes, runs where it is named alone.
 */
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const group = ['tflite', 'serve', 'phones', 'zoo', 'tables'].find((name) => process.argv.includes(`--${name}`));
const venv = join(root, '.venv', ...(group === undefined ? [] : [group]));
const python = process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
const requirements = join(import.meta.dirname, `requirements${group === undefined ? '' : `-${group}`}.txt`);
/** npm packages that the tests of a group read, by the folder in .venv that each gets: they are no dependencies of Limbeck. */
const npmPackages = {
  conformance: { 'transformers-js': '@huggingface/transformers@4.3.2' },
  tflite: { 'tasks-text': '@mediapipe/tasks-text@1.0.1', 'tasks-vision': '@mediapipe/tasks-vision@1.1.0' },
}[group ?? 'conformance'];
/** Packages of which some files are wanted, without what they depend on. */
const alone = [join(import.meta.dirname, `requirements-${group}-alone.txt`)].filter((file) => existsSync(file));

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', cwd: root, env: { ...process.env, ...env } });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function setUpNpm() {
  for (const [name, wanted] of Object.entries(npmPackages ?? {})) {
    const place = join(root, '.venv', name);
    const stamp = join(place, 'package.txt');
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) continue;
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    run(npm, ['install', '--prefix', place, '--ignore-scripts', '--no-audit', '--no-fund', '--silent', wanted]);
    writeFileSync(stamp, wanted);
  }
}

function setUpPython() {
  const stamp = join(venv, 'requirements.sha256');
  const hash = createHash('sha256');
  for (const file of [requirements, ...alone]) hash.update(readFileSync(file));
  const wanted = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const base = process.platform === 'win32' ? 'python' : 'python3';
  if (!existsSync(python)) run(base, ['-m', 'venv', venv]);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  run(python, [...install, '-r', requirements]);
  for (const file of alone) run(python, [...install, '--no-deps', '--ignore-requires-python', '-r', file]);
  writeFileSync(stamp, wanted);
}

setUpPython();
setUpNpm();
const args = process.argv.slice(2).filter((arg) => !['--setup', `--${group}`].includes(arg));
if (!process.argv.includes('--setup')) {
  const isNamed = args[0] !== undefined && !args[0].startsWith('-');
  const others = ['tflite', 'serve', 'phones', 'zoo', 'tables', ...(isNamed ? [] : ['text-student'])].join('|');
  const all = `conformance/${group === undefined ? `(?!${others})` : `(?=${group})`}`;
  // `npm run test:conformance -- losses`: jest would run what fits either pattern.
  const [tests, ...options] = isNamed ? [`^(?=.*${all}).*(?:${args[0]})`, ...args.slice(1)] : [all, ...args];
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  run(process.execPath, [...jest, '--config', 'jest.conformance.config.js', tests, ...options], {
    CONFORMANCE_PYTHON: python,
  });
}
