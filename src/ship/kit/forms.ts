import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { taskRow } from '../../recipe/task.ts';
import type { TaskName } from '../../recipe/task.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { ModelRow } from '../../report/types.ts';
import type { Task } from '../../tasks/task.ts';
import { statedColumns } from '../metadata.ts';
import { loadKitList } from './lists.ts';
import type { Recipe } from '../../recipe/schema.ts';

/** Input of a sample's program: `arrays` for each of several inputs, `columns` of a table by their names, `tags` for texts that are cut into words. */
export type SampleKind = 'numbers' | 'arrays' | 'columns' | 'text' | 'tags';

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

/** Facts about the answers of a form that all platforms of a kit have in common. */
export interface KitForm {
  /** False if the numbers of an answer have no names, so that a kit has no labels.txt. */
  readonly hasNames?: false;
  /** Number of outputs that pages and classes of apps read. Default: 1. */
  readonly outputs?: number;
  /** True if samples also read the answers of the second files of a run with `outputs`, which the kit then has too. */
  readonly readsAnswerFiles?: true;
  readonly kindOf: typeof kindOfSamples;
  /** Meaning of the numbers in the output, for preprocessing.json. */
  readonly output: (task: Task, row: ModelRow) => object;
  /** Maker of the entries of a row in example.json, but for what a model answers. */
  readonly example: ExampleMaker;
  /** Sentences of the model card on what the answers do not say. */
  readonly limits: (classes: number) => readonly string[];
}

export const NAMES_FILE = 'labels.txt';

const KIT = new Slot<KitForm>(answerForms, 'kit', 'kit for apps');

/** Loads what a kit has for a form of answers; `kitForm` then finds it. */
export async function loadKit(form: string): Promise<KitForm> {
  await loadKitList();
  return KIT.load(form);
}

/** Parts of a kit for a task's answers. */
export function kitForm(task: TaskName): KitForm {
  return KIT.of(taskRow(task).form);
}

export function kindOfSamples(data: Pick<Dataset, 'text' | 'inputs' | 'columns' | 'sampleShape'>): SampleKind {
  if (data.text !== undefined) return 'text';
  if (data.inputs !== undefined) return 'arrays';
  return statedColumns(data) === undefined ? 'numbers' : 'columns';
}
