import { sha256 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import type { Teacher } from './teacher.ts';

export interface Member {
  readonly teacher: Teacher;
  readonly weight: number;
}

/** The weighted mean of the members' logits: the geometric mean of what they predict, as Hinton et al. 2015 average experts. */
export function ensemble(members: readonly Member[]): Teacher {
  const [first] = members;
  const classes = first!.teacher.classes;
  const other = members.find(({ teacher }) => teacher.classes !== classes)?.teacher;
  if (other !== undefined) {
    throw new UserError(
      `teacher.ensemble: ${first!.teacher.name} answers for ${classes} classes, ${other.name} for ${other.classes}`,
      'Use teachers of the same data set.',
    );
  }
  const sum = members.reduce((total, { weight }) => total + weight, 0);
  return {
    name: `an ensemble of ${members.map(({ teacher }) => teacher.name).join(', ')}`,
    key: sha256(JSON.stringify(members.map(({ teacher, weight }) => [teacher.key, weight]))),
    classes,
    featureShapes: {},
    params: members.reduce((total, { teacher }) => total + teacher.params, 0),
    sizeBytes: members.reduce((total, { teacher }) => total + teacher.sizeBytes, 0),
    // One batch goes to all: the slowest at large ones decides.
    device: members.find(({ teacher }) => teacher.device === 'cpu')?.teacher.device ?? first!.teacher.device,
    answer: async (x, n) => {
      const mean = new Float64Array(n * classes);
      for (const { teacher, weight } of members) {
        const { logits } = await teacher.answer(x, n);
        for (let i = 0; i < mean.length; i++) mean[i]! += (logits[i]! * weight) / sum;
      }
      return { logits: Float32Array.from(mean), features: {} };
    },
    dispose: async () => {
      for (const { teacher } of members) await teacher.dispose();
    },
  };
}
