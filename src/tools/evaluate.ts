import { accuracyOf } from '../distill/chance.ts';
import { classesOf } from '../measure/accuracy.ts';
import { answers } from '../distill/preflight.ts';
import { openFile } from '../distill/open.ts';
import { ownTeacher, preparationText } from '../distill/preparation.ts';
import { UserError } from '../base/errors.ts';
import { usualAnswers } from '../measure/usual.ts';
import type { UsualAnswers } from '../measure/usual.ts';
import { oneClassWarning } from '../measure/one-class.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { loadData } from '../setup/data.ts';
import { engineOf } from '../setup/engine.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';

export type Split = 'train' | 'validation' | 'test';

export interface EvaluationResult {
  readonly file: string;
  readonly split: Split;
  readonly samples: number;
  readonly accuracy: number;
  /** By class name. */
  readonly perClass: Readonly<Record<string, number>>;
  /** How its input was prepared, and who says so. */
  readonly preparation: string;
  /** How its answers are spread; undefined for the train split, whose answers are not usual. */
  readonly usual: UsualAnswers | undefined;
  /** What is odd about its answers, one sentence each. */
  readonly warnings: readonly string[];
}

const ANY = { layout: 'auto', outputs: 'auto' } as const;

/**
 * Accuracy of a model file on a split of a recipe's data. Its input is prepared as the recipe's `teacher` says if it is the
 * recipe's own, else as its metadata say, else as the recipe prepares its data.
 */
export async function evaluateFile(file: string, { recipe }: LoadedRecipe, split: Split): Promise<EvaluationResult> {
  const data = await loadData(recipe);
  const dataset = data[split];
  if (dataset === undefined) {
    throw new UserError(
      `${recipe.name}: the data set has no test split`,
      'Use --split validation, or set dataset.test.',
    );
  }
  const format = file.endsWith('.json') ? 'tfjs' : file.endsWith('.tflite') ? 'tflite' : 'onnx';
  const own = await ownTeacher(file, recipe.teacher);
  const settings = { ...ANY, ...own, onnx: undefined, intermediate: [], [format]: file };
  const options = {
    engine: engineOf(recipe),
    session: sessionOptionsOf(recipe),
    dataset,
    name: (name: string) => name,
  };
  const { teacher: model, preparation } = await openFile(settings, options);
  const classes = data.classNames.length;
  if (model.classes !== classes) {
    throw new UserError(
      `${file}: expected ${classes} outputs, one per class of the data set, received ${model.classes}`,
      'Evaluate it with a recipe of its own data set.',
    );
  }
  const rows = Int32Array.from({ length: dataset.count }, (_, i) => i);
  const logits = await answers(model, dataset, rows);
  await model.dispose();
  const perClass = data.classNames.map((name, label) => {
    const of = rows.filter((row) => dataset.labels[row] === label);
    const own = new Float32Array(of.length * classes);
    of.forEach((row, i) => own.set(logits.subarray(row * classes, (row + 1) * classes), i * classes));
    return [
      name,
      of.length === 0
        ? 0
        : accuracyOf(
            own,
            of.map(() => label),
            classes,
          ),
    ] as const;
  });
  const accuracy = accuracyOf(logits, dataset.labels, classes);
  const odd = oneClassWarning(file, classesOf(logits, classes), dataset.labels, data.classNames);
  return {
    ...{ file, split, samples: dataset.count, accuracy, perClass: Object.fromEntries(perClass) },
    preparation: preparationText(preparation, dataset),
    usual: split === 'train' ? undefined : usualAnswers(logits, classes, split),
    warnings: odd === undefined ? [] : [odd],
  };
}
