import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../support/built.ts';

interface Parts {
  whole(target: string, make: (partial: string) => void): void;
  startOver(home: string, versions: object, cuda: boolean | undefined): boolean;
  cudaPackages(metadata: string): string[];
  installAll(exactly: string[], folder: string, packages: string[]): string[];
  linkCuda(site: string): string[];
  cudaProviders(metadata: object, os: string, arch: string): string[];
  gpuFault(buildInfo: string, findsGpu: boolean): [string, string] | undefined;
}
const PARTS = '../../bench/setup-parts.mjs';

let folder: string;
let parts: Parts;
beforeEach(async () => {
  parts = (await import(PARTS)) as Parts;
  folder = mkdtempSync(path.join(tmpdir(), 'limbeck-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text = ''): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe('setup:tensorflow', () => {
  it('keeps a part that is finished and makes one anew that was stopped', () => {
    const target = path.join(folder, 'site');
    const make = (partial: string): void => {
      expect(existsSync(partial)).toBe(false);
      mkdirSync(partial);
    };
    expect(() =>
      parts.whole(target, (partial) => {
        make(partial);
        throw new Error('stopped');
      }),
    ).toThrow('stopped');
    expect(readdirSync(folder)).toEqual(['site.part']);
    parts.whole(target, make);
    expect(readdirSync(folder)).toEqual(['site']);
    parts.whole(target, () => {
      throw new Error('made again');
    });
  });

  it('keeps a build for CUDA unless it is told not to, and starts over for another version', () => {
    const home = path.join(folder, 'home');
    const built = path.join(home, 'built');
    const over = (version: number, cuda?: boolean): [boolean, boolean] => {
      const forCuda = parts.startOver(home, { version }, cuda);
      const kept = existsSync(built);
      writeFileSync(built, '');
      return [forCuda, kept];
    };
    expect(over(1)).toEqual([false, false]);
    expect(over(1)).toEqual([false, true]);
    expect(over(1, true)).toEqual([true, false]);
    expect(over(1)).toEqual([true, true]);
    expect(over(2)).toEqual([true, false]);
    expect(over(2, false)).toEqual([false, false]);
  });

  it('asks pip for all CUDA libraries of the wheel at once', () => {
    const metadata = [
      'Requires-Dist: numpy<2.2.0,>=1.26.0',
      'Requires-Dist: nvidia-cublas-cu12==12.5.3.2; extra == "and-cuda"',
      "Requires-Dist: nvidia-cudnn-cu12 (==9.3.0.75) ; extra == 'and-cuda'",
      'Requires-Dist: nvidia-nccl-cu12==2.23.4; extra == "other"',
    ].join('\n');
    const packages = parts.cudaPackages(metadata);
    expect(packages).toEqual(['nvidia-cublas-cu12==12.5.3.2', 'nvidia-cudnn-cu12==9.3.0.75']);
    expect(parts.installAll(['--no-deps'], 'site', packages)).toEqual([
      ...['install', '--no-deps', '--upgrade', '--target', 'site'],
      ...packages,
    ]);
  });

  it('links the libraries of every CUDA package beside libtensorflow', () => {
    write('tensorflow/libtensorflow_cc.so.2');
    write('nvidia/__init__.py');
    write('nvidia/cublas/lib/__init__.py');
    for (const file of ['cublas/lib/libcublas.so.12', 'cudnn/lib/libcudnn.so.9']) write(`nvidia/${file}`, file);
    expect(parts.linkCuda(folder).sort()).toEqual(['libcublas.so.12', 'libcudnn.so.9']);
    expect(readFileSync(path.join(folder, 'tensorflow/libcudnn.so.9'), 'utf8')).toBe('cudnn/lib/libcudnn.so.9');
    expect(realpathSync(path.join(folder, 'tensorflow/libcublas.so.12'))).toContain('nvidia/cublas/lib');
  });

  it('says whether a library without GPU was built without, or finds none', () => {
    const info = (cuda: string): string => `build_info = {"cpu_compiler": "clang", "is_cuda_build": ${cuda}}`;
    expect(parts.gpuFault(info('False'), false)?.[0]).toContain('no GPU support built in');
    expect(parts.gpuFault(info('True'), false)?.[0]).toContain('finds no GPU');
    expect(parts.gpuFault(info('True'), true)).toBeUndefined();
  });

  it('removes itself, and only that', () => {
    for (const name of ['bench/setup-tensorflow.mjs', 'bench/setup-parts.mjs'])
      write(name, readFileSync(path.join(ROOT, name), 'utf8'));
    write('.venv/tensorflow/site/file');
    write('.venv/bin/python');
    const clean = (): string =>
      spawnSync(process.execPath, ['bench/setup-tensorflow.mjs', '--clean'], { cwd: folder, encoding: 'utf8' }).stdout;
    expect(clean()).toBe('removed .venv/tensorflow\n');
    expect(readdirSync(path.join(folder, '.venv'))).toEqual(['bin']);
    expect(clean()).toBe('removed .venv/tensorflow\n');
  });
});

describe('setup:cuda', () => {
  const metadata = createRequire(import.meta.url)(
    path.join(ROOT, 'node_modules/onnxruntime-node/script/install-metadata.js'),
  ) as object;

  it('wants all three libraries of the provider on Linux x64', () => {
    expect(parts.cudaProviders(metadata, 'linux', 'x64').sort()).toEqual(
      ['cuda', 'shared', 'tensorrt'].map((name) => `libonnxruntime_providers_${name}.so`),
    );
  });

  it.each(['linux/arm64', 'darwin/arm64', 'win32/x64', 'freebsd/x64'])('finds none for %s', (system) => {
    const [os, arch] = system.split('/');
    expect(parts.cudaProviders(metadata, os!, arch!)).toEqual([]);
  });
});

describe('gpu-check.sh', () => {
  /** The script beside a Node that answers as `answers`, a case of the shell, says. */
  const check = (answers: string) => {
    write('bench/gpu-check.sh', readFileSync(path.join(ROOT, 'bench/gpu-check.sh'), 'utf8'));
    chmodSync(write('bin/node', `#!/bin/sh\ncase "$*" in\n${answers}\nesac\n`), 0o755);
    return spawnSync('bash', [path.join(folder, 'bench/gpu-check.sh'), '--models', 'mlp'], { encoding: 'utf8' });
  };

  it('shows the log of a CPU run that fails, and goes no further', () => {
    const { status, stdout, stderr } = check('*doctor*) echo a doctor;;\n*run*) echo why it failed; exit 1;;');
    expect(status).toBe(1);
    expect(stderr).toContain('why it failed');
    expect(stdout).toMatch(/^WebGPU: .*\n/m);
    expect(stdout).toMatch(/a doctor\ndigits-csv on cpu failed: nothing to compare with\n$/);
  });

  it('gives the table what is left of ten minutes', () => {
    const { status, stdout } = check('*run*) ;;\n*report.json*) echo 99.10;;\n*engines.js*) echo "$@";;');
    expect(status).toBe(0);
    expect(stdout).toMatch(/digits-csv on cpu: 99.10 %\nnode_modules\/.*engines.js --within 5[678]\d --models mlp\n$/);
  });
});
