/**
 * `npm run setup:tensorflow [-- --cuda | --no-cuda | --clean]`: makes `--engine tensorflow` work. It builds the addon of
 * @tensorflow/tfjs-node-gpu from that package's own C++ sources against the libtensorflow inside of PyPI's wheel, because
 * the prebuilt addon is for TensorFlow 2.9 and CUDA 11 and lies on a server that many machines cannot reach. Everything is
 * in .venv/tensorflow: nothing else on the machine changes, --clean takes it away. What an interrupted run has finished is
 * not done again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { cudaPackages, gpuFault, installAll, linkCuda, startOver, whole } from './setup-parts.mjs';

const TENSORFLOW = '2.19.0';
/** npm packages that are unpacked without their install scripts and without what they depend on for those. */
const PACKAGES = {
  '@tensorflow/tfjs-node-gpu': '4.22.0',
  'google-protobuf': '3.21.4',
  'node-api-headers': '1.9.0',
};
/** A wheel for any Python will do: only its libraries and headers are used. */
const PYTHON = '3.11';

/** In the wheel: whether it was built for CUDA. */
const BUILD_INFO = 'tensorflow/python/platform/build_info.py';

const root = join(import.meta.dirname, '..');
const home = join(root, '.venv', 'tensorflow');
const site = join(home, 'site');
const modules = join(home, 'node_modules');
const library = join(site, 'tensorflow', 'libtensorflow_cc.so.2');
const addon = join(home, 'tfjs_binding.node');
const python = join(home, 'python', 'bin', 'python');

const { values: options } = parseArgs({
  options: { cuda: { type: 'boolean' }, clean: { type: 'boolean', default: false } },
  allowNegative: true,
});

function fail(fact, remedy) {
  console.error(`setup:tensorflow: ${fact}\n${remedy}`);
  process.exit(1);
}

function run(command, args, remedy, settings = {}) {
  const { status, error, stdout } = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...settings });
  if (error || status !== 0) fail(`${command} ${args[0]} failed${error ? `: ${error.message}` : ''}`, remedy);
  return String(stdout);
}

function unpackPackages() {
  for (const [name, version] of Object.entries(PACKAGES)) {
    whole(join(modules, name), (folder) => {
      const packed = join(home, 'packed');
      mkdirSync(packed, { recursive: true });
      const out = run('npm', ['pack', '--silent', '--pack-destination', packed, `${name}@${version}`], NETWORK);
      mkdirSync(folder, { recursive: true });
      run(
        'tar',
        ['xzf', join(packed, out.trim().split('\n').at(-1)), '-C', folder, '--strip-components=1'],
        'Install tar.',
      );
      rmSync(packed, { recursive: true });
    });
  }
  // The package wants all of tfjs, of which it uses the core alone: that of this repository.
  const alias = join(modules, '@tensorflow', 'tfjs');
  mkdirSync(alias, { recursive: true });
  writeFileSync(join(alias, 'index.js'), "module.exports = require('@tensorflow/tfjs-core');\n");
}

const NETWORK = 'The npm registry and PyPI must be in reach; run this again to go on where it stopped.';

function pip(...args) {
  if (!existsSync(python)) {
    run(
      'python3',
      ['-m', 'venv', join(home, 'python')],
      'Install Python 3 with venv (on Debian: apt-get install python3-venv).',
    );
  }
  run(python, ['-m', 'pip', '--quiet', '--disable-pip-version-check', ...args], NETWORK);
}

/** Libraries and C headers out of the wheel; its 500 MB of Python and C++ headers stay inside. */
const EXTRACT = `
import re, sys, zipfile
wheel, target = sys.argv[1:]
kept = re.compile(r'tensorflow/(libtensorflow[^/]*|include/(tensorflow/(c|core/platform|tsl/platform)|tsl/platform|xla/tsl/c)/.*\\.h)$|tensorflow/python/platform/build_info\\.py$|[^/]*dist-info/METADATA$')
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        if kept.match(entry.filename): archive.extract(entry, target)
`;

function fetchLibrary(cuda) {
  whole(site, (folder) => {
    const wheels = join(home, 'wheels');
    const name = cuda || process.arch !== 'x64' ? 'tensorflow' : 'tensorflow-cpu';
    const machine = process.arch === 'x64' ? 'x86_64' : 'aarch64';
    const platforms = ['manylinux_2_17', 'manylinux2014'].flatMap((p) => ['--platform', `${p}_${machine}`]);
    const exactly = ['--no-deps', '--only-binary=:all:', '--python-version', PYTHON, ...platforms];
    console.log(`fetching ${name} ${TENSORFLOW}, some hundred megabytes`);
    pip('download', ...exactly, '--dest', wheels, `${name}==${TENSORFLOW}`);
    const wheel = readdirSync(wheels).find((file) => file.startsWith('tensorflow'));
    run(python, ['-c', EXTRACT, join(wheels, wheel), folder], 'Is the disk full? 2 GB are needed.');
    if (cuda) fetchCuda(folder, exactly);
    rmSync(wheels, { recursive: true });
  });
}

/** The CUDA libraries that this TensorFlow was built with, from PyPI as well, where its loader looks: beside it. */
function fetchCuda(folder, exactly) {
  const info = readdirSync(folder).find((name) => name.endsWith('.dist-info'));
  const fault = gpuFault(readFileSync(join(folder, BUILD_INFO), 'utf8'), true);
  if (fault !== undefined) fail(...fault);
  const packages = cudaPackages(readFileSync(join(folder, info, 'METADATA'), 'utf8'));
  console.log('fetching the CUDA libraries, some gigabytes');
  pip(...installAll(exactly, folder, packages));
  linkCuda(folder);
}

function build() {
  const compiler = process.env.CXX ?? 'g++';
  const sources = join(modules, '@tensorflow', 'tfjs-node-gpu');
  const folder = dirname(library);
  const headers = [join(modules, 'node-api-headers', 'include'), join(folder, 'include'), sources];
  whole(addon, (file) => {
    console.log('compiling the addon');
    const flags = ['-shared', '-fPIC', '-O2', '-std=c++17', '-w', '-DNAPI_VERSION=8', ...headers.map((h) => `-I${h}`)];
    const code = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(sources, 'binding', name));
    const libraries = readdirSync(folder).filter((name) => /^libtensorflow_(cc|framework)\.so\.\d+$/.test(name));
    const links = [`-L${folder}`, ...libraries.map((name) => `-l:${name}`), '-Wl,-rpath,$ORIGIN/site/tensorflow'];
    run(
      compiler,
      [...flags, ...code, '-o', file, ...links],
      'Install a C++ compiler (on Debian: apt-get install g++).',
    );
  });
}

/** Ten steps of a small net, by tfjs' own optimizer; the loss must fall. With CUDA, on a GPU. */
async function check(cuda) {
  const require = createRequire(join(modules, '@tensorflow', 'tfjs-node-gpu', 'package.json'));
  const util = require('node:util');
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  const tf = await import('@tensorflow/tfjs-core');
  const { layers, sequential } = await import('@tensorflow/tfjs-layers');
  const binding = require(addon);
  require('./dist/register_all_kernels.js');
  const { NodeJSKernelBackend } = require('./dist/nodejs_kernel_backend.js');
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu'));
  await tf.setBackend('tensorflow');
  const net = sequential({
    layers: [layers.dense({ units: 32, activation: 'relu', inputShape: [16] }), layers.dense({ units: 1 })],
  });
  const x = tf.randomNormal([64, 16], 0, 1, 'float32', 7);
  const y = tf.sum(x, 1, true);
  const optimizer = tf.train.adam(0.01);
  const losses = [];
  for (let i = 0; i < 10; i++) {
    const loss = optimizer.minimize(() => tf.mean(tf.squaredDifference(net.apply(x), y)), true);
    losses.push(loss.dataSync()[0]);
  }
  if (!(losses.at(-1) < losses[0])) fail(`the loss does not fall: ${losses.join(', ')}`, 'Please report this.');
  const gpu = binding.isUsingGpuDevice();
  const fault = cuda ? gpuFault(readFileSync(join(site, BUILD_INFO), 'utf8'), gpu) : undefined;
  if (fault !== undefined) fail(...fault);
  console.log(`ten steps: loss ${losses[0].toFixed(4)} to ${losses.at(-1).toFixed(4)}`);
  console.log(
    `engine tensorflow: libtensorflow ${binding.TF_Version} on ${gpu ? 'GPU' : 'CPU'}, ${relative(root, addon)}`,
  );
}

if (options.clean) {
  rmSync(home, { recursive: true, force: true });
  console.log(`removed ${relative(root, home)}`);
} else {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))
    fail(
      `it can build on Linux x64 and arm64, not on ${process.platform} ${process.arch}`,
      'There, npm install @tensorflow/tfjs-node with its install script; the engine takes that if it is found.',
    );
  const cuda = startOver(home, { TENSORFLOW, ...PACKAGES }, options.cuda);
  unpackPackages();
  fetchLibrary(cuda);
  build();
  await check(cuda);
}
