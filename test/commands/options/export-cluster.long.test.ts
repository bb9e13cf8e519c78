import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { centred } from '../../serve/models.ts';
import { ROOT } from '../../support/built.ts';
import { DIGITS } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { inProcess } from '../../support/in-process.ts';

const folder = temporaryFolder();
const bags = () => path.join(folder(), 'checkpoints/bags');
const RECIPE = { name: 'bags', dataset: DIGITS, student: { model: 'mlp' } };
beforeEach(async () => {
  await mkdir(path.dirname(bags()));
  await cp(path.join(ROOT, 'checkpoints/fashion-mnist-teacher'), bags(), { recursive: true });
  await writeFile(path.join(bags(), 'recipe.json'), '{}');
});
const text = (name: string) => readFile(path.join(folder(), name), 'utf8');

it('writes a repository of Triton from a run, and nothing over what was edited', async () => {
  const args = ['export', 'bags', '--triton', 'models'] as const;
  expect(await inProcess(folder(), ...args)).toMatchObject({ code: 0, stderr: '' });
  const config = await text('models/bags/config.pbtxt');
  expect(config).toMatch(/max_batch_size: 32\n[^]*dims: 28\n {2}dims: 28\n {2}dims: 1\n[^]*label_filename/);
  expect(await readFile(path.join(folder(), 'models/bags/1/model.onnx'))).toEqual(
    await readFile(path.join(bags(), 'exports/distilled.onnx')),
  );
  await writeFile(path.join(folder(), 'models/bags/config.pbtxt'), 'mine');
  const again = await inProcess(folder(), ...args);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/config\.pbtxt[^]*--force/) as string });
  expect(await text('models/bags/config.pbtxt')).toBe('mine');
  expect((await inProcess(folder(), ...args, '--force')).code).toBe(0);
  expect(await text('models/bags/config.pbtxt')).toBe(config);
});

it('does not have requests put together whose samples change each other', async () => {
  await writeFile(path.join(bags(), 'exports/distilled.onnx'), centred());
  const { code, stdout } = await inProcess(folder(), 'export', 'bags', '--triton', 'models', '--device', 'gpu');
  expect(stdout).toMatch(/no latency of two sizes of batch was measured on gpu/);
  expect(stdout).toMatch(/not put together: the answer to a sample depends on the samples beside it/);
  expect(code).toBe(0);
  expect(await text('models/bags/config.pbtxt')).toContain('max_batch_size: 0\n');
});

it('writes manifests, and says that there is no shadow of a teacher that is no file', async () => {
  const stored = { base: folder(), recipe: RECIPE };
  await writeFile(path.join(bags(), 'recipe.json'), JSON.stringify(stored));
  const args = ['export', 'bags', '--kserve', 'cluster', '--image', 'registry.example/bags'];
  const { code, stdout } = await inProcess(folder(), ...args);
  expect(stdout).toMatch(/^left out: shadow\.yaml: the recipe names no ONNX file as teacher that is there\ncluster: /);
  expect(code).toBe(0);
  expect(await text('cluster/deployment.yaml')).toMatch(/image: registry\.example\/bags:[0-9a-f]{12}\n/);
});
