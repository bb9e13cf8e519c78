import { memorizedValidation } from '../../../../src/run/stages/measure/memorized.ts';
import { pictures } from '../../../support/dataset.ts';
import '../../../support/tasks.ts';

type Scores = readonly [validation: number, test: number];

/** The warning about a teacher with these scores on 720 and 1,000 samples, beside a twin. */
function warning(teacher: Scores, twin: Scores | undefined, change: object = {}): string | undefined {
  const row = (role: string, [validation, test]: Scores) => ({ row: { model: { role }, format: 'onnx', precision: 'fp32', score: { validation, test } } }); // prettier-ignore
  const measured = [row('teacher', teacher), ...(twin === undefined ? [] : [row('scratch', twin)])];
  const data = { validation: pictures(720, change), test: pictures(1000, change) };
  return memorizedValidation({ data } as never, measured as never);
}

it('a teacher that is far better on validation than on test is said to have seen it, with both figures', () => {
  expect(warning([0.861, 0.775], [0.78, 0.77])).toMatch(
    /^the teacher is right on 86\.1 % of 720 validation samples and on 77\.5 % of 1,000 test samples: it has probably been trained on the validation split/,
  );
  expect(warning([0.861, 0.775], undefined)).toBeDefined();
});

it.each<[string, Scores, Scores]>([
  ['as good on both', [0.861, 0.85], [0.78, 0.77]],
  ['better on test', [0.775, 0.861], [0.78, 0.77]],
  ['better on validation, as the twin is: the test is harder', [0.861, 0.775], [0.84, 0.77]],
])('nothing is said of a teacher that is %s', (_name, teacher, twin) => {
  expect(warning(teacher, twin)).toBeUndefined();
});

it('nothing is said of a score that is no share of samples', () => {
  expect(warning([0.861, 0.775], undefined, { task: 'regression', classNames: ['a'], scaling: { mean: [0], std: [1] } })).toBeUndefined(); // prettier-ignore
});
