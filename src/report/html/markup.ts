import { escape } from './escape.ts';

/** HTML or SVG. Texts of a report get into it by `markup` alone, which escapes them. */
export class Markup {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** A plain template would turn it into text. */
  toString(): never {
    throw new Error('markup belongs into the template of other markup');
  }
}

/** Markup, or text that is escaped where it gets into markup. */
export type Content = Markup | string;

type Part = Content | number | readonly Content[];

/** Tag of templates of HTML and SVG: escapes texts between the pieces. A line break of the template stands for a space, none between elements. */
export function markup(pieces: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const lines = pieces.map((piece) => piece.replace(/(?<=>|^)\n\s*(?=<|$)/g, '').replace(/\n\s*/g, ' '));
  return new Markup(String.raw({ raw: lines }, ...parts.map(sourceOf)));
}

function sourceOf(part: Part): string {
  if (part instanceof Markup) return part.source;
  return typeof part === 'object' ? part.map(sourceOf).join('') : escape(part);
}
