import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readCifar } from '../../../src/data/formats/cifar/cifar.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();

/** A record whose planes hold `red`, `green` and `blue` everywhere but in the second pixel, which is one more. */
function record(labels: readonly number[], [red, green, blue]: readonly [number, number, number]): Uint8Array {
  const planes = [red, green, blue].map((value) => {
    const plane = new Uint8Array(1024).fill(value);
    plane[1] = value + 1;
    return plane;
  });
  return Buffer.concat([Uint8Array.from(labels), ...planes]);
}

describe('CIFAR', () => {
  it('turns planes into pixels and knows the names of CIFAR-10', async () => {
    const file = await folder.file('one.bin', Buffer.concat([record([3], [10, 20, 30]), record([9], [40, 50, 60])]));
    const split = await readCifar(file, 'cifar10', 'train');
    expect(split.sampleShape).toEqual([32, 32, 3]);
    expect([...split.samples.subarray(0, 9)]).toEqual([10, 20, 30, 11, 21, 31, 10, 20, 30]);
    expect([...split.samples.subarray(3072, 3075)]).toEqual([40, 50, 60]);
    expect([...split.labels.values]).toEqual([3, 9]);
    expect(split.classNames![3]).toBe('cat');
  });

  it('finds the files of a folder by split', async () => {
    const root = path.join(folder.path, 'cifar-10-batches-bin');
    await mkdir(root);
    for (let i = 1; i <= 5; i++) await writeFile(path.join(root, `data_batch_${i}.bin`), record([i], [i, 0, 0]));
    await writeFile(path.join(root, 'test_batch.bin'), record([7], [7, 0, 0]));
    expect([...(await readCifar(root, 'cifar10', 'train')).labels.values]).toEqual([1, 2, 3, 4, 5]);
    expect([...(await readCifar(root, 'cifar10', 'test')).labels.values]).toEqual([7]);
  });

  it('reads fine and coarse labels of CIFAR-100, with the names beside the file', async () => {
    const file = await folder.file('train.bin', record([11, 42], [0, 0, 0]));
    await folder.file('coarse_label_names.txt', Array.from({ length: 20 }, (_, i) => `group_${i}`).join('\n') + '\n\n');
    const fine = await readCifar(file, 'fine', 'train');
    expect([...fine.labels.values]).toEqual([42]);
    expect(fine.classNames).toHaveLength(100);
    const coarse = await readCifar(file, 'coarse', 'train');
    expect([...coarse.labels.values]).toEqual([11]);
    expect(coarse.classNames![11]).toBe('group_11');
  });

  it('rejects a size that is no whole number of records, and guesses the other kind', async () => {
    const cut = await folder.file('cut.bin', record([1], [0, 0, 0]).subarray(0, 3000));
    const { message, hint } = await userError(readCifar(cut, 'cifar10', 'train'));
    expect(message).toMatch(/cut\.bin: 3000 bytes are no whole number of records of 3073 bytes$/);
    expect(hint).toMatch(/truncated/);
    const hundred = await folder.file('hundred.bin', record([1, 2], [0, 0, 0]));
    expect((await userError(readCifar(hundred, 'cifar10', 'train'))).hint).toBe(
      'This looks like the other kind: set `type: cifar100`.',
    );
    const ten = await folder.file('ten.bin', record([1], [0, 0, 0]));
    expect((await userError(readCifar(ten, 'fine', 'train'))).hint).toMatch(/`type: cifar10`/);
  });

  it('rejects a label out of range and names the sample', async () => {
    const bytes = Buffer.concat([record([1], [0, 0, 0]), record([10], [0, 0, 0])]);
    const { message, hint } = await userError(readCifar(await folder.file('label.bin', bytes), 'cifar10', 'train'));
    expect(message).toMatch(/label\.bin: sample 1: label 10 is out of range, expected 0 to 9$/);
    expect(hint).toMatch(/cifar10 or cifar100/);
  });

  it('rejects empty and missing files', async () => {
    expect((await userError(readCifar(await folder.file('0.bin', ''), 'cifar10', 'train'))).message).toMatch(/0 bytes/);
    const { message } = await userError(readCifar(path.join(folder.path, 'none'), 'cifar10', 'train'));
    expect(message).toMatch(/none: cannot read it: no such file or folder$/);
  });
});
