import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { seenData } from '../../src/data/seen-data.ts';
import { temporaryFolder } from './support.ts';

const folder = temporaryFolder();

async function files(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(path.join(folder.path, name)), { recursive: true });
    await writeFile(path.join(folder.path, name), '');
  }
}

const seenIn = (name: string) => seenData(path.join(folder.path, name));

describe('a folder of data', () => {
  it('whose files lie in folders of the classes says which folders are the classes', async () => {
    await files(
      'deep/animals/cat/1.png',
      'deep/animals/dog/1.png',
      'deep/things/cup/1.png',
      'plain/cat/1.png',
      'plain/dog/more/2.png',
    );
    expect(await seenIn('deep')).toEqual({
      type: 'image-folder',
      why: 'deep holds 3 files .png',
      notes: ['the classes are its outermost folders, animals, things: the files lie in folders of these'],
    });
    expect(await seenIn('plain')).toMatchObject({ notes: [] });
  });

  it('is seen through links, and a link in a circle or to nothing is left out', async () => {
    await files('store/1.png', 'store/2.png', 'linked/dog/1.png');
    await symlink('../store', path.join(folder.path, 'linked/cat'));
    await symlink('..', path.join(folder.path, 'linked/dog/up'));
    await symlink('nothing', path.join(folder.path, 'linked/dog/gone'));
    expect(await seenIn('linked')).toMatchObject({ type: 'image-folder', why: 'linked holds 3 files .png' });
  });
});
