/**
 * `npm run setup:cuda`: fetches the CUDA 12 and TensorRT providers of onnxruntime-node by that package's own script, which
 * takes them from NuGet (`npm ci` runs no scripts), and says what else has to be there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const folder = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..');
const provider = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';
const target = join(folder, 'bin', 'napi-v6', process.platform, process.arch, provider);

function fail(fact, remedy) {
  console.error(`setup:cuda: ${fact}\n${remedy}`);
  process.exit(1);
}

if (process.arch !== 'x64' || !['linux', 'win32'].includes(process.platform))
  fail(
    `ONNX Runtime publishes CUDA providers for Linux and Windows on x64, not for ${process.platform} ${process.arch}`,
    'Use --set device=webgpu, or coreml on macOS.',
  );
if (existsSync(target)) console.log(`${provider} is there already`);
else {
  const args = [join(folder, 'script', 'install.js'), '--onnxruntime-node-install=cuda12'];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0 || !existsSync(target))
    fail(
      `${provider} could not be fetched: it comes from api.nuget.org, not from the npm registry`,
      `Run this where that server is in reach, and copy ${dirname(target)} from there.`,
    );
}
console.log('CUDA 12 and cuDNN 9 must be on the library path, and TensorRT 10 for TensorRT. limbeck doctor tries it.');
