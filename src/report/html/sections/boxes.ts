import { ALL_BOXES_HEAD, allBoxesRow, BOX_HEAD, boxRows } from '../../tables/boxes.ts';
import type { Report } from '../../types.ts';
import { modelHead, table, textCells } from '../tables.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';

/** Section on boxes: average precision and recall of all models, over all boxes and class by class. */
export function boxesSection(report: Report): Content {
  const rated = report.models.flatMap((model) => (model.boxes === undefined ? [] : [{ model, of: model.boxes }]));
  const [first] = rated;
  if (first === undefined) return '';
  const all = rated.map(({ model, of }) => markup`<tr>${modelHead(report, model)}${textCells(allBoxesRow(of))}</tr>`);
  const classes = rated.flatMap(({ model, of }) =>
    boxRows(of).map(([name, ...values]) => markup`<tr>${modelHead(report, model, name)}${textCells(values)}</tr>`),
  );
  return markup`<section id="boxes"><h2>Boxes</h2><p>On the ${first.of.split} split, by COCO's rules. AP is the average precision, mean over overlaps (intersection over
      union) of 0.50 to 0.95; AP50 and AP75 are those at one overlap. Recall is the share of boxes found among at most 100 detections of a picture, mean over
      the same overlaps. Small boxes are below 32² pixels of their pictures, large ones above 96². The threshold is the score from which boxes are shown, that of the best
      F1 on the validation split, over all classes at an overlap of 0.5; the F1 with it is that of this split.</p>
      ${table('All boxes', ['model', ...ALL_BOXES_HEAD], all)}
      ${table('Boxes by class', ['model', ...BOX_HEAD.slice(1)], classes)}</section>`;
}
