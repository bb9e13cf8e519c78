import { fstatSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FloatRows } from '../../../src/data/storage/float-rows.ts';
import { blocksOf, chosenRows, rowReader } from '../../../src/data/storage/sample-storage.ts';
import { Room } from '../../../src/data/storage/memory-budget.ts';
import { Scratch, writeRows } from '../../../src/data/storage/temporary-file.ts';

const form = { type: 'uint8', rowSize: 4 } as const;

/** Bytes in pieces of these lengths, over and over. */
async function* inPieces(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const piece = bytes.subarray(at, at + lengths[i % lengths.length]!);
    at += piece.length;
    yield await Promise.resolve(piece);
  }
}

it.each([[[1]], [[3, 7]], [[100]], [[5, 4, 13]]])('rows are the same in pieces of %j bytes', async (lengths) => {
  const bytes = Uint8Array.from({ length: 6 + 4 * 9 }, (_, i) => i);
  const scratch = new Scratch('x: its samples', form, 36);
  const count = await writeRows(scratch, inPieces(bytes, lengths), {
    skip: 6,
    rowBytes: 4,
    convert: (row) => row.map((value) => 2 * value),
  });
  expect(count).toBe(bytes.length);
  const held = scratch.finish();
  expect(held.stored!.rows).toHaveLength(9);
  expect([...blocksOf(held)].flatMap((block) => [...block])).toEqual([...bytes.subarray(6)].map((value) => 2 * value));
});

it('rows beyond one block are read in order, whichever they are', () => {
  // Two rows fill a block.
  const rowSize = 2 ** 21;
  const scratch = new Scratch('x: its samples', { type: 'uint8', rowSize }, 6 * rowSize);
  for (let row = 0; row < 6; row++)
    scratch.write(new Uint8Array(rowSize).fill(row, 0, rowSize - 1).fill(100 + row, -1));
  const rows = Int32Array.of(5, 1, 2, 3, 0);
  const chosen = chosenRows(scratch.finish(), rows, rowSize);
  const sizes: number[] = [];
  const ends: number[] = [];
  for (const block of blocksOf(chosen)) {
    sizes.push(block.length / rowSize);
    for (let at = 0; at < block.length; at += rowSize) ends.push(block[at]!, block[at + rowSize - 1]!);
  }
  expect(sizes).toEqual([2, 2, 1]);
  expect(ends).toEqual([...rows].flatMap((row) => [row, 100 + row]));
  const read = rowReader(chosen, rowSize);
  expect([read(3)[0], read(0)[0]]).toEqual([3, 5]);
});

it('a table of more rows than were expected goes into a file when there is no more room, and gives it back', () => {
  const room = new Room(5e6);
  const rows = new FloatRows({ source: 'x.csv.gz', width: 1000, expected: 0, room });
  for (let row = 0; row < 2500; row++) {
    const [values, at] = rows.begin();
    values.fill(row, at, at + 1000);
    if (row % 5 === 4) rows.drop();
  }
  const held = rows.held();
  expect(held.notes).toEqual([expect.stringMatching(/^x\.csv\.gz: its samples take 8 MB, .*into a temporary file$/)]);
  const read = rowReader(held, 1000);
  expect(held.stored!.rows).toHaveLength(2000);
  for (let row = 0; row < 2000; row++) expect([read(row)[0], read(row)[999]]).toEqual([Math.floor(row / 4) * 5 + (row % 4), Math.floor(row / 4) * 5 + (row % 4)]); // prettier-ignore
  expect(room.take(5e6)).toBe(true);
});

it('a file is closed when nothing refers to it any more', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const opened = (): readonly [descriptor: number, inode: number] => {
    const scratch = new Scratch('x: its samples', form, 8);
    scratch.write(new Uint8Array(8));
    const { descriptor } = scratch.finish().stored!.open;
    return [descriptor, fstatSync(descriptor).ino];
  };
  const [descriptor, inode] = opened();
  const isOpen = (): boolean => {
    try {
      return fstatSync(descriptor).ino === inode;
    } catch {
      return false;
    }
  };
  expect(isOpen()).toBe(true);
  for (let i = 0; i < 50 && isOpen(); i++) {
    collect();
    await after(5);
  }
  expect(isOpen()).toBe(false);
});
