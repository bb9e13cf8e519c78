import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { readHdf5Apart } from '../../../../src/files/formats/keras/hdf5.ts';
import { compileTo } from '../../../data/compile.ts';
import { hdf5 } from '../../../support/hdf5.ts';

/** Threads cannot run what jest compiles in memory. */
const output = path.resolve(`node_modules/.cache/limbeck-hdf5-${process.pid}`);
afterAll(() => rm(output, { recursive: true, force: true }));

/** The reader with another program in its thread. */
async function reader(thread?: string): Promise<typeof readHdf5Apart> {
  await compileTo(output, ['files/formats/keras/hdf5', 'files/formats/keras/hdf5-thread']);
  if (thread !== undefined) await writeFile(path.join(output, 'files/formats/keras/hdf5-thread.js'), thread);
  const file = pathToFileURL(path.join(output, 'files/formats/keras/hdf5.js')).href;
  return ((await import(file)) as { readHdf5Apart: typeof readHdf5Apart }).readHdf5Apart;
}

/** A file of h5py with a virtual dataset `w` [3, 4] of float32, whose numbers lie in a file `src.h5`; packed with gzip. */
const VIRTUAL = [
  'H4sIAAAAAAACA+2Uv2oCQRDGZ/+ELEJQ03ikyZWpxMYHED29IqiYFJaiTcAuFpa2Wgg+gbWPkrcyt+4sroudJBDy/Zrhm5mdYZfZ2eSd7kPpqU',
  'QWY0hThUKODCWRZiZsBds124P0fnGK8XGqcv04732UZTb7GOH7NLSzhsB/JM9aQ2vHrP2UfsnLvGU0j/mNfQXdu1rC6xdnpXMozuPxvKKT09Fq',
  '+sy+lGqGaiuO3xU3sXGppNBBX11MugjqGL6xVv4LuP6PLK0a7cvz8wv9DG/9Qcf+aP8PU4XZBOCv0msPXkWwUP3e7FO0SBefs/pHs9ivKnBaZK',
  'CTSPu4PbNNttOzd1fG2wMAAAAAAAAAAL/FN3yJ4F8AGAAA',
].join('');

describe('an HDF5 file in a thread', () => {
  it('is read with its arrays and attributes', async () => {
    const read = await reader();
    const bytes = await hdf5(
      { 'a/b': { shape: [2, 1], values: [3, 4] } },
      { '/': { text: 'one' }, a: { list: ['x', 'yz'] } },
    );
    const content = await read({ bytes, file: 'm.h5' });
    expect(content.attributes.get('text')).toBe('one');
    const a = content.groups.get('a')!;
    expect([a.attributes.get('list'), a.arrays.get('b')!.shape, [...a.arrays.get('b')!.data]]).toEqual([['x', 'yz'], [2, 1], [3, 4]]); // prettier-ignore
  });

  it('is refused where it is damaged', async () => {
    const read = await reader();
    const refused = read({ bytes: new Uint8Array(900), file: 'm.h5' });
    await expect(refused).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(/^m\.h5: is no HDF5 file, or a damaged one/) as string }); // prettier-ignore
  });

  it('is refused where its numbers lie in another file, which would be read as zeros', async () => {
    const read = await reader();
    const refused = read({ bytes: new Uint8Array(gunzipSync(Buffer.from(VIRTUAL, 'base64'))), file: 'm.h5' });
    await expect(refused).rejects.toMatchObject({
      name: 'UserError',
      message: 'm.h5: its array /w is put together from arrays of other files, expected its numbers in this one',
    });
  });

  it.each([
    ['crashes its reader', "throw new Error('memory access out of bounds');", 'memory access out of bounds)'],
    ['ends its reader', 'process.exit(0);', 'a damaged one (its reader ended)'],
    ['keeps its reader busy', 'for (;;);', 'its HDF5 part was not read after 1 s'],
  ])('is refused where it %s', async (_, thread, fact) => {
    const read = await reader(thread);
    const refused = read({ bytes: new Uint8Array(9), file: 'm.h5' }, thread.startsWith('for') ? 0.5 : 60);
    await expect(refused).rejects.toMatchObject({ name: 'UserError', message: expect.stringContaining(fact) as string }); // prettier-ignore
  });
});
