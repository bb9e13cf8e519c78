import { taskRow } from '../../recipe/task.ts';
import type { AnswerFormKind, TaskName } from '../../recipe/task.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { ModelRow } from '../../report/types.ts';
import { USUAL_THRESHOLD } from '../../tasks/detection/threshold.ts';
import type { Task } from '../../tasks/task.ts';
import { statedColumns } from '../metadata.ts';
import type { SharedModule } from './portable.ts';

/** Input of a sample's program: `arrays` for each of several inputs, `columns` of a table by their names, `tags` for texts that are cut into words. */
export type SampleKind = 'numbers' | 'arrays' | 'columns' | 'text' | 'tags';

/** Data that a page takes besides the examples, as `SampleKind`, or sounds, or pictures over which it draws masks or boxes. */
export type PageInput = SampleKind | 'sound' | 'mask' | 'boxes';

/** Answers that a page shows, where it does not show tags, masks or boxes. */
export type PageAnswers = 'classes' | 'values' | 'vector';

/** The class that an app takes over: `samples/android/PART.kt` and `samples/ios/PART.swift` hold its methods, `DOC` says what they return. */
interface PhoneClass {
  readonly part: string;
  readonly NAME: string;
  readonly DOC: string;
}

interface KitForm {
  /** Program for Node, whose parts are in `samples/node/NAME.mjs`, with the names in it: its purpose, the labels, and the function that asks the model. */
  readonly program: {
    readonly name: string;
    readonly DOES: string;
    readonly LABELS: string;
    readonly ASKS: string;
    /** Our modules that it imports beside those for its samples. */
    readonly modules?: readonly SharedModule[];
    /** Text about the samples that the program takes; default: the text for their kind of data. */
    readonly takes?: string;
  };
  /** Class of apps that answers texts; absent where a model of texts has no such answers. */
  readonly texts?: PhoneClass;
  /** Class of apps for other samples; absent where there is none. */
  readonly pictures?: PhoneClass & { readonly hasReactNative?: true };
  /** False if the numbers of an answer have no names, so that a kit has no labels.txt. */
  readonly hasNames?: false;
  /** True if there are pages for browsers. */
  readonly hasPages: boolean;
  /** Number of outputs that pages and classes of apps read. Default: 1. */
  readonly outputs?: number;
  /** Answers that a page shows; default: classes. */
  readonly pageAnswers?: PageAnswers;
  /** Page for browsers, where it is not that for the kind of the samples. */
  readonly page?: PageInput;
  readonly kindOf: (data: Dataset) => SampleKind;
  /** Meaning of the numbers in the output, for preprocessing.json. */
  readonly output: (task: Task, row: ModelRow) => object;
  /** Sentences of the model card on what the answers do not say. */
  readonly limits: (classes: number) => readonly string[];
}

const LABELS = 'labels.txt';

const values: KitForm = {
  program: { name: 'predict', DOES: 'Predicts', LABELS: 'names', ASKS: 'predict' },
  texts: {
    part: 'values',
    NAME: 'TextPredictor',
    DOC: 'Answers to texts by name, in the order of labels.txt: numbers in the units of the labels, or the probability of each label.',
  },
  pictures: {
    part: 'picture-values',
    NAME: 'Predictor',
    DOC: 'Answers by name, in the order of labels.txt: numbers in the units of the labels, or the probability of each label.',
  },
  hasPages: true,
  pageAnswers: 'values',
  kindOf: kindOfSamples,
  output: ({ width, answers }) => ({ numbers: width, labels: LABELS, answers }),
  limits: () => ['It always answers, whatever it is shown: it was not trained to say that it does not know.'],
};

/** Parts of a kit by the form of the model's answers. */
export const KIT_FORMS: Readonly<Record<AnswerFormKind, KitForm>> = {
  classes: {
    program: { name: 'classify', DOES: 'Classifies samples', LABELS: 'labels', ASKS: 'logitsOf' },
    texts: {
      part: 'classes',
      NAME: 'TextClassifier',
      DOC: 'Classes of texts with their probabilities, the most likely first.',
    },
    pictures: {
      part: 'picture-classes',
      NAME: 'Classifier',
      DOC: 'Classes with their probabilities, the most likely first.',
      hasReactNative: true,
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
    texts: {
      part: 'tags',
      NAME: 'Tagger',
      DOC: 'Words with their tags; null for a word without a token, and behind the last token that the model takes.',
    },
    hasPages: true,
    kindOf: () => 'tags',
    output: ({ fields: [tags], answers }) => ({ shape: [1, ...tags!.shape], labels: LABELS, answers }),
    limits: values.limits,
  },
  mask: {
    program: {
      ...{ name: 'segment', DOES: 'Segments pictures', LABELS: 'names', ASKS: 'logitsOf' },
      modules: ['masks', 'mask-colours'],
    },
    pictures: {
      part: 'picture-mask',
      NAME: 'Segmenter',
      DOC: 'Masks of pictures: a class for each pixel, drawn over them in colours.',
    },
    hasPages: true,
    page: 'mask',
    kindOf: kindOfSamples,
    output: ({ fields: [cells], answers }) => ({ shape: [1, ...cells!.shape], labels: LABELS, answers }),
    limits: (classes) => [
      `It gives each pixel one of ${classes} classes, whatever it is shown: it was not trained to say that it does not know.`,
    ],
  },
  boxes: {
    program: {
      ...{ name: 'detect', DOES: 'Finds objects in pictures', LABELS: 'labels', ASKS: 'answersOf' },
      modules: ['letterbox', 'resize', 'suppression'],
      takes: '{"raw": [pixels from 0 to 255, row by row, channels last], "height": 480, "width": 640}, ...',
    },
    pictures: {
      part: 'picture-boxes',
      NAME: 'Detector',
      DOC: 'Boxes of the objects in pictures, with their labels and scores, also drawn over them.',
    },
    hasPages: true,
    outputs: 2,
    page: 'boxes',
    kindOf: kindOfSamples,
    output: ({ fields, answers, boxes: { overlap } = {} }, { boxes }) => ({
      ...{ fields, labels: LABELS, answers, overlap },
      threshold: boxes?.atThreshold?.threshold ?? USUAL_THRESHOLD,
    }),
    limits: () => ['It finds boxes of the classes that it was trained on, and takes other things for them at times.'],
  },
  vector: {
    program: {
      name: 'embed',
      DOES: 'Embeds samples, and finds those that are alike,',
      LABELS: 'names',
      ASKS: 'vectorOf',
    },
    texts: {
      part: 'vector',
      NAME: 'TextEmbedder',
      DOC: 'Vectors of length 1 of texts, which are as alike as the sum of the products of their numbers is large.',
    },
    pictures: {
      part: 'picture-vector',
      NAME: 'Embedder',
      DOC: 'Vectors of length 1 of samples, which are as alike as the sum of the products of their numbers is large.',
    },
    hasNames: false,
    hasPages: true,
    pageAnswers: 'vector',
    kindOf: kindOfSamples,
    output: ({ width }) => ({ numbers: width, length: 1, answers: 'values' }),
    limits: () => [
      'It gives a vector to whatever it is shown; how alike two samples must be to belong together is for your own data to show.',
    ],
  },
};

/** Parts of a kit for a task's answers. */
export function kitForm(task: TaskName): KitForm {
  return KIT_FORMS[taskRow(task).form];
}

function kindOfSamples(data: Dataset): SampleKind {
  if (data.text !== undefined) return 'text';
  if (data.inputs !== undefined) return 'arrays';
  return statedColumns(data) === undefined ? 'numbers' : 'columns';
}
