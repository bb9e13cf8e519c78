import { mkdir, readFile, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../src/base/bytes.ts';
import { hashOfStudent, INPUTS_FILE, RunInputs } from '../../src/folder/inputs.ts';
import { completeRecipe } from '../../src/recipe/load.ts';
import { externalOnnx } from '../support/external.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

const BASE = { name: 'r', dataset: { type: 'csv', train: 'a.csv', test: 'b.csv' }, student: { model: 'mlp' } };
const recipeOf = (change: object = {}) => completeRecipe({ ...BASE, ...change }, folder()).recipe;

let said: string[] = [];
beforeEach(async () => {
  said = [];
  for (const name of ['a.csv', 'b.csv']) await writeFile(at(name), name);
});

/** A start of a run, whose data are these. */
async function start(change: object = {}, { samples = 'samples' }: { readonly samples?: string } = {}) {
  const inputs = await RunInputs.open(at('r'), recipeOf(change), { warn: (message) => said.push(message) });
  await inputs.checkFiles();
  let passes = 0;
  inputs.checkData(() => (passes++, samples));
  await inputs.save();
  return passes;
}

describe('the files of a run', () => {
  it('are the same as long as size and time are: samples are passed over at the first start alone', async () => {
    expect(await start()).toBe(1);
    const before = await readFile(at(`r/${INPUTS_FILE}`), 'utf8');
    expect(await start({}, { samples: 'not asked for' })).toBe(0);
    expect(await readFile(at(`r/${INPUTS_FILE}`), 'utf8')).toBe(before);
  });

  it('are the same with another time and the same content, which is kept', async () => {
    await start();
    await utimes(at('a.csv'), 1, 1);
    expect(await start()).toBe(1);
    expect(await start()).toBe(0);
    await utimes(at('b.csv'), 1, 1);
    await expect(start({}, { samples: 'others' })).rejects.toThrow(
      /\/r: dataset\.test: \S+b\.csv gives other samples than at the beginning of this run$/,
    );
  });

  it('are noted in the folder of the run too, where several share the notes', async () => {
    const warn = (message: string): number => said.push(message);
    const shared = await RunInputs.open(at('notes'), recipeOf(), { own: at('r'), of: at('sweep'), warn });
    await shared.checkFiles();
    shared.checkData(() => 'samples');
    await shared.save();
    await utimes(at('a.csv'), 1, 1);
    // It is gone on with by itself.
    await expect(start({}, { samples: 'others' })).rejects.toThrow(
      /\/r: dataset\.train: \S+a\.csv gives other samples/,
    );
  });

  it('are those in a folder, of data and of a SavedModel', async () => {
    const dataset = { type: 'image-folder', train: 'pictures' };
    await mkdir(at('pictures/cat'), { recursive: true });
    await writeFile(at('pictures/cat/1.png'), '1');
    await mkdir(at('saved/variables'), { recursive: true });
    await writeFile(at('saved/variables/data'), '1');
    const change = { dataset, teacher: { savedModel: 'saved' } };
    await start(change);
    await writeFile(at('pictures/cat/2.png'), '2');
    await expect(start(change, { samples: 'others' })).rejects.toThrow(
      /dataset\.train: \S+pictures gives other samples/,
    );
    await start(change);
    await utimes(at('saved/variables/data'), 1, 1);
    await start(change);
    // What a file manager leaves there is no part of it; a folder behind a link is.
    for (const left of ['pictures/.DS_Store', 'saved/.DS_Store']) await writeFile(at(left), 'x');
    expect(await start(change)).toBe(0);
    await rename(at('saved/variables'), at('elsewhere'));
    await symlink(at('elsewhere'), at('saved/variables'));
    await start(change);
    await writeFile(at('saved/variables/data'), '2');
    await expect(start(change)).rejects.toThrow(/teacher\.savedModel: \S+saved has changed since/);
  });

  it.each([
    ['the weights beside an ONNX file', 'teacher.onnx', 'weights', { teacher: { onnx: 'teacher.onnx' } }],
    ['stored logits', 'x.npy', 'x.npy', { teacher: { logits: 'x.npy' } }],
    [
      'a member of an ensemble',
      'm.onnx',
      'm.onnx',
      { teacher: { ensemble: [{ onnx: 't.onnx' }, { onnx: 'm.onnx' }] } },
    ],
    ['the vectors of classes', 'c.npy', 'c.npy', { teacher: { onnx: 't.onnx', classes: 'c.npy' } }],
    ['a module', 'mine.mjs', 'mine.mjs', { student: { module: 'mine.mjs' } }],
  ])('are refused by name: %s', async (_name, named, changed, change) => {
    for (const name of ['t.onnx', 'm.onnx', 'c.npy', 'x.npy', 'mine.mjs', 'weights'])
      await writeFile(at(name), '12345678');
    await writeFile(at('teacher.onnx'), externalOnnx({ location: 'weights' }));
    await start(change);
    await start(change);
    await writeFile(at(changed), '12345679');
    await utimes(at(changed), 1, 1);
    await expect(start(change)).rejects.toThrow(new RegExp(`: \\S+/${named} has changed since this run began$`));
  });

  it('are those that a module imports by a relative name too, and what these import', async () => {
    await mkdir(at('lib/deep'), { recursive: true });
    const of = { 'lib/deep/units.cjs': '1', 'w.json': '1', 'unused.mjs': '1' };
    const write = async (files: object): Promise<void> => {
      for (const [name, text] of Object.entries(files)) await writeFile(at(name), text as string);
    };
    await write({
      'mine.mjs': `import tf from 'tf';\nimport {\n  units\n} from "./lib/layers.mjs?1";\nopen(new URL('./w.json', import.meta.url));`,
      'lib/layers.mjs': `export const units = require('./deep/units'); export * from '../mine.mjs';`,
      ...of,
    });
    const change = { student: { module: 'mine.mjs' } };
    await start(change);
    for (const name of ['lib/layers.mjs', 'lib/deep/units.cjs', 'w.json']) {
      const text = await readFile(at(name), 'utf8');
      await writeFile(at(name), `${text} `);
      await expect(start(change)).rejects.toThrow(/student\.module: \S+mine\.mjs has changed since/);
      await writeFile(at(name), text);
    }
    await writeFile(at('unused.mjs'), '2');
    await start(change);
    const { files } = JSON.parse(await readFile(at(`r/${INPUTS_FILE}`), 'utf8')) as { files: object };
    expect(files).toMatchObject({ 'student.module': { stamps: { 'mine.mjs': expect.any(String) as string, 'lib/deep/units.cjs': expect.any(String) as string } } }); // prettier-ignore
    // Notes of a version that knew the module alone.
    const old = { files: { 'student.module': { stamps: { 'mine.mjs': '1 1' }, sha256: sha256(sha256(await readFile(at('mine.mjs')))) } } }; // prettier-ignore
    await writeFile(at(`r/${INPUTS_FILE}`), JSON.stringify(old));
    await start(change);
  });

  it('are told of as unknown where the notes are damaged', async () => {
    await start();
    await writeFile(at(`r/${INPUTS_FILE}`), '{"files": {"a": 1}}');
    await start();
    expect(said).toEqual([expect.stringMatching(/inputs\.json: damaged: whether data/)]);
  });
});

it('the hash of a student follows the weights beside its file', async () => {
  await writeFile(at('model.json'), JSON.stringify({ weightsManifest: [{ paths: ['w.bin'], weights: [] }] }));
  await writeFile(at('w.bin'), '1');
  const recipe = recipeOf({ student: { tfjs: 'model.json' } });
  const before = await hashOfStudent(recipe);
  await writeFile(at('w.bin'), '2');
  expect(await hashOfStudent(recipe)).not.toBe(before);
  expect(await hashOfStudent(recipeOf())).toBeUndefined();
});
