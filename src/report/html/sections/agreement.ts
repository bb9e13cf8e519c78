import { percent } from '../../../base/numbers.ts';
import { number } from '../../format.ts';
import { sameClass } from '../../summary.ts';
import type { Agreement, Report } from '../../types.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { key } from '../charts/kinds.ts';
import { table, textCells } from '../tables.ts';

const PARTS = [
  ['bothRight', 'both right'],
  ['onlyThis', 'only it right'],
  ['onlyTeacher', 'only teacher right'],
  ['sameError', 'same error'],
  ['differentErrors', 'different errors'],
] as const;

/** Agreement of the students with the teacher, sample by sample. */
export function agreementSection({ models }: Report): Content {
  const beside = models.flatMap((model, kind) =>
    model.agreement === undefined ? [] : [{ id: model.id, kind, agreement: model.agreement }],
  );
  if (beside.length === 0) return '';
  const rows = beside.map(({ id, kind, agreement }) => {
    const cells = [percent(sameClass(agreement)), ...PARTS.map(([part]) => number(agreement[part]))];
    return markup`<tr><th scope="row">${key(kind)}${id}${strip(agreement)}</th>
      ${textCells(cells)}</tr>`;
  });
  const { agreement } = beside[0]!;
  const head = ['model', 'same class', ...PARTS.map(([, name]) => name)];
  return markup`<section id="agreement"><h2>Beside the teacher</h2><p>Numbers of the ${number(totalOf(agreement))} samples of the ${agreement.split} split.
      A student that copies the teacher's errors has learned them from it.</p>
      <ul class="legend">${PARTS.map(([part, name]) => markup`<li><i class="swatch part-${part}"></i>${name}</li>`)}</ul>
      ${table('Agreement with the teacher', head, rows)}</section>`;
}

function totalOf(agreement: Agreement): number {
  return PARTS.reduce((sum, [part]) => sum + agreement[part], 0);
}

/** The same numbers as lengths; the columns beside it say them. */
function strip(agreement: Agreement): Content {
  const all = totalOf(agreement);
  const parts = PARTS.map(
    ([part]) => markup`<i class="part-${part}" style="width:${((100 * agreement[part]) / all).toFixed(2)}%"></i>`,
  );
  return markup`<span class="strip" aria-hidden="true">${parts}</span>`;
}
