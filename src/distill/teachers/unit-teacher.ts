import { bytesOf, sha256 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { principalAxes } from '../../base/math/pca.ts';
import type { Dataset } from '../../data/dataset.ts';
import { plainLogits, refuseNotFinite } from '../preflight/preflight.ts';
import { ensemble } from './ensemble.ts';
import type { EnsembleMember } from './ensemble.ts';
import type { Answer, Teacher } from './teacher.ts';

/** Largest number of samples whose vectors the axes are found from. */
const MOST_SAMPLES = 4096;

/**
 * The teacher with vectors of length 1 of the size that the data ask for. Vectors of another size are projected onto their principal axes over samples
 * of `dataset`, and so are vectors with `prefixes`, so that their first numbers carry most. No other projection to this size keeps cosines better;
 * the student learns its result, and no file contains it. With `centred`, the mean over these samples is subtracted first: vectors of a teacher have
 * much in common, which says nothing of a sample (Mu and Viswanath 2018, "All-but-the-top", section 2). `UserError` for vectors with fewer numbers than asked for; those of a member of several
 * teachers are filled up with zeros instead.
 */
export async function unitTeacher(teacher: Teacher, dataset: Dataset, isMember = false): Promise<Teacher> {
  const { size, prefixes, centred } = dataset.vector!;
  const width = teacher.classes;
  const plain = unitModel(teacher);
  const samples = Math.min(MOST_SAMPLES, dataset.count);
  const rows = Int32Array.from({ length: samples }, (_, i) => Math.floor((i * dataset.count) / samples));
  const vectorsOf = async (of: Teacher): Promise<Float32Array> => {
    const vectors = await plainLogits(of, dataset, rows);
    refuseNotFinite(of, vectors);
    return vectors;
  };
  // Members are centred once they are joined.
  const unit = centred && !isMember ? less(plain, meanVector(await vectorsOf(plain), width)) : plain;
  if (width === size && (isMember || prefixes.length === 0)) return unit;
  if (width < size && isMember)
    return {
      ...unit,
      key: sha256(unit.key, String(size)),
      classes: size,
      answer: withVectors(unit, (vectors) => padded(vectors, width, size)),
    };
  if (size > Math.min(width, samples)) {
    const most = width < size ? width : 2 ** Math.floor(Math.log2(samples));
    throw new UserError(
      width < size
        ? `dataset.dimensions: expected at most ${width}, the numbers of a vector of ${teacher.name}, received ${size}`
        : `dataset.dimensions: expected at most ${samples}, the validation samples from which the ${width} numbers of ${teacher.name} are reduced, received ${size}`,
      width < size
        ? `Set \`dataset.dimensions: ${width}\` or less.`
        : `Set \`dataset.dimensions: ${most}\`, or give validation more samples.`,
      { changes: most < 2 ? [] : [{ path: ['dataset', 'dimensions'], value: most }] },
    );
  }
  const { axes } = principalAxes(await vectorsOf(unit), width, size);
  return {
    ...unit,
    // Other bits of the axes may be other axes: of nearly equal eigenvalues any turn is one.
    key: sha256(unit.key, bytesOf(axes)),
    classes: size,
    answer: withVectors(unit, (vectors) => unitRows(projected(vectors, axes, width), size)),
  };
}

/** A model that is no teacher, such as a student: its vectors have length 1 and are neither reduced, turned nor centred, whatever the data ask of a teacher. */
export const unitModel = (model: Teacher): Teacher => ({
  ...model,
  key: sha256(model.key, 'unit'),
  answer: withVectors(model, (vectors) => unitRows(vectors, model.classes)),
});

/** The teacher with a vector subtracted from each of its own, and length 1 again. */
function less(unit: Teacher, mean: Float32Array): Teacher {
  const width = mean.length;
  const rest = (vectors: Float32Array): Float32Array => vectors.map((value, i) => value - mean[i % width]!);
  return {
    ...unit,
    key: sha256(unit.key, bytesOf(mean)),
    answer: withVectors(unit, (vectors) => unitRows(rest(vectors), width)),
  };
}

/** Mean of rows [n, width]. */
function meanVector(rows: Float32Array, width: number): Float32Array {
  const mean = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width]! += (rows[i]! * width) / rows.length;
  return Float32Array.from(mean);
}

function withVectors(teacher: Teacher, change: (vectors: Float32Array) => Float32Array): Teacher['answer'] {
  return async (x, n, original): Promise<Answer> => {
    const { logits, features } = await teacher.answer(x, n, original);
    return { logits: change(logits), features };
  };
}

/** Rows [n, width] divided by their lengths; a row of zeros stays one. */
function unitRows(rows: Float32Array, width: number): Float32Array {
  const out = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += width) {
    let square = 0;
    for (let i = at; i < at + width; i++) square += rows[i]! ** 2;
    const scale = square === 0 ? 0 : 1 / Math.sqrt(square);
    for (let i = at; i < at + width; i++) out[i] = rows[i]! * scale;
  }
  return out;
}

/** Rows [n, width] on axes [size, width]: [n, size]. */
function projected(rows: Float32Array, axes: Float32Array, width: number): Float32Array {
  const size = axes.length / width;
  const out = new Float32Array((rows.length / width) * size);
  for (let row = 0; row < rows.length / width; row++)
    for (let axis = 0; axis < size; axis++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += rows[row * width + i]! * axes[axis * width + i]!;
      out[row * size + axis] = sum;
    }
  return out;
}

/** Rows [n, width] filled up with zeros: [n, size]. */
function padded(rows: Float32Array, width: number, size: number): Float32Array {
  const out = new Float32Array((rows.length / width) * size);
  for (let row = 0; row < rows.length / width; row++)
    out.set(rows.subarray(row * width, (row + 1) * width), row * size);
  return out;
}

/** Vectors of several teachers one after another, each times the root of its share of the weights: cosines are the weighted mean of theirs. */
export function joinedTeacher(members: readonly EnsembleMember[]): Teacher {
  const sum = members.reduce((total, { weight }) => total + weight, 0);
  const widths = members.map(({ teacher }) => teacher.classes);
  const width = widths.reduce((total, own) => total + own, 0);
  const whole = ensemble(members);
  return {
    ...whole,
    key: sha256(whole.key, 'joined'),
    classes: width,
    answer: async (x, n, original) => {
      const out = new Float32Array(n * width);
      let from = 0;
      for (const [m, { teacher, weight }] of members.entries()) {
        const { logits } = await teacher.answer(x, n, original);
        const [own, scale] = [widths[m]!, Math.sqrt(weight / sum)];
        for (let i = 0; i < logits.length; i++)
          out[Math.floor(i / own) * width + from + (i % own)] = logits[i]! * scale;
        from += own;
      }
      return { logits: out, features: {} };
    },
  };
}
