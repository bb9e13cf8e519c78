import type { Dataset } from '../data/dataset.ts';
import { classesOf, perClassOf as countsOf } from '../tasks/classes.ts';
import { taskOf } from '../tasks/registry.ts';
import type { ErrorReport, LabelReport } from '../tasks/described.ts';
import type { Task } from '../tasks/task.ts';
import { answers } from '../distill/preflight.ts';
import { openFile } from '../distill/open.ts';
import { ownTeacher, preparationText } from '../distill/preparation.ts';
import { UserError } from '../base/errors.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import { usualAnswers } from '../measure/usual.ts';
import type { UsualAnswers } from '../measure/usual.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { loadFedData } from '../setup/data.ts';
import { engineOf } from '../setup/engine.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';

export type Split = 'train' | 'validation' | 'test';

export interface EvaluationResult {
  readonly file: string;
  readonly split: Split;
  readonly samples: number;
  /** The result in words. */
  readonly said: string;
  /** Accuracy, for classes. */
  readonly accuracy?: number;
  /** Score of each class, by name. */
  readonly perClass?: Readonly<Record<string, number>>;
  /** Score of other tasks. */
  readonly score?: { readonly name: string; readonly value: number };
  readonly errors?: ErrorReport;
  readonly labels?: LabelReport;
  /** Preparation of the input, and who states it. */
  readonly preparation: string;
  /** Distribution of its answers; undefined for the train split, whose answers are not usual, and for tasks without classes. */
  readonly usual?: UsualAnswers | undefined;
  /** Oddities of its answers, one sentence each. */
  readonly warnings: readonly string[];
}

const ANY = { layout: 'auto', outputs: 'auto' } as const;

/**
 * Score of a model file on a split of a recipe's data. Its input is prepared as the recipe's `teacher` says if it is the
 * recipe's own, else as its metadata say, else as the recipe prepares its data. `shapes`: of inputs that an ONNX file leaves open.
 */
export async function evaluateFile(
  file: string,
  { recipe }: LoadedRecipe,
  split: Split,
  shapes: InputShapes = new Map(),
): Promise<EvaluationResult> {
  const format = file.endsWith('.json') ? 'tfjs' : file.endsWith('.tflite') ? 'tflite' : 'onnx';
  if (shapes.size > 0 && format !== 'onnx')
    throw new UserError(`${file}: --shape is for an .onnx file`, 'Leave it out: other files have their sizes.');
  const own = await ownTeacher(file, recipe.teacher);
  // A member of an ensemble reads what the ensemble does.
  const data = await loadFedData(recipe, own && recipe.teacher, format === 'tfjs');
  const dataset = data[split];
  if (dataset === undefined) {
    throw new UserError(
      `${recipe.name}: the data set has no test split`,
      'Use --split validation, or set dataset.test.',
    );
  }
  const settings = { ...ANY, ...own, onnx: undefined, intermediate: [], [format]: file };
  const options = {
    engine: engineOf(recipe),
    session: sessionOptionsOf(recipe),
    dataset,
    shapes,
    name: (name: string) => name,
  };
  const { teacher: model, preparation } = await openFile(settings, options);
  const task = taskOf(dataset);
  if (model.classes !== task.width) {
    const each = task.classes === undefined ? 'number' : 'class';
    throw new UserError(
      `${file}: expected ${task.width} outputs, one per ${each} of the data set, received ${model.classes}`,
      'Evaluate it with a recipe of its own data set.',
    );
  }
  const rows = Int32Array.from({ length: dataset.count }, (_, i) => i);
  const given = await answers(model, dataset, rows);
  const score = task.scoreOf(given, dataset.targets);
  const shared = { file, split, samples: dataset.count, preparation: preparationText(preparation, dataset) };
  await model.dispose();
  const odd = task.stuck(file, given, dataset.targets);
  const warnings = odd === undefined ? [] : [odd];
  const said = task.score.said(score, `${dataset.count} ${split} samples`);
  if (task.classes !== undefined) {
    const usual = split === 'train' ? undefined : usualAnswers(given, task.width, split);
    return { ...shared, said, accuracy: score, perClass: perClassOf(given, dataset, task.classes), usual, warnings };
  }
  return {
    ...shared,
    said,
    score: { name: task.score.name, value: score },
    ...errorsOf(task, given, dataset),
    warnings,
  };
}

function errorsOf(task: Task, given: Float32Array, { targets }: Dataset): Pick<EvaluationResult, 'errors' | 'labels'> {
  const { errors, labels } = task.describe(given, targets);
  return { ...(errors && { errors }), ...(labels && { labels }) };
}

/** Share of each class that is right, by its name. */
function perClassOf(logits: Float32Array, { targets }: Dataset, classes: readonly string[]): Record<string, number> {
  const width = classes.length;
  const { samples, right } = countsOf(classesOf(logits, width), targets as Int32Array, width);
  return Object.fromEntries(classes.map((name, i) => [name, samples[i] === 0 ? 0 : right[i]! / samples[i]!]));
}
