import { answerForms } from './answer-forms.ts';
import { belongs } from './rule.ts';
import type { AnswerKeys, KeyRule } from './rule.ts';
import { compressRules } from './schema/compress.ts';
import { datasetRules } from './schema/dataset.ts';
import { distillRules } from './schema/distill.ts';
import { exportRules } from './schema/export.ts';
import { studentRules } from './schema/student.ts';
import { targetRules } from './schema/target.ts';
import { taskRules } from './schema/task.ts';
import { teacherRules } from './schema/teacher.ts';
import { tfliteRules } from './schema/tflite.ts';
import { textRules } from './schema/text.ts';
import { trainingRules } from './schema/training.ts';
import { DEFAULT_TASK } from './task.ts';
import type { TaskName } from './task.ts';

/** Rules about any recipe. */
const RULES: readonly KeyRule[] = [
  {
    keys: ['', 'teacher', 'student'],
    when: (_recipe: object, ...networks: readonly unknown[]) => networks.every((network) => network === undefined),
    because: 'a teacher, a student or both',
    received: 'neither',
  },
  ...[datasetRules, textRules, taskRules, teacherRules, studentRules, targetRules].flat(),
  ...[distillRules, trainingRules, compressRules, exportRules, tfliteRules].flat(),
];

/** Every rule that a recipe for its task must keep. */
export function rulesFor({ dataset }: { readonly dataset: { readonly task?: TaskName | undefined } }): KeyRule[] {
  const { task = DEFAULT_TASK } = dataset;
  const ofAnswers = answerForms
    .all()
    .flatMap(({ keys }) => keys)
    .flatMap((answers) => (answers.tasks.includes(task) ? answers.rules : rulesElsewhere(answers)));
  return [...RULES, ...ofAnswers];
}

/** Rules of recipes for a task that does not read the keys of an answer's form. */
function rulesElsewhere({ name, keys, elsewhere = [] }: AnswerKeys): readonly KeyRule[] {
  const owned = Object.entries(keys).flatMap(([part, schemas]) =>
    Object.entries(schemas).map(([key, schema]): KeyRule => {
      const usual = schema.safeParse(undefined).data;
      return { ...belongs(name, `${part}.${key}`), when: (value: unknown) => value !== usual };
    }),
  );
  return [...owned, ...elsewhere];
}
