import { digits, percent } from '../../base/numbers.ts';
import type { DrawnSection } from '../../report/answer-figures.ts';
import { number } from '../../report/format.ts';
import { finalModel } from '../../report/summary.ts';
import type { ModelRow, Report } from '../../report/types.ts';
import { reliabilityFigure } from '../../report/html/sections/calibration.ts';
import { markup } from '../../report/html/markup.ts';
import type { Content, Markup } from '../../report/html/markup.ts';
import { key } from '../../report/html/charts/kinds.ts';
import { table, textCells } from '../../report/html/tables.ts';

/** Most labels that each model has a row for. */
const SHOWN = 40;
const MOST_DIAGRAMS = 12;

/** Section on each of several labels: the scores of all models, label by label. */
export const drawnSection: DrawnSection = (report: Report): Content => {
  const rated = report.models.filter(({ labels }) => labels !== undefined);
  if (rated.length === 0) return '';
  const { split, rows: all } = rated[0]!.labels!;
  const cut = all.length > SHOWN ? ` The first ${SHOWN} of ${all.length} labels; report.json has all.` : '';
  const threshold =
    split === 'test'
      ? 'The threshold is the probability above which the label is given for the best F1 on the validation split; F1 with it is that of this split.'
      : 'The threshold is the probability above which the label is given for the best F1 on this very split: there is no test split, so that F1 with it flatters.';
  return markup`<section id="labels"><h2>Labels</h2><p>How well each label is given on the ${split} split. Average precision is the area under precision by
      recall, for which no threshold is needed; F1 is that at a probability of 0.5. ${threshold} Right decisions are the share of all labels of all samples that are rightly given or not given;
      beside them is the root of the mean squared difference of the logits from the teacher's.${cut}</p>
      ${table(
        'All labels',
        ['model', 'mean average precision', 'right decisions', 'calibration error', 'from the teacher'],
        rated.map(summary),
      )}
      ${table(
        'Labels',
        HEAD,
        rated.flatMap((model) => labelRows(report, model)),
      )}${diagrams(report)}</section>`;

  function summary(model: ModelRow): Markup {
    const { meanAveragePrecision: mean, rightDecisions, ece } = model.labels!;
    const apart = model.distance === undefined ? '–' : digits(model.distance);
    return row(markup`${key(report.models.indexOf(model))}${model.id}`, [
      share(mean),
      percent(rightDecisions),
      share(ece ?? null),
      apart,
    ]);
  }
};

const HEAD = ['model', 'samples with it', 'average precision', 'F1', 'threshold', 'F1 with it', 'calibration error'];

function labelRows(report: Report, model: ModelRow): Markup[] {
  return model
    .labels!.rows.slice(0, SHOWN)
    .map(({ name, samples, averagePrecision, f1, threshold, f1AtThreshold, ece }) =>
      row(markup`${key(report.models.indexOf(model))}${model.id}<small>${name}</small>`, [
        number(samples),
        share(averagePrecision),
        share(f1),
        threshold === undefined ? '–' : threshold.toFixed(3),
        share(f1AtThreshold ?? null),
        share(ece ?? null),
      ]),
    );
}

/** Diagrams of the calibration of each label, for the model that the run is about. */
function diagrams(report: Report): Content {
  const model = finalModel(report);
  if (model?.labels === undefined) return '';
  const kind = report.models.indexOf(model);
  const figures = model.labels.rows.slice(0, MOST_DIAGRAMS).flatMap(({ name, ece, bins }) => {
    if (ece === undefined || bins === undefined) return [];
    const told = bins.flatMap(({ samples, probability, share: own }) =>
      samples === 0 ? [] : [`at ${percent(probability!)}, ${percent(own!)} of ${number(samples)} have it`],
    );
    return reliabilityFigure({
      kind,
      name,
      ece,
      axes: ['probability', 'have the label'],
      title: `Reliability of ${name} in ${model.id}, expected calibration error ${percent(ece)}: ${told.join('; ')}.`,
      bins: bins.map(({ samples, share: own }) => [samples, own]),
    });
  });
  if (figures.length === 0) return '';
  const all = model.labels.rows.length;
  const cut = all > MOST_DIAGRAMS ? ` The first ${MOST_DIAGRAMS} of ${all} labels.` : '';
  return markup`<h3>Calibration of ${model.id}</h3><p>Of samples to which the model gives a probability, how many have the label? Bars below the diagonal:
      it is surer than that. The strip under a diagram shows how many samples each bin holds.${cut}</p><div class="thirds">${figures}</div>`;
}

function row(head: Content, cells: readonly string[]): Markup {
  return markup`<tr><th scope="row">${head}</th>${textCells(cells)}</tr>`;
}

function share(value: number | null): string {
  return value === null ? '–' : percent(value);
}
