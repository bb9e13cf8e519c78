import { Registry, Slot } from '../base/registry.ts';
import { answerForms } from '../recipe/answer-forms.ts';
import type { Content } from './html/markup.ts';
import type { ModelRow, Report } from './types.ts';

/** Table of figures of all models; a cell of the first column of the head `model` is added to each row. */
interface FigureTable {
  readonly label: string;
  /** Head by the first model that has figures. */
  readonly head: (first: ModelRow) => readonly string[];
  /** Rows of a model; undefined if the model has no such figures. */
  readonly rows: (model: ModelRow) => readonly (readonly string[])[] | undefined;
  /** Text above the table in report.html. */
  readonly text?: Content;
}

/** Table of the parts of an answer, such as classes, whose names are the first column; report.md has it too. */
interface PartsTable extends FigureTable {
  /** Name of a part beside the name of its model in report.html; default: the first cell. */
  readonly partText?: (name: string) => string;
  /** Most rows of a model in report.html. */
  readonly most?: number;
}

/** Section of report.html that is made of tables. */
interface TablesSection {
  /** Name of the section in links of report.html. */
  readonly id: string;
  readonly heading: string;
  /** Text that says what the figures are, by the first model that has them. */
  readonly text: (first: ModelRow, dataset: Report['dataset']) => Content;
  /** Table above `parts` in report.html: one row for each model, such as the share of all right pixels. */
  readonly whole?: FigureTable;
  readonly parts: PartsTable;
  /** Table below `parts` in report.html. */
  readonly after?: FigureTable;
  /** Counts of the true and the given class of each part. */
  readonly confusion?: (model: ModelRow) => readonly (readonly number[])[] | undefined;
  readonly isDrawn?: undefined;
}

/** Figures whose section of report.html the form draws by itself: its slot `drawnSection`. */
interface DrawnFigures {
  readonly isDrawn: true;
  /** Table of report.md. */
  readonly parts: Omit<FigureTable, 'label'>;
}

/** Figures that answers of one form alone have, as reports show them. */
export type AnswerFigures = {
  /** The form of the answers. */
  readonly name: string;
} & (TablesSection | DrawnFigures);

/** Draws the section of a form in report.html; an empty text for a report without such figures. */
export type DrawnSection = (report: Report) => Content;

/** Loaded before report.html is written, of the forms that the report has figures of. */
export const DRAWN = new Slot<DrawnSection>(answerForms, 'drawnSection', 'section of its own in report.html');

export const answerFigures = new Registry<AnswerFigures>('figures of a form of answer');

/** Score from which the answers of a model are shown, such as boxes: the `threshold` that a part of its figures was chosen for; undefined without such a part. */
export function shownFrom(row: object): number | undefined {
  const parts = Object.values(row) as ({ readonly atThreshold?: { readonly threshold: number } } | null | undefined)[];
  return parts.find((part) => part?.atThreshold !== undefined)?.atThreshold?.threshold;
}
