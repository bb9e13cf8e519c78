import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

/**
 * `npm run test:package`: what somebody has who installs the packed package into an empty project with npm alone. It needs the npm
 * registry, or npm's cache of an earlier time.
 */
const ROOT = path.resolve(import.meta.dirname, '../..');
const INSTALL = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
/** Docs say 431 MB; more than this is a new dependency that should be optional. */
const MOST_MB = 450;
/** Most bytes of the converter in a page, gzipped. */
const MOST_SCRIPT_BYTES = 1.5e6;

const folder = await mkdtemp(path.join(tmpdir(), 'limbeck-package-'));
try {
  const tarball = await packed();
  await locked();
  await lint(tarball);
  const project = await installed(tarball);
  await withoutOptional(project);
  await withLiteRt(project);
  await types(project);
  await converter(tarball);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function packed() {
  say('pack');
  // As in a folder of `limbeck export --kserve`.
  await writeFile(path.join(folder, 'Dockerfile'), '');
  await run('npm', ['run', '-s', 'tarball', '--', folder], ROOT);
  const [file] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  return path.join(folder, file);
}

/** That the lock beside a Dockerfile gives packages the versions of our own lock, and that npm installs by it. */
async function locked() {
  say('npm ci with the lock for an image');
  const packagesOf = async (at) => JSON.parse(await readFile(path.join(at, 'package-lock.json'), 'utf8')).packages;
  const [image, own] = [await packagesOf(folder), await packagesOf(ROOT)];
  for (const [name, { version, integrity }] of Object.entries(image)) {
    if (name === '') continue;
    assert.ok(integrity, `${name} has no checksum`);
    if (name !== 'node_modules/limbeck') assert.equal(version, own[name]?.version, name);
  }
  await run('npm', ['ci', '--ignore-scripts', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund'], folder);
  await limbeck(folder, '--version');
  await rm(path.join(folder, 'node_modules'), { recursive: true });
}

/** That what package.json promises is in the tarball, for every way of resolving types that knows ES modules. */
async function lint(tarball) {
  say('publint, arethetypeswrong');
  const tools = await emptyProject('tools');
  await run('npm', [...INSTALL, 'publint@0.3.25', '@arethetypeswrong/cli@0.18.5'], tools);
  await run('npx', ['publint', '--strict', tarball], tools);
  await run('npx', ['attw', '--profile', 'esm-only', tarball], tools);
}

async function installed(tarball) {
  say('install into an empty project');
  const project = await emptyProject('project');
  await run('npm', [...INSTALL, tarball], project);
  const sizes = await sizesIn(path.join(project, 'node_modules'));
  const total = sizes.reduce((sum, [, mb]) => sum + mb, 0);
  const shown = sizes.filter(([, mb]) => mb >= 3).map(([name, mb]) => `${name} ${mb.toFixed(0)}`);
  console.log(`  ${total.toFixed(0)} MB in ${sizes.length} packages: ${shown.join(', ')}`);
  assert.ok(total < MOST_MB, `${total} MB are installed, expected less than ${MOST_MB}`);
  return project;
}

async function withoutOptional(project) {
  say('without optional packages');
  const doctor = await limbeck(project, 'doctor', '--json');
  assert.equal(doctor.stderr, '');
  const { missing, optional, versions } = JSON.parse(doctor.stdout);
  assert.deepEqual(
    missing.filter((line) => line.includes('install')),
    [],
  );
  assert.equal(versions['onnxruntime-node'], '1.30.0');
  assert.equal(optional.length, 7);
  for (const { version, remedy } of optional) {
    assert.equal(version, 'missing');
    assert.match(remedy, /^npm install --ignore-scripts /);
  }
  for (const name of ['train.csv', 'test.csv']) {
    await cp(path.join(ROOT, 'datasets/digits', name), path.join(project, name));
  }
  await cp(path.join(import.meta.dirname, 'recipe.yaml'), path.join(project, 'recipe.yaml'));
  await limbeck(project, 'run', 'recipe.yaml');
  const report = await readFile(path.join(project, 'checkpoints/tiny/report.html'), 'utf8');
  assert.match(report, /<svg class="chart/);
  await limbeck(project, 'validate', 'recipe.yaml', '--data');
  const refusals = [
    [['run', 'recipe.yaml', '--set', 'export=[tflite]', '--set', 'name=other'], '@litertjs/core@2.5.3'],
    [['run', 'recipe.yaml', '--metrics', '0', '--set', 'name=other'], 'prom-client@15.1.3'],
    [['bench', 'tiny', '--serve'], 'onnxruntime-web@1.30.0'],
  ];
  for (const [args, name] of refusals) {
    const { code, stderr } = await limbeck(project, ...args).catch((error) => error);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /is not installed\n/);
    assert.ok(stderr.endsWith(`Run: npm install --ignore-scripts ${name}\n`), stderr);
  }
  assert.deepEqual(await readdir(path.join(project, 'checkpoints')), ['tiny']);
}

async function withLiteRt(project) {
  say('with LiteRT, as the message says');
  await run('npm', [...INSTALL, '@litertjs/core@2.5.3'], project);
  await limbeck(project, 'run', 'recipe.yaml', '--set', 'export=[tflite]', '--set', 'name=phone');
  const { models } = JSON.parse(await readFile(path.join(project, 'checkpoints/phone/report.json'), 'utf8'));
  const { latency } = models.find(({ format }) => format === 'tflite');
  assert.deepEqual([...new Set(latency.map(({ runtime }) => runtime))], ['litert-wasm']);
  await limbeck(project, 'export', 'phone', '--kit', 'kit');
  const samples = await readdir(path.join(project, 'kit/samples'), { recursive: true });
  for (const name of ['android/Classifier.kt', 'ios/Classifier.swift', 'browser/kit.js', 'node/classify.mjs'])
    assert.ok(samples.includes(path.normalize(name)), name);
}

/** That the converter loads no native module, and that a bundler for browsers takes it as it is, without what is not its own. */
async function converter(tarball) {
  say('limbeck/convert alone');
  const project = await emptyProject('converter');
  await run('npm', [...INSTALL, tarball, 'esbuild@0.28.1'], project);
  const loading = "await import('limbeck/convert'); console.log(...process.report.getReport().sharedObjects)";
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', loading], project);
  assert.deepEqual(
    stdout.split(/\s+/).filter((file) => file.endsWith('.node')),
    [],
  );
  await writeFile(path.join(project, 'page.js'), "export * from 'limbeck/convert';\n");
  const options = ['--bundle', '--format=esm', '--minify', '--splitting', '--outdir=out', '--metafile=meta.json'];
  const bundled = await run('npx', ['esbuild', 'page.js', ...options, '--log-level=warning'], project);
  assert.equal(bundled.stderr, '');
  const { inputs } = JSON.parse(await readFile(path.join(project, 'meta.json'), 'utf8'));
  const packages = new Set(Object.keys(inputs).map((file) => /^node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(file)?.[1]));
  packages.delete(undefined);
  assert.deepEqual([...packages].sort(), ['@bufbuild/protobuf', 'fflate', 'flatbuffers', 'h5wasm', 'limbeck']);
  const scripts = (await readdir(path.join(project, 'out'))).map((name) => path.join(project, 'out', name));
  const sizes = await Promise.all(scripts.map(async (file) => gzipSync(await readFile(file)).length));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`  ${bytes} bytes of scripts, gzipped, with the reader of Keras`);
  assert.ok(bytes < MOST_SCRIPT_BYTES, `${bytes} bytes of scripts, expected less than ${MOST_SCRIPT_BYTES}`);
}

async function types(project) {
  say('types, without skipLibCheck');
  const { devDependencies: ours } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
  const compiler = [`typescript@${ours.typescript}`, `@types/node@${ours['@types/node']}`];
  await run('npm', [...INSTALL, ...compiler], project);
  for (const name of ['types.ts', 'types-runtime.ts'])
    await cp(path.join(import.meta.dirname, name), path.join(project, name));
  const compilerOptions = {
    ...{ target: 'ES2022', lib: ['ES2023'], types: ['node'], noEmit: true },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
  };
  for (const [module, moduleResolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ]) {
    const config = { compilerOptions: { ...compilerOptions, module, moduleResolution }, files: ['types.ts'] };
    await writeFile(path.join(project, 'tsconfig.json'), JSON.stringify(config));
    await run('npx', ['tsc', '-p', '.'], project);
    const runtime = { compilerOptions: { ...config.compilerOptions, skipLibCheck: true }, files: ['types-runtime.ts'] };
    await writeFile(path.join(project, 'tsconfig.json'), JSON.stringify(runtime));
    await run('npx', ['tsc', '-p', '.'], project);
  }
}

async function emptyProject(name) {
  const project = path.join(folder, name);
  await mkdir(project);
  await writeFile(path.join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  return project;
}

function limbeck(project, ...args) {
  return run('npx', ['--no-install', 'limbeck', ...args], project);
}

/** Throws with what the program has printed if its exit code is not 0. */
async function run(program, args, cwd) {
  try {
    return await promisify(execFile)(program, args, { cwd, maxBuffer: 2 ** 26, shell: process.platform === 'win32' });
  } catch (error) {
    error.message = `${program} ${args.join(' ')}\n${error.stdout}${error.stderr}`;
    throw error;
  }
}

/** Megabytes of each package on disk as `du` counts them, the largest first. */
async function sizesIn(modules) {
  const names = (await readdir(modules)).filter((name) => !name.startsWith('.'));
  const packages = await Promise.all(
    names.map(async (name) =>
      name.startsWith('@') ? (await readdir(path.join(modules, name))).map((inner) => `${name}/${inner}`) : [name],
    ),
  );
  const sizes = await Promise.all(
    packages.flat().map(async (name) => [name, (await bytesIn(path.join(modules, name))) / 2 ** 20]),
  );
  return sizes.sort(([, a], [, b]) => b - a);
}

async function bytesIn(place) {
  const files = await readdir(place, { recursive: true });
  const sizes = await Promise.all(files.map(async (file) => 512 * (await stat(path.join(place, file))).blocks));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function say(what) {
  console.log(what);
}
