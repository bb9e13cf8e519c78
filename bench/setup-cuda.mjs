/**
 * `npm run setup:cuda`: fetches the CUDA 12 and TensorRT providers of onnxruntime-node by that package's own script, which
 * takes them from NuGet (`npm ci` runs no scripts), and tries them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { cudaProviders } from './setup-parts.mjs';

const require = createRequire(import.meta.url);
const folder = join(dirname(require.resolve('onnxruntime-node')), '..');
const target = join(folder, 'bin', 'napi-v6', process.platform, process.arch);
const providers = cudaProviders(require(join(folder, 'script', 'install-metadata.js')), process.platform, process.arch);
const missing = () => providers.filter((file) => !existsSync(join(target, file)));

function fail(fact, remedy) {
  console.error(`setup:cuda: ${fact}\n${remedy}`);
  process.exit(1);
}

function run(...args) {
  return spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status;
}

if (providers.length === 0)
  fail(
    `onnxruntime-node has CUDA providers for Linux on x64 only, not for ${process.platform} ${process.arch}`,
    'Use --set device=webgpu, or dml on Windows, or coreml on macOS.',
  );
if (missing().length === 0) console.log(`there already: ${providers.join(', ')}`);
else {
  const status = run(join(folder, 'script', 'install.js'), '--onnxruntime-node-install=cuda12');
  if (status !== 0 || missing().length > 0)
    fail(
      `${missing().join(', ') || 'the providers'} could not be fetched: they come from api.nuget.org, not from the npm registry`,
      `Run this where that server is in reach, and copy ${providers.join(', ')} from there to ${target}.`,
    );
}
console.log('CUDA 12 and cuDNN 9 must be on the library path, and TensorRT 10 for TensorRT. What limbeck doctor says:');
const root = join(import.meta.dirname, '..');
const built =
  run(join(root, 'scripts', 'assets.mjs')) === 0 &&
  run(join(root, 'node_modules', 'typescript-7', 'bin', 'tsc'), '-p', join(root, 'tsconfig.build.json')) === 0;
process.exitCode = built ? run(join(root, 'dist', 'cli.js'), 'doctor') : 1;
