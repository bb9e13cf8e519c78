import { spawnSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { built } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** Files that a process leaves in the folder for temporary files and in the user's cache once it has set up ONNX Runtime. */
async function filesLeft(): Promise<readonly string[]> {
  await mkdir(path.join(folder(), 'tmp'));
  const rest = { ...process.env };
  delete rest['ORT_DISABLE_TELEMETRY'];
  const binding = path.join(built(), 'dist/runtime/onnxruntime/binding.js');
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `(await import(${JSON.stringify(binding)})).nativeBinding()`],
    {
      encoding: 'utf8',
      env: { ...rest, TMPDIR: path.join(folder(), 'tmp'), XDG_CACHE_HOME: folder(), HOME: folder() },
    },
  );
  expect([status, stderr]).toEqual([0, '']);
  const all = await readdir(folder(), { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map(({ name }) => name);
}

it('ONNX Runtime sends nothing about the machine, and leaves no file for that', async () => {
  expect(await filesLeft()).toEqual([]);
});
