import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadTfjsModel } from '../../src/files/tfjs-file.ts';
import { readWeights } from '../../src/files/tfjs-weights.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const file = (): string => path.join(folder(), 'm/model.json');
const weights = [{ name: 'w', shape: [2], dtype: 'float32' as const }];
const read = (...paths: unknown[]) => readWeights(file(), [{ paths, weights }]);

beforeEach(async () => {
  await mkdir(path.join(folder(), 'm/parts'), { recursive: true });
  await writeFile(path.join(folder(), 'm/a.bin'), Uint8Array.of(1, 2));
  await writeFile(path.join(folder(), 'm/parts/b.bin'), Uint8Array.of(3));
  await writeFile(path.join(folder(), 'secret'), 'secret');
});

describe('the weights of a model.json', () => {
  it('are the files that it names, one after the other', async () => {
    const { specs, bytes } = await read('a.bin', 'parts/b.bin');
    expect([...bytes]).toEqual([1, 2, 3]);
    expect(specs).toEqual(weights);
  });

  it.each([
    ['is not there', 'gone.bin', /model\.json: its weights are in another file, gone\.bin, which is not there$/],
    ['lies elsewhere', '../secret', /model\.json: its weights are in \.\.\/secret, outside the folder of the model$/],
    ['has no name', '', /model\.json: weightsManifest: expected a list of \{paths, weights\}, received \[/],
    ['has a name that no system has', 'a\0.bin', /expected a list of \{paths, weights\}, received \[/],
    ['is a number', 7, /expected a list of \{paths, weights\}, received \[/],
  ])('are refused where a file %s', (_, name, message) => expect(read(name)).rejects.toThrow(message));

  it('are not read by a symbolic link from elsewhere', async () => {
    await symlink('../secret', path.join(folder(), 'm/link.bin'));
    await expect(read('link.bin')).rejects.toThrow('its weights are in link.bin, outside the folder of the model');
  });

  it.each(['null', '7', '[]', '{"modelTopology": "x", "weightsManifest": []}'])(
    'are not looked for in %s, which is no model',
    async (text) => {
      await writeFile(file(), text);
      await expect(loadTfjsModel(file())).rejects.toThrow(
        /model\.json: expected a tfjs layers model, received JSON without/,
      );
    },
  );
});
