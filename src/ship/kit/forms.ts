import { UserError } from '../../base/errors.ts';
import { taskRow } from '../../recipe/task.ts';
import type { AnswerFormKind, TaskName } from '../../recipe/task.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Task } from '../../tasks/task.ts';

/** Input of a sample's program: `arrays` for each of several inputs, `words` of columns of a table, `tags` for texts that are cut into words. */
export type SampleKind = 'numbers' | 'arrays' | 'words' | 'text' | 'tags';

interface KitForm {
  /** Program for Node, whose parts are in `samples/node/NAME.mjs`, with the names in it: its purpose, the labels, and the function that asks the model. */
  readonly program: { readonly name: string; readonly DOES: string; readonly LABELS: string; readonly ASKS: string };
  /** Class of apps that answers texts, whose parts are in `samples/android/PART.kt` and `samples/ios/PART.swift`, and what it gives. */
  readonly phones: { readonly part: string; readonly NAME: string; readonly DOC: string };
  /** True if there are pages for browsers, and classes of apps for samples other than texts. */
  readonly hasPages: boolean;
  readonly kindOf: (data: Dataset) => SampleKind;
  /** Meaning of the numbers in the output, for preprocessing.json. */
  readonly output: (task: Task) => object;
  /** Sentences of the model card on what the answers do not say. */
  readonly limits: (classes: number) => readonly string[];
}

const LABELS = 'labels.txt';

const values: KitForm = {
  program: { name: 'predict', DOES: 'Predicts', LABELS: 'names', ASKS: 'predict' },
  phones: {
    part: 'values',
    NAME: 'TextPredictor',
    DOC: 'Answers to texts by name, in the order of labels.txt: numbers in the units of the labels, or the probability of each label.',
  },
  hasPages: false,
  kindOf: kindOfSamples,
  output: ({ width, answers }) => ({ numbers: width, labels: LABELS, answers }),
  limits: () => ['It always answers, whatever it is shown: it was not trained to say that it does not know.'],
};

/** Parts of a kit by the form of the model's answers; undefined where there are no samples for apps yet. */
export const KIT_FORMS: Readonly<Record<AnswerFormKind, KitForm | undefined>> = {
  classes: {
    program: { name: 'classify', DOES: 'Classifies samples', LABELS: 'labels', ASKS: 'logitsOf' },
    phones: {
      part: 'classes',
      NAME: 'TextClassifier',
      DOC: 'Classes of texts with their probabilities, the most likely first.',
    },
    hasPages: true,
    kindOf: kindOfSamples,
    output: ({ width }) => ({ classes: width, labels: LABELS, softmax: 'not in the model' }),
    limits: (classes) => [
      `It always answers one of ${classes} classes, whatever it is shown: it was not trained to say that it does not know.`,
      'Its probabilities were not calibrated; a high one is no promise.',
    ],
  },
  numbers: values,
  labels: values,
  tags: {
    program: { name: 'tag', DOES: 'Tags the words of texts', LABELS: 'names', ASKS: 'logitsOf' },
    phones: {
      part: 'tags',
      NAME: 'Tagger',
      DOC: 'Words with their tags; null for a word without a token, and behind the last token that the model takes.',
    },
    hasPages: true,
    kindOf: () => 'tags',
    output: ({ fields: [tags], answers }) => ({ shape: [1, ...tags!.shape], labels: LABELS, answers }),
    limits: values.limits,
  },
  mask: undefined,
  boxes: undefined,
};

/** Parts of a kit for a task's answers. `UserError` if there are none. */
export function kitForm(task: TaskName): KitForm {
  return kitFormOf(taskRow(task).form);
}

/** Parts of a kit for answers of a form. `UserError` if there are none. */
export function kitFormOf(form: AnswerFormKind): KitForm {
  const found = KIT_FORMS[form];
  if (found !== undefined) return found;
  throw new UserError(
    `export --kit: there are no samples for apps whose answers are of the form ${form} yet`,
    'The files in `exports/` run in ONNX Runtime and LiteRT as they are; `limbeck serve` answers with masks.',
  );
}

function kindOfSamples({ text, inputs, columns }: Dataset): SampleKind {
  if (text !== undefined) return 'text';
  if (inputs !== undefined) return 'arrays';
  return columns?.some(({ words }) => words !== undefined) === true ? 'words' : 'numbers';
}
