import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

/**
 * `npm run tarball -- [folder]`: builds the program and packs it, as it is published. Not a `prepack` script: .npmrc makes npm pass
 * over these.
 *
 * ECharts' own bundle of 1 MB goes into the package with its notices, so that the charts of a report need no package of 68 MB.
 * It is taken away again: a clone draws with the installed ECharts, whatever lies in dist.
 */
const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
const bundle = path.join(dist, 'report/html/charts/echarts');
const require = createRequire(import.meta.url);

// What was built from files that are gone must not be packed.
await rm(dist, { recursive: true, force: true });
await rm(path.join(root, 'node_modules/.cache/tsc/build.tsbuildinfo'), { force: true });
npm('run', '-s', 'build');

const echarts = path.dirname(require.resolve('echarts/package.json'));
const zrender = path.dirname(createRequire(path.join(echarts, 'package.json')).resolve('zrender/package.json'));
await mkdir(bundle, { recursive: true });
const files = {
  // The package is of ES modules, in which a file named .js would be one.
  'echarts.cjs': path.join(echarts, 'dist/echarts.min.js'),
  'LICENSE.txt': path.join(echarts, 'LICENSE'),
  'NOTICE.txt': path.join(echarts, 'NOTICE'),
  'LICENSE-d3.txt': path.join(echarts, 'licenses/LICENSE-d3'),
  'LICENSE-zrender.txt': path.join(zrender, 'LICENSE'),
};
for (const [name, from] of Object.entries(files)) await copyFile(from, path.join(bundle, name));
const [folder = '.'] = process.argv.slice(2);
try {
  npm('pack', '--silent', '--pack-destination', path.resolve(folder));
} finally {
  await rm(bundle, { recursive: true });
}

if (existsSync(path.join(folder, 'Dockerfile'))) await lock();

/**
 * Writes package.json and package-lock.json for the image: every package has the version, and the checksum, with which Limbeck was tested. npm takes
 * what belongs to other packages out of a copy of the clone's own lock.
 */
async function lock() {
  const own = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const { packages, ...rest } = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8'));
  const tarball = `file:${own.name}-${own.version}.tgz`;
  const dependencies = { [own.name]: tarball, 'prom-client': packages['node_modules/prom-client'].version };
  const image = { name: 'image', version: '0.0.0', private: true, dependencies };
  const write = (name, content) => writeFile(path.join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
  await write('package.json', image);
  await write('package-lock.json', { ...rest, ...image, packages: { ...packages, '': image } });
  const args = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'];
  npmIn(folder, ...args, '--omit-lockfile-registry-resolved');
}

function npm(...args) {
  npmIn(root, ...args);
}

function npmIn(cwd, ...args) {
  execFileSync('npm', args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' });
}
