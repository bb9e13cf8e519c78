import { readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../src/base/errors.ts';
import { needPackages, packageFolder, versionOf } from '../../../src/base/process/packages.ts';
import { diagnose } from '../../../src/tools/doctor.ts';
import { refuseMissing } from '../../../src/setup/runnable.ts';
import { ROOT } from '../../support/built.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
};

/** A file of a project that has installed nothing. */
const elsewhere = (): string => path.join(folder(), 'index.js');

describe('packages', () => {
  it('are found by their folder, from the file that asks', () => {
    expect(versionOf('echarts')).toBe(manifest.devDependencies['echarts']);
    expect(versionOf('no-such-package')).toBe('missing');
    expect(packageFolder('yaml')).toBe(path.join(ROOT, 'node_modules/yaml'));
    expect(packageFolder('yaml', elsewhere())).toBeUndefined();
  });

  it('that are missing are named with the command that installs the version that is tested', () => {
    expect(() => needPackages('--metrics', ['prom-client'])).not.toThrow();
    const found = refusal(() => needPackages('TFLite natively', ['koffi', 'tfjs-tflite-node'], elsewhere()));
    expect([found.message, found.hint]).toEqual([
      'TFLite natively: koffi and tfjs-tflite-node are not installed',
      'Run: npm install --ignore-scripts koffi@3.3.4 tfjs-tflite-node@0.0.2',
    ]);
  });

  it('that a recipe needs are asked for before anything is done', () => {
    const recipe = { engine: 'auto', teacher: undefined, export: ['onnx', 'tflite'] } as const;
    expect(() => refuseMissing({ ...recipe, export: ['onnx'] }, elsewhere())).not.toThrow();
    const { message, hint } = refusal(() => refuseMissing({ ...recipe, export: ['onnx', 'tflite'] }, elsewhere()));
    expect([message, hint]).toEqual([
      'export: [tflite]: @litertjs/core is not installed',
      'Run: npm install --ignore-scripts @litertjs/core@2.5.3',
    ]);
  });

  it('that are optional are in a clone, except for libtensorflow, and known to doctor', async () => {
    const { peerDependencies, peerDependenciesMeta, devDependencies } = manifest;
    const optional = Object.keys(peerDependencies);
    expect(Object.keys(peerDependenciesMeta)).toEqual(optional);
    const [inClone, apart] = [optional.filter((name) => name in devDependencies), '@tensorflow/tfjs-node-gpu'];
    expect([...inClone, apart].sort()).toEqual([...optional].sort());
    for (const name of inClone) expect(peerDependencies[name]!.replace(/^\^/, '')).toBe(devDependencies[name]);
    expect((await diagnose()).optional.map(({ name }) => name).sort()).toEqual([...inClone].sort());
  });

  it('that are loaded at the start are those that everyone installs', () => {
    const seen = new Set<string>();
    const loaded: string[] = [];
    const follow = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(file, 'utf8');
      // Not types, and not what is loaded when it is needed; samples for apps are text here.
      for (const [, name] of text.matchAll(/^(?:import|export) (?!type)[^;`]*? from '([^']+)';$/gm)) {
        if (/^(?:node:|react-native-)|\$|\.js$/.test(name!)) continue;
        if (name!.startsWith('.')) follow(path.resolve(path.dirname(file), name!));
        else loaded.push(/^(?:@[^/]+\/)?[^/]+/.exec(name!)![0]);
      }
    };
    for (const start of ['src/index.ts', 'src/cli.ts']) follow(path.join(ROOT, start));
    expect(seen.size).toBeGreaterThan(200);
    expect(loaded.length).toBeGreaterThan(20);
    expect([...new Set(loaded)].filter((name) => !(name in manifest.dependencies))).toEqual([]);
  });
});

function refusal(action: () => void): UserError {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
