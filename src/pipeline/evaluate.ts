import { accuracyOf } from '../distill/chance.ts';
import { answers } from '../distill/preflight.ts';
import { openTeacher } from '../distill/open.ts';
import { UserError } from '../base/errors.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { loadData } from './data.ts';
import { engineOf } from './engine.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';

export type Split = 'train' | 'validation' | 'test';

export interface EvaluationResult {
  readonly file: string;
  readonly split: Split;
  readonly samples: number;
  readonly accuracy: number;
  /** By class name. */
  readonly perClass: Readonly<Record<string, number>>;
}

/** Accuracy of a model file on a split of a recipe's data, prepared as the student of that recipe sees it. */
export async function evaluateFile(file: string, { recipe }: LoadedRecipe, split: Split): Promise<EvaluationResult> {
  const data = await loadData(recipe);
  const dataset = data[split];
  if (dataset === undefined) {
    throw new UserError(
      `${recipe.name}: the data set has no test split`,
      'Use --split validation, or set dataset.test.',
    );
  }
  const source = file.endsWith('.json') ? { tfjs: file } : { onnx: file };
  const settings = { ...source, layout: 'auto', outputs: 'auto', intermediate: [] } as const;
  const options = {
    engine: engineOf(recipe),
    session: sessionOptionsOf(recipe),
    dataset,
    name: (name: string) => name,
  };
  const { teacher: model } = await openTeacher({ ...settings, intermediate: [] }, options);
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
  return { file, split, samples: dataset.count, accuracy, perClass: Object.fromEntries(perClass) };
}
