import { bytesOf, sha256 } from '../../base/bytes.ts';
import { nearest, UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import { parseNpy } from '../../base/numpy.ts';
import { npySamples } from '../../data/readers/numpy/npy.ts';
import { npyEntries } from '../../data/readers/numpy/zip.ts';
import { readSafetensors } from '../../formats/safetensors.ts';
import { typedAs } from '../../graph/arrays.ts';
import type { Teacher } from './teacher.ts';

/** A unit vector for each class, in the space of a model's embeddings. */
export interface ClassVectors {
  /** For messages. */
  readonly name: string;
  /** [classes, size] */
  readonly values: Float32Array;
  readonly classes: number;
  readonly size: number;
}

interface Stored {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Scale of cosines that CLIP's training arrives at (Radford et al. 2021, section 2.5: clipped at 100). */
const LOGIT_SCALE = 100;

/**
 * Reads class vectors: one array [classes, size] in the order of the classes, or an array [size] for each class, named like it. `UserError` for a
 * file of another kind, another number of classes, and vectors without a direction.
 */
export async function readClassVectors(
  file: string,
  name: string,
  classNames: readonly string[],
): Promise<ClassVectors> {
  const arrays = await arraysIn(await readBytes(file), file, name);
  const { shape, data } = matrixOf(arrays, name, classNames);
  const [classes, size] = shape as [number, number];
  if (classes !== classNames.length)
    throw new UserError(
      `teacher.classes: expected a vector for each of the ${classNames.length} classes of the data set, received ${classes} in ${name}`,
      `The classes of the data set: ${classNames.join(', ')}.`,
    );
  const values = new Float32Array(data.length);
  for (let row = 0; row < classes; row++) {
    const vector = data.subarray(row * size, (row + 1) * size);
    const length = Math.hypot(...vector);
    if (!(length > 0 && length < Infinity))
      throw new UserError(
        `teacher.classes: expected a vector other than zero for ${classNames[row]!}, received one of length ${length} in ${name}`,
        'Write the embeddings of the texts or samples that stand for the classes.',
      );
    for (let i = 0; i < size; i++) values[row * size + i] = vector[i]! / length;
  }
  return { name, values, classes, size };
}

async function arraysIn(bytes: Uint8Array, file: string, name: string): Promise<Map<string, Stored>> {
  if (file.endsWith('.safetensors'))
    return new Map(
      [...readSafetensors(bytes, name).tensors].map(([key, { shape, data, dtype }]) => [
        key,
        { shape, data: typedAs('float32', data, dtype) as Float32Array },
      ]),
    );
  const stored = (one: Uint8Array, where: string): Stored => {
    const array = parseNpy(one, where);
    return { shape: array.shape, data: Float32Array.from(npySamples(array)) };
  };
  if (file.endsWith('.npy')) return new Map([['', stored(bytes, name)]]);
  if (!file.endsWith('.npz'))
    throw new UserError(
      `teacher.classes: expected a file ending in .npy, .npz or .safetensors, received ${name}`,
      'Write the vectors of the classes with numpy.save, or list the names of the classes.',
    );
  const entries = await npyEntries(name, bytes);
  return new Map(
    Object.entries(entries).map(([key, one]) => [key.slice(0, -'.npy'.length), stored(one, `${name}: ${key}`)]),
  );
}

function matrixOf(arrays: ReadonlyMap<string, Stored>, name: string, classNames: readonly string[]): Stored {
  const [only] = arrays.values();
  if (arrays.size === 1 && only?.shape.length === 2) return only;
  const keys = [...arrays.keys()];
  const size = only?.shape[0];
  if (![...arrays.values()].every(({ shape }) => shape.length === 1 && shape[0] === size)) {
    const shown = [...arrays].map(([key, { shape }]) => `${key} [${shape.join(', ')}]`.trim());
    throw new UserError(
      `teacher.classes: expected an array [classes, size], or one [size] for each class, received ${shown.join(', ') || 'none'} in ${name}`,
      'Write one array of a row for each class.',
    );
  }
  const missing = classNames.find((one) => !arrays.has(one));
  const unknown = keys.find((key) => !classNames.includes(key));
  if (missing !== undefined || unknown !== undefined) {
    const meant = nearest(missing ?? '', keys);
    throw new UserError(
      missing === undefined
        ? `teacher.classes: ${name} has a vector for ${unknown!}, which is no class of the data set`
        : `teacher.classes: ${name} has no vector for the class ${missing}`,
      meant === undefined ? `The classes of the data set: ${classNames.join(', ')}.` : `Did you mean ${meant}?`,
    );
  }
  const data = new Float32Array(classNames.length * size!);
  classNames.forEach((one, row) => data.set(arrays.get(one)!.data, row * size!));
  return { shape: [classNames.length, size!], data };
}

/**
 * Classifies with a model that gives embeddings and was not trained on the classes (Radford et al. 2021, "Learning transferable visual models from
 * natural language supervision", section 3.1.2): logits = scale · e · Vᵀ, with e and the rows of V of length 1.
 */
export function zeroShot(model: Teacher, vectors: ClassVectors, scale: number = LOGIT_SCALE): Teacher {
  const { values, classes, size } = vectors;
  if (model.classes !== size)
    throw new UserError(
      `${model.name}: embeds a sample in ${model.classes} numbers, expected ${size}, as the vectors of ${vectors.name} have`,
      'Name the output with the embedding as `teacher.output`, and take the vectors from the same model.',
    );
  return {
    ...model,
    key: sha256(model.key, bytesOf(values), JSON.stringify({ scale })),
    classes,
    answer: async (x, n, original) => {
      const { logits: embedded, features } = await model.answer(x, n, original);
      const logits = new Float32Array(n * classes);
      for (let i = 0; i < n; i++) {
        const e = embedded.subarray(i * size, (i + 1) * size);
        const length = Math.hypot(...e);
        for (let c = 0; c < classes; c++) {
          let dot = 0;
          for (let k = 0; k < size; k++) dot += e[k]! * values[c * size + k]!;
          logits[i * classes + c] = (scale * dot) / length;
        }
      }
      return { logits, features };
    },
  };
}
