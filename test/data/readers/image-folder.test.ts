import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { readImageFolder } from '../../../src/data/readers/image-folder.ts';
import type { EncodedImage } from '../../../src/data/dataset.ts';
import { ImageSink } from '../../../src/data/pictures/images.ts';
import { played } from '../../support/played.ts';
import { withRightSums } from '../../support/png.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();

interface Rgb {
  r: number;
  g: number;
  b: number;
}

const ENLARGED = [1, 0, 9, 87, 173, 219];
const RED = { r: 200, g: 10, b: 30 };

async function picture(file: string, { width = 4, height = 3, colour = RED, grey = false } = {}): Promise<string> {
  const full = path.join(folder.path, file);
  await mkdir(path.dirname(full), { recursive: true });
  let image = sharp({ create: { width, height, channels: 3, background: colour satisfies Rgb } });
  if (grey) image = image.toColourspace('b-w');
  await image.toFile(full);
  return full;
}

/** A PNG whose header says another size than it has. */
async function claiming(file: string, width: number, height: number): Promise<void> {
  const bytes = await readFile(await picture(file));
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  await writeFile(path.join(folder.path, file), withRightSums(bytes));
}

describe('image folders', () => {
  it('refuses an image that claims more pixels than its file can hold, or than the others, before it makes room', async () => {
    await claiming('huge/a/1.png', 16000, 16000);
    const first = await userError(readImageFolder(path.join(folder.path, 'huge'), {}));
    expect(first.message).toMatch(
      /1\.png: the header of the image says 16000x16000 \(height x width\), expected at most 16777216 pixels in a file of \d+ bytes$/,
    );
    await picture('huge/a/0.png');
    const second = await userError(readImageFolder(path.join(folder.path, 'huge'), {}));
    expect(second.message).toMatch(/1\.png: the image is 16000x16000 \(height x width\), but .*0\.png is 3x4$/);
  });

  it('reads PNG, lossless WebP and JPEG, a class per sub-folder, in order of their paths', async () => {
    await picture('mixed/dog/b.png', { colour: { r: 1, g: 2, b: 3 } });
    await picture('mixed/dog/a.png', { colour: { r: 4, g: 5, b: 6 } });
    await picture('mixed/dog/deeper/c.PNG', { colour: { r: 7, g: 8, b: 9 } });
    await picture('mixed/cat/z.jpg');
    await picture('mixed/cat/y.webp');
    await folder.file('mixed/cat/notes.txt', 'not an image');
    await folder.file('mixed/cat/.hidden.png', 'not an image');
    const split = await readImageFolder(path.join(folder.path, 'mixed'), {});
    expect(split.sampleShape).toEqual([3, 4, 3]);
    expect(split.labels).toMatchObject({ names: ['cat', 'dog'], values: Int32Array.of(0, 0, 1, 1, 1) });
    const firstPixels = [2, 3, 4].map((row) => [...split.samples.subarray(row * 36, row * 36 + 3)]);
    expect(firstPixels).toEqual([
      [4, 5, 6],
      [1, 2, 3],
      [7, 8, 9],
    ]);
    const lossy = [...split.samples.subarray(36, 39)];
    expect(Math.max(...[200, 10, 30].map((value, c) => Math.abs(value - lossy[c]!)))).toBeLessThan(6);
    expect(split.notes).toEqual([
      expect.stringMatching(/mixed: 1 of its files ignored, which are no PNG, JPEG or WebP .* such as .*notes\.txt$/),
    ]);
  });

  it('keeps grey images grey, or makes them colour when asked', async () => {
    await picture('grey/a/1.png', { grey: true, colour: { r: 90, g: 90, b: 90 } });
    await picture('grey/b/1.png', { grey: true, colour: { r: 20, g: 20, b: 20 } });
    const grey = await readImageFolder(path.join(folder.path, 'grey'), {});
    expect(grey.sampleShape).toEqual([3, 4, 1]);
    expect([grey.samples[0], grey.samples[12]]).toEqual([90, 20]);
    const colour = await readImageFolder(path.join(folder.path, 'grey'), { channels: 3 });
    expect(colour.sampleShape).toEqual([3, 4, 3]);
    expect([...colour.samples.subarray(36, 39)]).toEqual([20, 20, 20]);
  });

  it('scales all images to one size when asked', async () => {
    await picture('sizes/a/small.png');
    await picture('sizes/b/large.png', { width: 20, height: 30 });
    const split = await readImageFolder(path.join(folder.path, 'sizes'), { resize: [6, 5] });
    expect(split.sampleShape).toEqual([6, 5, 3]);
    expect([...split.samples.subarray(90, 93)]).toEqual([200, 10, 30]);
  });

  it('enlarges pictures about their centre', async () => {
    const values = Uint8Array.from([0, 0, 0, 40, 40, 40, 200, 200, 200]);
    const file = path.join(folder.path, 'small/a/1.png');
    await mkdir(path.dirname(file), { recursive: true });
    await sharp(values, { raw: { width: 3, height: 1, channels: 3 } }).toFile(file);
    const split = await readImageFolder(path.join(folder.path, 'small'), { resize: [2, 6], channels: 1 });
    // Pillow 13: Image.resize((6, 2), Image.LANCZOS); sharp's own are half a pixel to the right.
    expect([...split.samples]).toEqual([...ENLARGED, ...ENLARGED]);
    // A mirrored row has mirrored values.
    await sharp(values, { raw: { width: 3, height: 1, channels: 3 } })
      .flop()
      .toFile(file);
    const mirrored = await readImageFolder(path.join(folder.path, 'small'), { resize: [2, 6], channels: 1 });
    expect([...mirrored.samples.subarray(0, 6)]).toEqual(ENLARGED.toReversed());
  });

  it('drops transparency, reads 16-bit PNG as 8-bit and follows links to class folders', async () => {
    await mkdir(path.join(folder.path, 'odd/a'), { recursive: true });
    const background = { r: 100, g: 110, b: 120, alpha: 0.5 };
    await sharp({ create: { width: 2, height: 2, channels: 4, background } }).toFile(
      path.join(folder.path, 'odd/a/1.png'),
    );
    const wide = sharp({ create: { width: 2, height: 2, channels: 3, background: RED } })
      .toColourspace('rgb16')
      .png();
    await writeFile(path.join(folder.path, 'odd/a/2.png'), await wide.toBuffer());
    await symlink(path.join(folder.path, 'odd/a'), path.join(folder.path, 'odd/b'));
    const split = await readImageFolder(path.join(folder.path, 'odd'), {});
    expect(split.sampleShape).toEqual([2, 2, 3]);
    expect([...split.samples.subarray(0, 3)]).toEqual([100, 110, 120]);
    expect([...split.samples.subarray(12, 15)]).toEqual([200, 10, 30]);
    expect([...split.labels.values]).toEqual([0, 0, 1, 1]);
  });

  it('names the image of another size', async () => {
    await picture('differ/a/1.png');
    await picture('differ/b/2.png', { width: 5 });
    const { message, hint } = await userError(readImageFolder(path.join(folder.path, 'differ'), {}));
    expect(message).toMatch(/differ\/b\/2\.png: the image is 3x5 \(height x width\), but .*differ\/a\/1\.png is 3x4$/);
    expect(hint).toBe('Set `resize: [height, width]` in the recipe to scale all images to one size.');
  });

  it('names the colour image among grey ones', async () => {
    await picture('tones/a/1.png', { grey: true });
    await picture('tones/b/2.png');
    const { message, hint } = await userError(readImageFolder(path.join(folder.path, 'tones'), {}));
    expect(message).toMatch(/tones\/b\/2\.png: the image is in colour, but .*tones\/a\/1\.png is grey$/);
    expect(hint).toMatch(/`channels: 3`/);
  });

  it('turns colour to the grey of Pillow where a recipe asks for it, and leaves grey as it is', async () => {
    await picture('mixed-tones/a/1.png');
    await picture('mixed-tones/b/2.png', { grey: true, colour: { r: 90, g: 90, b: 90 } });
    const split = await readImageFolder(path.join(folder.path, 'mixed-tones'), { channels: 1 });
    expect(split.sampleShape).toEqual([3, 4, 1]);
    // 0.299, 0.587 and 0.114 of RED, as Image.convert("L") has it; sharp's own grey is 99.
    expect([split.samples[0], split.samples[12]]).toEqual([69, 90]);
  });

  it.each([
    ['text called .png', (png: Buffer) => Buffer.from(`not an image ${png.length}`)],
    ['an empty file', () => Buffer.alloc(0)],
    ['a truncated PNG', (png: Buffer) => png.subarray(0, png.length - 30)],
    ['a PNG with flipped bits', (png: Buffer) => png.map((byte, i) => (i > 45 && i < 60 ? byte ^ 0xff : byte))],
  ])('names %s', async (_, damage) => {
    await picture('corrupt/a/1.png');
    const noise = sharp(Buffer.from(Array.from({ length: 36 }, (__, i) => (i * 97) % 256)), {
      raw: { width: 4, height: 3, channels: 3 },
    });
    await mkdir(path.join(folder.path, 'corrupt/b'), { recursive: true });
    await writeFile(path.join(folder.path, 'corrupt/b/2.png'), damage(await noise.png().toBuffer()));
    const { message, hint } = await userError(readImageFolder(path.join(folder.path, 'corrupt'), {}));
    expect(message).toMatch(/corrupt\/b\/2\.png: cannot decode the image: .+/);
    expect(hint).toMatch(/Get the file again or remove it/);
  });

  it('refuses a folder of splits in place of classes', async () => {
    await picture('whole/train/cat/1.png');
    await picture('whole/Test/cat/1.png');
    const { message, hint } = await userError(readImageFolder(path.join(folder.path, 'whole'), {}));
    expect(message).toMatch(/whole: its sub-folders are splits, not classes: Test, train$/);
    expect(hint).toBe('Name one split at a time, as in `train: whole/train`.');
  });

  it('names a link that leads nowhere or in a circle', async () => {
    await picture('links/a/1.png');
    const [dead, circle] = ['dead', 'circle'].map((name) => path.join(folder.path, 'links/a', name));
    await symlink('gone', dead!);
    const nowhere = await userError(readImageFolder(path.join(folder.path, 'links'), {}));
    expect(nowhere.message).toMatch(/links\/a\/dead: cannot read it: no such file or folder$/);
    await rm(dead!);
    await symlink('..', circle!);
    const round = await userError(readImageFolder(path.join(folder.path, 'links'), {}));
    expect(round.message).toMatch(/links\/a\/circle: it is a link to a folder that contains it$/);
    expect(round.hint).toMatch(/leads back to itself/);
  });

  it('rejects folders without classes or images, and what is no folder', async () => {
    await mkdir(path.join(folder.path, 'empty'));
    const empty = await userError(readImageFolder(path.join(folder.path, 'empty'), {}));
    expect(empty.message).toMatch(/empty: no sub-folders, expected one per class$/);
    expect(empty.hint).toMatch(/class `cat` in a folder `cat`/);
    await mkdir(path.join(folder.path, 'hollow/a'), { recursive: true });
    const hollow = await userError(readImageFolder(path.join(folder.path, 'hollow'), {}));
    expect(hollow.message).toMatch(/hollow: no images in its 1 sub-folders$/);
    const missing = await userError(readImageFolder(path.join(folder.path, 'nowhere'), {}));
    expect(missing.message).toMatch(/nowhere: cannot read it: no such file or folder$/);
    const file = await folder.file('file', 'x');
    expect((await userError(readImageFolder(file, {}))).hint).toMatch(/is a file, not a folder/);
  });

  describe('that several processes read', () => {
    async function pictures(folderName: string, count: number, shift = 0): Promise<string> {
      for (let i = 0; i < count; i++)
        // White among them: its bytes are no number as floats.
        await picture(`${folderName}/a/${i}.png`, {
          colour: i === 3 ? { r: 255, g: 255, b: 255 } : { r: i + shift, g: 9, b: 3 },
        });
      return path.join(folder.path, folderName, 'a');
    }
    /** Pixels of the pictures of a folder for each process, and how many each has decoded. */
    const read = async (size: number, given: (rank: number) => EncodedImage[]) => {
      const counts = new Map<number, number>();
      const told = await played(size, async (readers) => {
        const sink = new ImageSink({}, 40, { readers });
        counts.set(readers.rank, 0);
        const counted = given(readers.rank).map(({ where, input }) => ({
          where,
          get input() {
            counts.set(readers.rank, counts.get(readers.rank)! + 1);
            return input;
          },
        }));
        await sink.add(counted);
        return sink.held('x').samples;
      });
      return { told, counts: [...counts.values()] };
    };
    const encoded = (of: string, count: number): EncodedImage[] =>
      Array.from({ length: count }, (_, i) => ({ where: `${i}`, input: path.join(of, `${i}.png`) }));

    it('are decoded once between them, but for one in nine, and each has all', async () => {
      const of = await pictures('shared', 40);
      const alone = new ImageSink({}, 40);
      await alone.add(encoded(of, 40));
      const { told, counts } = await read(3, () => encoded(of, 40));
      const expected = alone.held('x').samples;
      for (const samples of told) expect(samples).toEqual(expected);
      // The first by each; of the 39 others 23 and 16 at a time, 8 of each process at most, and one more where the next process has some.
      expect(counts).toEqual([1 + 9 + 9, 1 + 9 + 8 + 0, 1 + 8 + 1]);
    });

    it('are refused where they are other ones, or fewer', async () => {
      const [one, other] = [await pictures('one', 20), await pictures('other', 20, 1)];
      const first = { where: 'first', input: path.join(one, '0.png') };
      const mixed = read(2, (rank) => [first, ...encoded(rank === 0 ? one : other, 20)]);
      await expect(mixed).rejects.toThrow(/^8: process 0 of 2 reads other pixels than process 1$/);
      const fewer = read(2, (rank) => encoded(one, 20 - rank));
      await expect(fewer).rejects.toThrow(/^0: process 1 of 2 has 19 pictures from there on, and process 0 has 20$/);
    });
  });

  it('refuses what fits neither in memory nor into the temporary folder after one image', async () => {
    const file = await picture('huge/a/1.png');
    const sink = new ImageSink({}, 1e12);
    const { message, hint } = await userError(sink.add([{ where: file, input: file }]));
    expect(message).toMatch(
      /1\.png: 1000000000000 images of 3x4x3 take 36000\.0 GB, too much for memory, and the folder of/,
    );
    expect(hint).toMatch(/^Set `resize: \[height, width\]` to the size that the model sees\. Set TMPDIR to/);
  });
});
