import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { UserError } from '../../../src/base/errors.ts';
import { locateTensorFlow } from '../../../src/places/tensorflow/locate.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'limbeck-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function write(...parts: string[]): string {
  const file = path.join(folder, ...parts);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '{}');
  return file;
}

function refusal(): UserError {
  try {
    return locateTensorFlow(folder) as unknown as UserError;
  } catch (error) {
    return error as UserError;
  }
}

const PACKAGE = ['node_modules', '@tensorflow', 'tfjs-node'];

describe('engine tensorflow', () => {
  it('says which command installs it where it is not', () => {
    expect(refusal()).toMatchObject({ message: 'engine tensorflow: it is not installed' });
    expect(refusal().hint).toContain('npm run setup:tensorflow');
  });

  it('says what is missing where the package was installed without its install script', () => {
    write(...PACKAGE, 'package.json');
    expect(refusal().message).toBe(
      'engine tensorflow: @tensorflow/tfjs-node is installed, but its native addon is not',
    );
  });

  it('takes the addon that the package brought, of the highest version of Node-API', () => {
    write(...PACKAGE, 'package.json');
    write(...PACKAGE, 'lib', 'napi-v9', 'tfjs_binding.node');
    const newest = write(...PACKAGE, 'lib', 'napi-v10', 'tfjs_binding.node');
    expect(locateTensorFlow(folder)).toBe(newest);
  });

  it('prefers the one that the set-up made', () => {
    write(...PACKAGE, 'package.json');
    write(...PACKAGE, 'lib', 'napi-v8', 'tfjs_binding.node');
    const made = write('.venv', 'tensorflow', 'tfjs_binding.node');
    expect(locateTensorFlow(path.join(folder, 'src', 'runtime'))).toBe(made);
  });
});
