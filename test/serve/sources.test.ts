import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import { available, sourcesOf, withShapes } from '../../src/serve/sources.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const one = { name: 'a', file: 'a.onnx' };
const shapes = new Map([['image', ['batch', 3, 8, 8] as const]]);

it('sizes of an input are those of the one model that is served; of several they are refused', () => {
  expect(withShapes({ named: [one], folders: [] }, shapes)).toEqual({ named: [{ ...one, shapes }], folders: [] });
  const several = { named: [one, { name: 'b', file: 'b.onnx' }], folders: ['all'] };
  expect(withShapes(several, new Map())).toEqual(several);
  expect(() => withShapes(several, shapes)).toThrow('--shape: expected one model, received a, b, all');
});

it('a folder of models is read through links, and what is left out of it is said', async () => {
  const file = (name: string): string => path.join(folder(), name);
  for (const name of ['a.onnx', 'my model.onnx', '.hidden.onnx', 'notes.txt']) await writeFile(file(name), '');
  await symlink('a.onnx', file('linked.onnx'));
  await symlink('gone', file('dead.onnx'));
  await mkdir(file('more'));
  await writeFile(file('more/a.onnx'), '');
  const left: string[] = [];
  const found = await available({ named: [], folders: [folder(), file('more')] }, (message) => left.push(message));
  expect([...found.values()]).toEqual([
    { name: 'a', file: file('a.onnx') },
    { name: 'linked', file: file('linked.onnx') },
  ]);
  expect(left).toEqual([
    `${file('dead.onnx')}: left out: it is a link that leads nowhere`,
    `${file('my model.onnx')}: left out: "my model" cannot be the name of a model; name the file itself, as in name=FILE`,
    `${file('more/a.onnx')}: left out: ${file('a.onnx')} has the same name`,
  ]);
  const nowhere = { named: [], folders: [file('nowhere')] };
  expect(await available(nowhere)).toEqual(new Map());
  await expect(available(nowhere, () => undefined)).rejects.toBeInstanceOf(UserError);
});

it('a name of a folder and of a run is refused with the names of both, which work', async () => {
  const out = path.join(folder(), 'runs');
  const [models, run] = [path.join(folder(), 'digits'), path.join(out, 'digits')];
  for (const made of [models, run]) await mkdir(made, { recursive: true });
  await writeFile(path.join(run, 'recipe.json'), '{}');
  const before = process.cwd();
  process.chdir(folder());
  try {
    for (const name of ['digits', 'first=digits'])
      await expect(sourcesOf([name], out)).rejects.toMatchObject({
        message: `serve: digits is the folder ${models} and the run ${run}`,
        hint: `Name the folder as ./digits, or the run as ${run}.`,
      });
    expect(await sourcesOf(['./digits'], out)).toEqual({ named: [], folders: [models] });
    await expect(sourcesOf([run], out)).rejects.toThrow(/digits: .*report/);
  } finally {
    process.chdir(before);
  }
});
