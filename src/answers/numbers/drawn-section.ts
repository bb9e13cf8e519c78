import { digits } from '../../base/numbers.ts';
import type { DrawnSection } from '../../report/answer-figures.ts';
import { finalModel, teacherModel } from '../../report/summary.ts';
import type { ModelRow, Report } from '../../report/types.ts';
import { gridOf, valueAxis } from '../../report/html/charts/axes.ts';
import { chart } from '../../report/html/charts/chart.ts';
import { markup } from '../../report/html/markup.ts';
import type { Content, Markup } from '../../report/html/markup.ts';
import { key, markSeries } from '../../report/html/charts/kinds.ts';
import { table, textCells } from '../../report/html/tables.ts';

/** Most numbers of a sample whose residuals are drawn. */
const DRAWN = 3;

/** Section on the errors of predicted numbers: a table of all models, residuals of the most important ones. */
export const drawnSection: DrawnSection = (report: Report): Content => {
  const rated = report.models.filter(({ errors }) => errors !== undefined);
  if (rated.length === 0) return '';
  const { split } = rated[0]!.errors!;
  const rows = rated.flatMap((model) =>
    model.errors!.rows.map(({ name, mae, rmse, r2, bias }) => {
      const cells = [digits(mae), digits(rmse), r2 === null ? '–' : r2.toFixed(3), digits(bias), apart(model)];
      return markup`<tr><th scope="row">${key(report.models.indexOf(model))}${model.id}<small>${name}</small></th>
      ${textCells(cells)}</tr>`;
    }),
  );
  const named = [teacherModel(report), finalModel(report)];
  const shown = named.filter((model, i) => model?.errors !== undefined && named.indexOf(model) === i);
  const head = ['model', 'MAE', 'RMSE', 'R²', 'bias', 'from the teacher'];
  return markup`<section id="errors"><h2>Errors</h2><p>How far predictions are off on the ${split} split, in the units of the label. MAE is the mean of the
      absolute error, RMSE the root of the mean of its square, bias the mean of prediction minus label; R² is 1 for a perfect model and 0 for one
      that always says the mean. Last, the RMSE against what the teacher says.</p>
      ${table('Errors', head, rows)}<div class="thirds">${shown.flatMap((model) => residuals(report, model!))}</div></section>`;
};

function apart({ distance }: ModelRow): string {
  return distance === undefined ? '–' : digits(distance);
}

function residuals(report: Report, model: ModelRow): Markup[] {
  const kind = report.models.indexOf(model);
  const { rows, points } = model.errors!;
  return points.slice(0, DRAWN).map((of, c) => {
    const { name, rmse } = rows[c]!;
    const marks = of.map(([label, predicted]) => ({ at: [label, predicted - label] as const, kind, size: 4 }));
    const svg = chart({
      width: 300,
      height: 260,
      title: `Residuals of ${model.id} for ${name}: prediction minus label by label, ${of.length} samples, RMSE ${digits(rmse)}.`,
      option: () => ({
        grid: gridOf(),
        xAxis: valueAxis({ name: `label: ${name}`, text: digits, ticks: 4 }),
        yAxis: valueAxis({ name: 'prediction - label', text: digits, ticks: 4, hasZero: true, gap: 48 }),
        series: [markSeries(marks)],
      }),
    });
    return markup`<figure><figcaption>${key(kind)}${model.id} <small>${name}, RMSE ${digits(rmse)}</small></figcaption>${svg}</figure>`;
  });
}
