import { percent } from '../../../base/numbers.ts';
import { answerFigures, DRAWN } from '../../answer-figures.ts';
import type { AnswerFigures } from '../../answer-figures.ts';
import type { Report } from '../../types.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { modelHead, table, textCells } from '../tables.ts';
import { confusionMatrices } from './classes.ts';

/** Sections on figures that answers of one form alone have. */
export function answerSections(report: Report): Content[] {
  return answerFigures
    .all()
    .map((figures) =>
      !figures.isDrawn ? sectionOf(figures, report) : hasFigures(figures, report) ? DRAWN.of(figures.name)(report) : '',
    );
}

/** Loads the sections that forms of answers draw themselves, of the forms that the report has figures of. */
export async function loadDrawn(report: Report): Promise<void> {
  for (const figures of answerFigures.all())
    if (figures.isDrawn && hasFigures(figures, report)) await DRAWN.load(figures.name);
}

function hasFigures({ parts }: AnswerFigures, { models }: Report): boolean {
  return models.some((model) => parts.rows(model) !== undefined);
}

function sectionOf(figures: Extract<AnswerFigures, { isDrawn?: undefined }>, report: Report): Content {
  const { id, heading, text, whole, parts, after, confusion } = figures;
  const { partText = String } = parts;
  const rated = report.models.filter((model) => parts.rows(model) !== undefined);
  const [first] = rated;
  if (first === undefined) return '';
  const plain = (of: typeof whole): Content => {
    const rows = rated.flatMap((model) =>
      (of?.rows(model) ?? []).map((cells) => markup`<tr>${modelHead(report, model)}${textCells(cells)}</tr>`),
    );
    if (of === undefined || rows.length === 0) return '';
    return markup`${of.text ?? ''}${table(of.label, ['model', ...of.head(first)], rows)}`;
  };
  const rows = rated.flatMap((model) =>
    parts
      .rows(model)!
      .slice(0, parts.most)
      .map(([name, ...cells]) => markup`<tr>${modelHead(report, model, partText(name!))}${textCells(cells)}</tr>`),
  );
  const names = parts.rows(first)!.map(([name]) => name!);
  return markup`<section id="${id}"><h2>${heading}</h2><p>${text(first, report.dataset)}</p>${plain(whole)}
      ${table(parts.label, ['model', ...parts.head(first).slice(1)], rows)}${plain(after)}
      ${confusion === undefined ? '' : confusionMatrices(report, names, confusion, (count, all) => percent(count / all))}</section>`;
}
