import type { Slot } from '../../base/registry.ts';
import { namesInSentence, unreadOutputs } from './platforms.ts';
import type { KitSample, SampleContext, SampleFiles } from './platforms.ts';

/** Class that an app copies. */
export interface AppClass {
  /** Files with the parts of its source that are for its answers. */
  readonly parts: readonly string[];
  readonly NAME: string;
  /** Sentences on what its methods return. */
  readonly DOC: string;
}

/** Classes of apps for answers of a form: for texts, and for other samples; absent for samples that have no such answers. */
export interface AppClasses {
  readonly texts?: AppClass;
  readonly pictures?: AppClass;
}

/** Classes for answers that are numbers, each with a name, but for the files of their parts. */
export const NAMED_VALUES = {
  texts: {
    NAME: 'TextPredictor',
    DOC: 'Answers to texts by name, in the order of labels.txt: numbers in the units of the labels, or the probability of each label.',
  },
  pictures: {
    NAME: 'Predictor',
    DOC: 'Answers by name, in the order of labels.txt: numbers in the units of the labels, or the probability of each label.',
  },
};

/** Sample that is a class to copy. `sourceOf`: its files. */
export function appSample(
  sources: Slot<AppClasses>,
  sourceOf: (own: AppClass, of: SampleContext) => SampleFiles,
): KitSample {
  return {
    sources,
    filesOf: async (of) => {
      const { texts, pictures } = await sources.load(of.form);
      const own = of.data.text === undefined ? pictures : texts;
      const unread = unreadOutputs(of) ?? (own === undefined ? `${of.form} have no class for such samples` : undefined);
      return unread ?? sourceOf(own!, of);
    },
  };
}

/** Files that an app copies beside a class. */
export function copiedFiles({ kit, data }: Pick<SampleContext, 'kit' | 'data'>): string {
  const names = kit.hasNames === false ? [] : ['labels.txt'];
  if (data.text === undefined) return namesInSentence([...names, 'preprocessing.json']);
  const files = [...names, 'preprocessing.json', 'example.json', 'samples/tokenize/tokenizer.js'].join(', ');
  return `${files} and, if there is one, models/tokenizer.json`;
}

/** Expressions for the numbers of all outputs, one after another. */
export function readingOf({ outputs = 1 }: SampleContext['kit'], numbersOf: (at: number) => string): string {
  return Array.from({ length: outputs }, (_, at) => numbersOf(at)).join(' + ');
}
