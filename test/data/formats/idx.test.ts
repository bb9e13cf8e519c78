import { gzipSync } from 'node:zlib';
import { readIdx } from '../../../src/data/formats/idx/idx.ts';
import { idx, temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();
const pixels = Uint8Array.from({ length: 24 }, (_, i) => i * 10);
const threeImages = idx(8, [3, 2, 4], pixels);
const threeLabels = idx(8, [3], [2, 0, 1]);

async function pair(images: Uint8Array | string, labels: Uint8Array | string = threeLabels) {
  return { images: await folder.file('images', images), labels: await folder.file('labels', labels) };
}

describe('IDX', () => {
  it('reads grey images as [height, width, 1] in uint8', async () => {
    const split = await readIdx(await pair(threeImages));
    expect(split.sampleShape).toEqual([2, 4, 1]);
    expect(split.samples).toBeInstanceOf(Uint8Array);
    expect([...split.samples]).toEqual([...pixels]);
    expect(split.labels).toEqual({ kind: 'index', values: Int32Array.of(2, 0, 1) });
    expect(split.samples.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('reads gzip whatever the file is called', async () => {
    const split = await readIdx(await pair(gzipSync(threeImages), gzipSync(threeLabels)));
    expect([...split.samples]).toEqual([...pixels]);
  });

  it('keeps the channels of four dimensions, and two dimensions as features', async () => {
    expect((await readIdx(await pair(idx(8, [3, 2, 1, 4], pixels)))).sampleShape).toEqual([2, 1, 4]);
    expect((await readIdx(await pair(idx(8, [3, 8], pixels)))).sampleShape).toEqual([8]);
  });

  it('reads big-endian float32, int16 and int8 values', async () => {
    const float = Buffer.alloc(12);
    [1.5, -2, 0.25].forEach((value, i) => float.writeFloatBE(value, 4 * i));
    const images = Buffer.from(idx(0x0d, [3, 1], float));
    expect([...(await readIdx(await pair(images))).samples]).toEqual([1.5, -2, 0.25]);
    const int16 = Buffer.alloc(6);
    [1, 300, 2].forEach((value, i) => int16.writeInt16BE(value, 2 * i));
    expect((await readIdx(await pair(threeImages, idx(0x0b, [3], int16)))).labels.values).toEqual(
      Int32Array.of(1, 300, 2),
    );
    expect((await readIdx(await pair(threeImages, idx(9, [3], [1, 255, 0])))).labels.values).toEqual(
      Int32Array.of(1, -1, 0),
    );
  });

  it('rejects an empty file', async () => {
    const { message, hint } = await userError(readIdx(await pair('')));
    expect(message).toMatch(/images: the file is empty \(0 bytes\)$/);
    expect(hint).toBe('Get it again, or point the recipe at another file.');
  });

  it('rejects a missing file', async () => {
    const labels = await folder.file('labels', threeLabels);
    const { message, hint } = await userError(readIdx({ images: `${folder.path}/none.gz`, labels }));
    expect(message).toMatch(/none\.gz: cannot read it: no such file or folder$/);
    expect(hint).toMatch(/^Check the path/);
  });

  it('rejects a truncated gzip stream', async () => {
    const whole = gzipSync(threeImages);
    const { message, hint } = await userError(readIdx(await pair(whole.subarray(0, whole.length - 10))));
    expect(message).toMatch(
      /images: truncated: the gzip data ends too early, received 48 bytes, which unpack to 39 of the 40 that its header says$/,
    );
    expect(hint).toMatch(/compare its size/);
  });

  it('rejects damaged gzip data', async () => {
    const bad = gzipSync(threeImages);
    bad[bad.length - 6]! ^= 0xff;
    const { message, hint } = await userError(readIdx(await pair(bad)));
    expect(message).toMatch(/images: the gzip data is damaged \(.+\)$/);
    expect(hint).toMatch(/gzip -t/);
  });

  it('rejects a web page saved under the name of a data file', async () => {
    const { message, hint } = await userError(readIdx(await pair('<!DOCTYPE html><html>')));
    expect(message).toMatch(/images: not an IDX file: it starts with 3c 21 44 4f, expected gzip \(1f 8b\) or 00 00/);
    expect(hint).toMatch(/not a web page/);
  });

  it.each([
    ['type 7', idx(7, [3, 8], pixels)],
    ['rank 0', Uint8Array.of(0, 0, 8, 0)],
    ['a first byte of 1', Uint8Array.from([1, ...threeImages.subarray(1)])],
    ['three bytes', Uint8Array.of(0, 0, 8)],
  ])('rejects a magic with %s', async (_, bytes) => {
    expect((await userError(readIdx(await pair(bytes)))).message).toMatch(/not an IDX file/);
  });

  it('says how many bytes are missing and how many too many', async () => {
    const short = await userError(readIdx(await pair(threeImages.subarray(0, 30))));
    expect(short.message).toMatch(/images: truncated: expected 40 bytes by its header, received 30$/);
    const header = await userError(readIdx(await pair(threeImages.subarray(0, 9))));
    expect(header.message).toMatch(/truncated: expected 16 bytes by its header, received 9$/);
    const long = await userError(readIdx(await pair(Buffer.concat([threeImages, Buffer.alloc(2)]))));
    expect(long.message).toMatch(/42 bytes, but its header \[3, 2, 4\] of uint8 says 40$/);
    expect(long.hint).toMatch(/do not belong together/);
  });

  it('rejects labels of another split', async () => {
    const { message, hint } = await userError(readIdx(await pair(threeImages, idx(8, [2], [0, 1]))));
    expect(message).toMatch(/labels: 2 labels for the 3 samples of .*images$/);
    expect(hint).toMatch(/train with train/);
  });

  it('notices swapped files', async () => {
    const { images, labels } = await pair(threeImages);
    const first = await userError(readIdx({ images: labels, labels: images }));
    expect(first.message).toMatch(/labels: expected 2 to 4 dimensions \(samples first\), received 1: \[3\]$/);
    expect(first.hint).toMatch(/swapped/);
    const second = await userError(readIdx({ images, labels: images }));
    expect(second.message).toMatch(/expected one dimension, a label per sample, received \[3, 2, 4\]$/);
    expect(second.hint).toMatch(/swapped/);
  });

  it('rejects float labels and files without samples', async () => {
    const float = await userError(readIdx(await pair(threeImages, idx(0x0d, [3], new Uint8Array(12)))));
    expect(float.message).toMatch(/labels are float32, expected integers$/);
    const none = await userError(readIdx(await pair(idx(8, [0, 2, 2], []), idx(8, [1], [0]))));
    expect(none.message).toMatch(/holds no samples: \[0, 2, 2\]$/);
  });
});
