import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { built, ROOT } from '../../support/built.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { writeRecipe } from '../../support/tiny.ts';

const folder = temporaryFolder();

function write(name: string, text: string): void {
  const file = path.join(folder(), name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Limbeck in a folder of its own, where `addon` is what the set-up would have made. */
function install(addon: string): void {
  cpSync(built(), folder(), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder(), 'node_modules'));
  write('.venv/tensorflow/tfjs_binding.node', addon);
}

function limbeck(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, { cwd: folder(), encoding: 'utf8' });
}

/** What tfjs-node 4.22 does at run time, and Node 23 no longer can; and an addon in JavaScript. */
const NODE_23 = `
  import Module, { createRequire } from 'node:module';
  const util = createRequire(import.meta.url)('node:util');
  delete util.isNullOrUndefined;
  delete util.isArray;
  const { '.js': script, '.node': native } = Module._extensions;
  Module._extensions['.node'] = (module, file) => (file.endsWith('tfjs_binding.node') ? script : native)(module, file);
`;
const USES_BOTH = `
  const util = require('util');
  if (util.isNullOrUndefined(0) || !util.isNullOrUndefined(undefined) || !util.isNullOrUndefined(null)) throw new Error('null');
  if (!util.isArray([]) || util.isArray({ length: 0 })) throw new Error('array');
`;

it('finds the two functions of util that Node 23 removed', () => {
  install(`${USES_BOTH} module.exports = { TF_Version: '2.0.1', isUsingGpuDevice: () => false };`);
  const dist = '.venv/tensorflow/node_modules/@tensorflow/tfjs-node-gpu/dist';
  write(`${dist}/register_all_kernels.js`, USES_BOTH);
  write(`${dist}/nodejs_kernel_backend.js`, 'exports.NodeJSKernelBackend = class {};');
  write(`${dist}/saved_model.js`, '');
  write('.venv/tensorflow/package.json', '{}');
  write('node-23.mjs', NODE_23);
  const { stdout } = limbeck('--import', './node-23.mjs', 'dist/cli.js', 'doctor', '--json');
  const { engines } = JSON.parse(stdout) as { engines: readonly object[] };
  expect(engines[1]).toMatchObject({ name: 'tensorflow', usable: true, reason: 'libtensorflow 2.0.1 on cpu' });
});

it('gives a set-up of another clone, behind a link, the core of tfjs that this process has', () => {
  install('');
  rmSync(path.join(folder(), '.venv'), { recursive: true });
  const there = 'other/.venv/tensorflow';
  write(`${there}/tfjs_binding.node`, "module.exports = { TF_Version: '2.0.1', isUsingGpuDevice: () => false };");
  write(`${there}/node_modules/@tensorflow/tfjs/index.js`, "module.exports = require('@tensorflow/tfjs-core');");
  write('other/node_modules/@tensorflow/tfjs-core/index.js', "console.warn('a second core');");
  const dist = `${there}/node_modules/@tensorflow/tfjs-node-gpu/dist`;
  write(
    `${dist}/register_all_kernels.js`,
    "if (require('@tensorflow/tfjs').engine === undefined) throw new Error('no core');",
  );
  write(`${dist}/nodejs_kernel_backend.js`, 'exports.NodeJSKernelBackend = class {};');
  write(`${dist}/saved_model.js`, '');
  write('node-23.mjs', NODE_23);
  symlinkSync('other/.venv', path.join(folder(), '.venv'));
  const { stdout, stderr } = limbeck('--import', './node-23.mjs', 'dist/cli.js', 'doctor', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ engines: [{}, { reason: 'libtensorflow 2.0.1 on cpu' }] });
  expect(stderr).toBe('');
});

it.each([
  ['the engine', ['--engine', 'tensorflow']],
  ['a teacher', ['--set', 'teacher={savedModel: somewhere}']],
])('a broken addon that %s needs is known before the data is read', async (_, args) => {
  install('no addon');
  await writeRecipe(folder());
  const { status, stderr } = limbeck('dist/cli.js', 'run', 'tiny.yaml', ...args);
  expect(status).toBe(1);
  expect(stderr).toContain('tfjs_binding.node cannot be loaded');
  expect(stderr).toContain('npm run setup:tensorflow');
});
