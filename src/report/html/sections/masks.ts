import { digits, percent } from '../../../base/numbers.ts';
import { number } from '../../format.ts';
import { MASK_HEAD, maskRows } from '../../tables/masks.ts';
import type { Report } from '../../types.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { modelHead, table, textCells } from '../tables.ts';
import { confusionMatrices } from './classes.ts';

/** Section on pixels: intersection over union, Dice and confusion of all models, class by class. */
export function masksSection(report: Report): Content {
  const rated = report.models.flatMap((model) => (model.masks === undefined ? [] : [{ model, of: model.masks }]));
  const [first] = rated;
  if (first === undefined) return '';
  const all = rated.map(({ model, of }) => {
    const values = [percent(of.rightPixels), model.distance === undefined ? '–' : digits(model.distance)];
    return markup`<tr>${modelHead(report, model)}${textCells(values)}</tr>`;
  });
  const classes = rated.flatMap(({ model, of }) =>
    maskRows(of).map(([name, ...values]) => markup`<tr>${modelHead(report, model, name)}${textCells(values)}</tr>`),
  );
  const names = first.of.rows.map(({ name }) => name);
  return markup`<section id="masks"><h2>Pixels</h2><p>On the ${number(first.of.pixels)} pixels of the ${first.of.split} split that have a class. IoU is the intersection
      of given and true pixels over their union, counted over the whole split; Dice is twice the intersection over the sum of both. Beside the right pixels is
      the root of the mean squared difference of the logits from the teacher's.</p>
      ${table('All pixels', ['model', 'right pixels', 'from the teacher'], all)}
      ${table('Pixels by class', ['model', ...MASK_HEAD.slice(1)], classes)}
      ${confusionMatrices(
        report,
        names,
        ({ masks }) => masks?.counts,
        (count, all) => percent(count / all),
      )}</section>`;
}
