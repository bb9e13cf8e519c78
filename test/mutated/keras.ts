import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readBytes } from '../../src/base/files.ts';
import { openSource } from '../../src/ship/convert/source.ts';
import { inspectFile } from '../../src/tools/inspect.ts';
import { kerasHdf5, kerasJson, KERAS_PARTS, packedKeras } from '../support/saved-keras.ts';
import { sane } from './reader.ts';
import type { Reader } from './reader.ts';

async function readFile(folder: string, name: string): Promise<void> {
  const file = path.join(folder, name);
  await inspectFile(file);
  const { graph } = await openSource(file, undefined);
  for (const [, { shape }] of graph.inputs) {
    const isSize = (size: unknown): boolean => typeof size !== 'number' || (Number.isSafeInteger(size) && size >= 0);
    sane(shape.every(isSize), `an input is [${shape.join(', ')}]`);
  }
}

/** A part of an archive that is damaged before it is packed, so that the damage lies behind its checksum. */
const part = (damaged: keyof typeof KERAS_PARTS, more: Partial<Reader> = {}): Reader => ({
  files: { ...KERAS_PARTS, 'a.keras': packedKeras(KERAS_PARTS) },
  damaged,
  ...more,
  read: async (folder) => {
    const parts = await Promise.all(Object.keys(KERAS_PARTS).map(async (name) => [name, await readBytes(path.join(folder, name))] as const)); // prettier-ignore
    await writeFile(path.join(folder, 'a.keras'), packedKeras(Object.fromEntries(parts)));
    await readFile(folder, 'a.keras');
  },
});

const json = { files: kerasJson };

/** Damaged HDF5 files are read quickly, and most of their bytes say where something lies. */
const FACTOR = 4;

export const kerasReaders: Readonly<Record<string, Reader>> = {
  'Keras file': {
    files: { 'a.keras': packedKeras(KERAS_PARTS) },
    damaged: 'a.keras',
    read: (folder) => readFile(folder, 'a.keras'),
  },
  'configuration of a Keras file': part('config.json', { text: true }),
  'weights of a Keras file': part('model.weights.h5', { factor: FACTOR }),
  'Keras file in HDF5': {
    files: { 'a.h5': kerasHdf5 },
    damaged: 'a.h5',
    factor: FACTOR,
    text: true,
    read: (folder) => readFile(folder, 'a.h5'),
  },
  'model.json of Keras 3': {
    ...json,
    damaged: 'model.json',
    text: true,
    read: (folder) => readFile(folder, 'model.json'),
  },
  'weights of a model.json of Keras 3': {
    ...json,
    damaged: 'weights.bin',
    read: (folder) => readFile(folder, 'model.json'),
  },
};
