import { sha256 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { countOfElements } from '../../data/dataset.ts';
import type { Teacher } from './teacher.ts';

export interface EnsembleMember {
  readonly teacher: Teacher;
  readonly weight: number;
}

/** Weighted mean of the members' logits: the geometric mean of their predicted probabilities, as in Hinton et al. 2015. */
export function ensemble(members: readonly EnsembleMember[]): Teacher {
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
    key: sha256(JSON.stringify(members.map(({ teacher, weight }) => [teacher.key, weight]))),
    classes,
    featureShapes: {},
    params: members.reduce((total, { teacher }) => total + teacher.params, 0),
    sizeBytes: members.reduce((total, { teacher }) => total + teacher.sizeBytes, 0),
    // All members get the same batch, so the batch size follows the slowest at large ones, a CPU.
    device: members.find(({ teacher }) => teacher.device === 'cpu')?.teacher.device ?? first!.teacher.device,
    ...(largest && { sampleShape: largest }),
    answer: async (x, n, original) => {
      const mean = new Float64Array(n * classes);
      for (const { teacher, weight } of members) {
        const { logits } = await teacher.answer(x, n, original);
        for (let i = 0; i < mean.length; i++) mean[i]! += (logits[i]! * weight) / sum;
      }
      return { logits: Float32Array.from(mean), features: {} };
    },
    dispose: async () => {
      for (const { teacher } of members) await teacher.dispose();
    },
  };
}
