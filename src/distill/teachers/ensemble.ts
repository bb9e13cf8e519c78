import { sha256 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { countOfElements } from '../../data/dataset.ts';
import type { Teacher } from './teacher.ts';

export interface EnsembleMember {
  readonly teacher: Teacher;
  readonly weight: number;
}

/** `fixed`: constant weights. `entropy`: members that are surer of a sample count more for it. */
export type Weighting = 'fixed' | 'entropy';

/** Weighted mean of the members' logits: the geometric mean of their predicted probabilities, as in Hinton et al. 2015. */
export function ensemble(members: readonly EnsembleMember[], weighting: Weighting = 'fixed'): Teacher {
  const [first] = members;
  const classes = first!.teacher.classes;
  const other = members.find(({ teacher }) => teacher.classes !== classes)?.teacher;
  if (other !== undefined) {
    throw new UserError(
      `teacher.ensemble: ${first!.teacher.name} answers for ${classes} classes, ${other.name} for ${other.classes}`,
      'Use teachers of the same data set.',
    );
  }
  const largest = members
    .flatMap(({ teacher }) => (teacher.sampleShape === undefined ? [] : [teacher.sampleShape]))
    .sort((a, b) => countOfElements(b) - countOfElements(a))[0];
  const sum = members.reduce((total, { weight }) => total + weight, 0);
  return {
    name: `an ensemble of ${members.map(({ teacher }) => teacher.name).join(', ')}`,
    key: sha256(
      JSON.stringify([
        ...members.map(({ teacher, weight }) => [teacher.key, weight]),
        ...(weighting === 'fixed' ? [] : [weighting]),
      ]),
    ),
    classes,
    featureShapes: {},
    params: members.reduce((total, { teacher }) => total + teacher.params, 0),
    sizeBytes: members.reduce((total, { teacher }) => total + teacher.sizeBytes, 0),
    // All members get the same batch, so the batch size follows the slowest at large ones, a CPU.
    device: members.find(({ teacher }) => teacher.device === 'cpu')?.teacher.device ?? first!.teacher.device,
    ...(largest && { sampleShape: largest }),
    answer: async (x, n, original) => {
      const mean = new Float64Array(n * classes);
      const all: Float32Array[] = [];
      for (const { teacher } of members) all.push((await teacher.answer(x, n, original)).logits);
      const shares = weighting === 'fixed' ? undefined : byEntropy(members, all, classes);
      members.forEach(({ weight }, m) => {
        const logits = all[m]!;
        for (let i = 0; i < mean.length; i++)
          mean[i]! +=
            shares === undefined ? (logits[i]! * weight) / sum : logits[i]! * shares[m]![Math.floor(i / classes)]!;
      });
      return { logits: Float32Array.from(mean), features: {} };
    },
    dispose: async () => {
      for (const { teacher } of members) await teacher.dispose();
    },
  };
}

/**
 * Share of each member in each sample, [members][n]. Zhang et al. 2022 (ICASSP), "Confidence-aware multi-teacher knowledge distillation", equation 3,
 * with the entropy of an answer instead of its cross-entropy with the label, which is unknown when a teacher is asked:
 *
 * ω_m = (1 - exp(H_m) / Σ_j exp(H_j)) / (M - 1), times the weights of the members, rescaled to sum to 1
 */
function byEntropy(members: readonly EnsembleMember[], all: readonly Float32Array[], classes: number): Float64Array[] {
  const spread = all.map((logits) =>
    Float64Array.from({ length: logits.length / classes }, (_, row) => Math.exp(entropyOf(logits, row, classes))),
  );
  const shares = spread.map((own, m) =>
    own.map((value, row) => {
      const total = spread.reduce((sum, each) => sum + each[row]!, 0);
      return (members[m]!.weight * (1 - value / total)) / (members.length - 1);
    }),
  );
  const totals = shares[0]!.map((_, row) => shares.reduce((sum, share) => sum + share[row]!, 0));
  return shares.map((share) => share.map((value, row) => value / totals[row]!));
}

/** Entropy of the softmax of a row, in nats. */
function entropyOf(logits: Float32Array, row: number, classes: number): number {
  const values = logits.subarray(row * classes, (row + 1) * classes);
  const max = Math.max(...values);
  let [total, weighted] = [0, 0];
  for (const value of values) {
    const exp = Math.exp(value - max);
    total += exp;
    weighted += exp * (value - max);
  }
  return Math.log(total) - weighted / total;
}
