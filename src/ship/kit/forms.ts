import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { taskRow } from '../../recipe/task.ts';
import type { TaskName } from '../../recipe/task.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { ModelRow } from '../../report/types.ts';
import type { Task } from '../../tasks/task.ts';
import { statedColumns } from '../metadata.ts';
import type { SharedModule } from './portable.ts';
import type { Recipe } from '../../recipe/schema.ts';

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

/** Sources of samples: the recipe, the folder of its run, and the texts of each row by its id. */
export interface ExampleSource {
  readonly recipe: Pick<Recipe, 'device' | 'threads' | 'engine'>;
  readonly run: string;
  readonly texts: ReadonlyMap<string, readonly string[]>;
}

/** Function that makes the entries of a row in example.json, of its raw values and of the answers of a model. */
export type ExampleOf = (row: number, raw: readonly number[], answers: Float32Array) => object;

/** Function that makes the entries of a row in example.json, but for what a model answers. */
export type ExampleMaker = (split: Dataset, source: ExampleSource) => ExampleOf | Promise<ExampleOf>;

export interface KitForm {
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
  /** Maker of the entries of a row in example.json, but for what a model answers. */
  readonly example: ExampleMaker;
  /** Folder of the sources that are for this form alone, beside those in `samples/`; default: none. */
  readonly folder?: string;
  /** Sentences of the model card on what the answers do not say. */
  readonly limits: (classes: number) => readonly string[];
}

export const NAMES_FILE = 'labels.txt';

const KIT = new Slot<KitForm>(answerForms, 'kit', 'kit for apps');

/** Loads what a kit has for a form of answers; `kitOf` then finds it. */
export async function loadKit(form: string): Promise<KitForm> {
  return KIT.load(form);
}

/** Parts of a kit for a form of answers. */
export function kitOf(form: string): KitForm {
  return KIT.of(form);
}

/** Parts of a kit for a task's answers. */
export function kitForm(task: TaskName): KitForm {
  return kitOf(taskRow(task).form);
}

export function kindOfSamples(data: Dataset): SampleKind {
  if (data.text !== undefined) return 'text';
  if (data.inputs !== undefined) return 'arrays';
  return statedColumns(data) === undefined ? 'numbers' : 'columns';
}
