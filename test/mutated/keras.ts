import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../src/base/errors.ts';
import { readBytes } from '../../src/base/files.ts';
import { onnxGraph } from '../../src/ship/convert/source.ts';
import type { readModel } from '../../src/files/formats/keras/keras-file.ts';
import { compileTo } from '../data/compile.ts';
import { kerasHdf5, kerasJson, KERAS_PARTS, packedKeras } from '../support/saved-keras.ts';
import { sane } from './reader.ts';
import type { Reader } from './reader.ts';

/** Threads cannot run what jest compiles in memory, and a damaged file must crash a thread alone. */
const output = path.resolve(`node_modules/.cache/limbeck-keras-${process.pid}`);
await compileTo(output, ['files/formats/keras/keras-file', 'files/formats/keras/hdf5-thread']);
const compiled = (await import(pathToFileURL(path.join(output, 'files/formats/keras/keras-file.js')).href)) as {
  readonly readModel: typeof readModel;
};

export const removeCompiled = (): Promise<void> => rm(output, { recursive: true, force: true });

async function readFile(folder: string, name: string): Promise<void> {
  const file = path.join(folder, name);
  const model = await compiled.readModel(file).catch((error: unknown) => {
    // It is of the class of the compiled modules.
    throw isRefusal(error) ? new UserError(error.message, error.hint) : error;
  });
  const { graph } = onnxGraph(model, file);
  for (const [, { shape }] of graph.inputs) {
    const isSize = (size: unknown): boolean => typeof size !== 'number' || (Number.isSafeInteger(size) && size >= 0);
    sane(shape.every(isSize), `an input is [${shape.join(', ')}]`);
  }
}

function isRefusal(error: unknown): error is UserError {
  return error instanceof Error && error.name === 'UserError';
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

export const kerasReaders: Readonly<Record<string, Reader>> = {
  'Keras file': {
    files: { 'a.keras': packedKeras(KERAS_PARTS) },
    damaged: 'a.keras',
    read: (folder) => readFile(folder, 'a.keras'),
  },
  'configuration of a Keras file': part('config.json', { text: true }),
  'weights of a Keras file': part('model.weights.h5'),
  'Keras file in HDF5': {
    files: { 'a.h5': kerasHdf5 },
    damaged: 'a.h5',
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
