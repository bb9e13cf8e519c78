import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import '../support/labels.ts';
import { loadDataset } from '../../src/data/load.ts';
import type { TaskName } from '../../src/recipe/task.ts';
import type { Dataset, Samples } from '../../src/data/dataset.ts';
import { sharedBytes, countOfElements } from '../../src/data/dataset.ts';

/** A folder for the tests of one file, removed after them. */
export function temporaryFolder(): {
  path: string;
  file: (name: string, content: Uint8Array | string) => Promise<string>;
} {
  const folder = { path: '' };
  beforeAll(async () => {
    folder.path = await mkdtemp(path.join(tmpdir(), 'limbeck-data-'));
  });
  afterAll(() => rm(folder.path, { recursive: true, force: true }));
  return {
    get path() {
      return folder.path;
    },
    file: async (name, content) => {
      const file = path.join(folder.path, name);
      await writeFile(file, content);
      return file;
    },
  };
}

export async function userError(work: Promise<unknown> | (() => unknown)): Promise<{ message: string; hint: string }> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof UserError) return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error('expected a UserError, nothing was thrown');
}

/** Lines of a table, `row` of each number. */
export function rows(count: number, row: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => row(i)).join('\n');
}

/** Reader of the data set of a task from the text of a CSV file `name`, with two samples for validation; `more` replaces keys. */
export function csvReader(folder: ReturnType<typeof temporaryFolder>, task: TaskName, name: string) {
  return async (text: string, more = {}) =>
    loadDataset({ type: 'csv', task, train: await folder.file(name, text), validation: 2, ...more });
}

/** IDX by hand: 00 00 type rank, dimensions, values of one byte. */
export function idx(type: number, shape: readonly number[], values: ArrayLike<number>): Uint8Array {
  const out = Buffer.alloc(4 + 4 * shape.length + values.length);
  out[2] = type;
  out[3] = shape.length;
  shape.forEach((dimension, i) => out.writeUInt32BE(dimension, 4 + 4 * i));
  out.set(Array.from(values), 4 + 4 * shape.length);
  return out;
}

/** A data set whose pixel values tell their row: (row · 7 + position) mod 256; class = row mod classes. */
export function countingDataset(count: number, sampleShape: readonly number[], classes = 3): Dataset {
  const size = countOfElements(sampleShape);
  const samples = sharedBytes(count * size);
  for (let i = 0; i < samples.length; i++) samples[i] = Math.floor(i / size) * 7 + (i % size);
  return datasetOf(samples, sampleShape, classes);
}

export function datasetOf(samples: Samples, sampleShape: readonly number[], classes = 3): Dataset {
  const count = samples.length / countOfElements(sampleShape);
  const channels = sampleShape.at(-1)!;
  return {
    name: 'train',
    idPrefix: 'train',
    sampleShape,
    task: 'classification',
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`),
    count,
    ids: Int32Array.from({ length: count }, (_, i) => i),
    targets: Int32Array.from({ length: count }, (_, i) => i % classes),
    samples,
    normalization: {
      scale: samples instanceof Uint8Array ? 1 / 255 : 1,
      mean: new Array<number>(channels).fill(0),
      std: new Array<number>(channels).fill(1),
    },
  };
}
