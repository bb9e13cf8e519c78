import { concatBytes } from '../../../src/base/bytes.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { readParquet } from '../../../src/data/formats/parquet/parquet.ts';
import { parquetVectors } from '../../../src/formats/parquet/vectors.ts';
import { temporaryFolder } from '../../data/support.ts';

const folder = temporaryFolder();

/** A file of random vectors, written in blocks. */
function written(count: number, size: number, block: number): readonly [bytes: Uint8Array, values: Float32Array] {
  const random = new RandomStream('vectors', count, size);
  const values = Float32Array.from({ length: count * size }, () => random.uniform() - 0.5);
  const { head, block: blockOf, bytes, tail } = parquetVectors(size);
  const blocks = Array.from({ length: Math.ceil(count / block) }, (_, i) =>
    blockOf(values.subarray(i * block * size, (i + 1) * block * size)),
  );
  for (const one of blocks.slice(0, -1)) expect(one.length).toBe(bytes(block));
  return [concatBytes([head, ...blocks, tail(count, block)]), values];
}

it.each([
  [1, 1, 1],
  [7, 3, 7],
  [20, 130, 6],
  // More row groups than a short list of Thrift holds, and numbers of two and three bytes.
  [1000, 64, 50],
  [300, 2, 4096],
])('%i vectors of %i numbers in blocks of %i are read as they were', async (count, size, block) => {
  const [bytes, values] = written(count, size, block);
  const file = await folder.file(`${count}.parquet`, bytes);
  const split = await readParquet(file, { features: 'vector', withoutLabels: true });
  expect([split.sampleShape, split.samples.length]).toEqual([[size], count * size]);
  expect([...split.samples]).toEqual([...values]);
});
