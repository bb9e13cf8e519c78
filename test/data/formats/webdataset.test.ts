import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { loadDataset } from '../../../src/data/load.ts';
import { readImageFolder } from '../../../src/data/readers/image-folder.ts';
import { readWebDataset } from '../../../src/data/formats/webdataset/webdataset.ts';
import { Tar } from '../../../src/data/formats/webdataset/tar.ts';
import { Room } from '../../../src/data/storage/memory-budget.ts';
import { bytesOfSamples } from '../../../src/data/storage/sample-storage.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { paxRecord, tarOf } from '../../support/tar.ts';
import type { TarEntry } from '../../support/tar.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();

async function picture(value: number): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: 4 * 5 * 3 }, (_, i) => (value * 7 + i) % 256);
  return sharp(pixels, { raw: { width: 5, height: 4, channels: 3 } })
    .png()
    .toBuffer();
}

/** Samples `from` to `to`, whose class is the parity of their number. */
async function samples(from: number, to: number): Promise<TarEntry[]> {
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  const entries = numbers.map(async (i): Promise<TarEntry[]> => {
    const key = `part/${String(i).padStart(4, '0')}`;
    return [
      { name: `${key}.png`, content: await picture(i) },
      { name: `${key}.cls`, content: `${i % 2}\n` },
      { name: `${key}.json`, content: '{}' },
    ];
  });
  return (await Promise.all(entries)).flat();
}

const shard = async (name: string, entries: readonly TarEntry[]): Promise<string> => folder.file(name, tarOf(entries));

describe("WebDataset's archives", () => {
  it('are refused where one is replaced between its labels and its pictures', async () => {
    const file = await shard('a.tar', await samples(0, 4));
    // As many samples of the same size, whose labels are those of the others.
    const other = tarOf(await samples(1, 5));
    const { open } = Tar;
    let opened = 0;
    Tar.open = async (name) => {
      if (++opened === 2) {
        await writeFile(`${file}.new`, other);
        await rename(`${file}.new`, file);
      }
      return open.call(Tar, name);
    };
    try {
      const { message } = await userError(readWebDataset(file, {}));
      expect(message).toBe(`${file}: was replaced or changed after its labels had been read, before its pictures were`);
      expect(opened).toBe(2);
      expect([...(await readWebDataset(file, {})).labels.values]).toHaveLength(4);
    } finally {
      Tar.open = open;
    }
  });

  it('hold the pixels and labels that the same pictures have in folders', async () => {
    const files = [await shard('a.tar', await samples(0, 70)), await shard('b.tar', await samples(70, 100))];
    const split = await readWebDataset(files, {});
    for (const i of Array.from({ length: 100 }, (_, n) => n)) {
      const place = path.join(folder.path, 'pictures', String(i % 2));
      await mkdir(place, { recursive: true });
      await writeFile(path.join(place, `${String(i).padStart(4, '0')}.png`), await picture(i));
    }
    const inFolders = await readImageFolder(path.join(folder.path, 'pictures'), {});
    expect(split.sampleShape).toEqual(inFolders.sampleShape);
    const size = 4 * 5 * 3;
    for (let i = 0; i < 100; i++) {
      const row = (i % 2) * 50 + Math.floor(i / 2);
      expect(split.samples.subarray(i * size, (i + 1) * size)).toEqual(
        inFolders.samples.subarray(row * size, (row + 1) * size),
      );
    }
    expect(split.labels).toMatchObject({ kind: 'name', names: ['0', '1'] });
    expect([...split.labels.values]).toEqual(Array.from({ length: 100 }, (_, i) => i % 2));
  });

  it('are read alike where their pictures do not fit into memory, and as data of a recipe', async () => {
    const train = await shard('c.tar', await samples(0, 60));
    const whole = await readWebDataset(train, { resize: [3, 3] });
    const stored = await readWebDataset(train, { resize: [3, 3], room: new Room(10) });
    expect(stored.notes![0]).toMatch(/into a temporary file$/);
    expect(Buffer.concat([...bytesOfSamples(stored)])).toEqual(Buffer.from(whole.samples));
    const { train: read, classNames } = await loadDataset({ type: 'webdataset', train, classes: ['even', 'odd'] });
    expect([read.count, classNames]).toEqual([54, ['even', 'odd']]);
  });

  it.each(['ustar', 'gnu', 'pax'] as const)('have names of any length: %s', async (form) => {
    const key = `${'folder/'.repeat(form === 'ustar' ? 15 : 40)}name`;
    const entries = [{ name: `${key}.png`, content: await picture(1) }, { name: `${key}.cls`, content: 'cat' }]; // prettier-ignore
    const file = await folder.file('long.tar', tarOf(entries, form));
    const corrupt = [{ ...entries[0]!, content: 'no picture' }, entries[1]!];
    expect((await readWebDataset(file, {})).labels).toMatchObject({ names: ['cat'], firstAt: [`${file}: ${key}.cls`] });
    await folder.file('long.tar', tarOf(corrupt, form));
    const { message } = await userError(readWebDataset(file, {}));
    expect(message).toContain(`${file}: ${key}.png: cannot decode the image`);
  });

  it('are named by a range in a recipe', () => {
    const { recipe } = makeRecipe(
      {
        name: 'x',
        dataset: { type: 'webdataset', train: 'x-{008..011}.tar', test: ['y.tar'] },
        student: { model: 'mlp' },
      },
      folder.path,
    );
    expect(recipe.dataset).toMatchObject({
      train: ['008', '009', '010', '011'].map((i) => path.join(folder.path, `x-${i}.tar`)),
      test: [path.join(folder.path, 'y.tar')],
    });
  });

  it('without labels need none', async () => {
    const entries = (await samples(0, 4)).filter(({ name }) => name.endsWith('.png'));
    const split = await readWebDataset(await shard('d.tar', entries), { withoutLabels: true });
    expect([...split.labels.values]).toEqual([-1, -1, -1, -1]);
  });
});

describe('refuses', () => {
  const good = { name: '1.png', content: '' };
  const sized = (size: string) => ({ name: 'PaxHeaders/x', content: paxRecord('size', size), type: 'x' });
  it.each<[string, () => Promise<Uint8Array> | Uint8Array, RegExp, RegExp]>([
    ['an empty file', () => Buffer.alloc(0), /x\.tar: /, /./],
    ['a compressed archive', () => gzipSync(tarOf([good])), /compressed with gzip, expected a plain tar/, /gunzip/],
    ['text', () => Buffer.alloc(2000, 'text'), /not a readable tar archive from byte 0 on \(of 2000\)$/, /truncated/],
    ['an archive without an end', async () => tarOf(await samples(0, 2)).subarray(0, -1024), /from byte \d+ on/, /truncated/],
    ['a cut archive', async () => tarOf(await samples(0, 2)).subarray(0, 700), /not a readable tar archive from byte/, /truncated/],
    ['a link', () => tarOf([{ name: '1.png', content: '', type: '2' }]), /"1\.png" is a member of type "2"/, /not links/],
    ['no sample', () => tarOf([{ name: 'readme', content: 'x' }]), /x\.tar: no samples in it/, /0001\.jpg/],
    ['a sample without a picture', () => tarOf([{ name: '1.cls', content: '0' }]), /the sample of "1\.cls" has \.cls, expected one picture/, /Set `image`/],
    ['two pictures', () => tarOf([good, { name: '1.mask.png', content: '' }]), /has \.png, \.mask\.png, expected one picture/, /`image: png`/],
    ['a name twice', () => tarOf([good, good]), /holds "1\.png" twice/, /name of its own/],
    ['no label', () => tarOf([good]), /no sample has a label in a member \.cls; the first has \.png$/, /Set `label`/],
    ['a size below 0, which leads back to its own header', () => tarOf([sized('-1536'), { ...good, name: 'readme' }]), /not a readable tar archive from byte 1024 on/, /truncated/],
    ['a size that is no whole number', () => tarOf([sized('1e3'), good]), /not a readable tar archive from byte 1024 on/, /truncated/],
    ['labels in JSON', () => tarOf([good, { name: '1.cls', content: '{"label": 1}' }]), /1\.cls: expected a label as text, received JSON/, /class in a member \.cls/],
  ])('%s', async (_, make, fact, remedy) => {
    const file = await folder.file('x.tar', await make());
    const { message, hint } = await userError(readWebDataset(file, {}));
    expect(message).toMatch(fact);
    expect(hint).toMatch(remedy);
  }); // prettier-ignore

  it('an archive that is damaged anywhere in its headers, without a crash', async () => {
    const bytes = tarOf(await samples(0, 1));
    for (let at = 0; at < 512; at += 3) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 0x55;
      const file = await folder.file('x.tar', damaged);
      expect((await userError(readWebDataset(file, {}))).message).toMatch(/x\.tar/);
    }
  });
});
