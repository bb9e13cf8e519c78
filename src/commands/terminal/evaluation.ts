import { digits, percent } from '../../base/numbers.ts';
import type { AnswerFormKind } from '../../recipe/task.ts';
import { ENTITY_HEAD, entityRows } from '../../report/tables/entities.ts';
import { BOX_HEAD, boxRows } from '../../report/tables/boxes.ts';
import { MASK_HEAD, maskRows } from '../../report/tables/masks.ts';
import { vectorHead, vectorRows } from '../../report/tables/vectors.ts';
import type { ClassFigures } from '../../tasks/described.ts';
import type { EvaluationResult } from '../../tools/evaluate.ts';
import { textTable } from './table.ts';

type Figures = Pick<
  EvaluationResult,
  'perClass' | 'classFigures' | 'errors' | 'labels' | 'entities' | 'masks' | 'boxes' | 'vectors'
>;

/** Tables of what an evaluation found, by the form of the answers. */
export const EVALUATION_TABLES: Readonly<Record<AnswerFormKind, (figures: Figures) => string>> = {
  classes: ({ perClass, classFigures }) =>
    `${textTable([['class', 'accuracy'], ...Object.entries(perClass!).map(([name, accuracy]) => [name, share(accuracy)])])}${classFigures === undefined ? '' : `${classFiguresText(classFigures)}\n`}`,
  numbers: ({ errors }) =>
    textTable([
      ['predicts', 'MAE', 'RMSE', 'R²'],
      ...errors!.rows.map(({ name, mae, rmse, r2 }) => [
        ...[name, digits(mae), digits(rmse), r2 === null ? '-' : r2.toFixed(3)],
      ]),
    ]),
  labels: ({ labels }) =>
    textTable([
      ['label', 'samples', 'average precision', 'F1'],
      ...labels!.rows.map(({ name, samples, averagePrecision, f1 }) => [
        ...[name, String(samples), share(averagePrecision), share(f1)],
      ]),
    ]),
  tags: ({ entities }) =>
    `${textTable([[...ENTITY_HEAD], ...entityRows(entities!)])}right on ${percent(entities!.rightWords)} of ${entities!.words} words\n`,
  mask: ({ masks }) =>
    `${textTable([[...MASK_HEAD], ...maskRows(masks!)])}right on ${percent(masks!.rightPixels)} of ${masks!.pixels} pixels\n`,
  boxes: ({ boxes }) =>
    textTable([
      [...BOX_HEAD],
      ...boxRows(boxes!),
      ['all', '', share(boxes!.ap), share(boxes!.ap50), share(boxes!.recall)],
    ]),
  vector: ({ vectors }) => textTable([vectorHead(vectors!), ...vectorRows(vectors!)]),
};

/** Such as `ROC AUC 0.932, macro F1 87.10 %, log loss 0.301`. */
function classFiguresText({ auc, macroF1, logLoss }: ClassFigures): string {
  return `${auc === null ? '' : `ROC AUC ${auc.toFixed(4)}, `}macro F1 ${percent(macroF1)}, log loss ${digits(logLoss)}`;
}

function share(value: number | null): string {
  return value === null ? '-' : percent(value);
}
