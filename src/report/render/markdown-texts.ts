import { withoutControls } from '../html/escape.ts';

/**
 * The same report, or part of it, with texts as they may stand in Markdown, in a cell of a table too: without elements, links, pictures, emphasis and
 * line breaks. Entities are used since a backslash in front of one of ours would switch it off.
 */
export function markdownTexts<T>(value: T): T {
  return mapped(value) as T;
}

function mapped(value: unknown): unknown {
  if (typeof value === 'string') return markdownText(value);
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [markdownText(key), mapped(one)]));
}

function markdownText(text: string): string {
  const line = withoutControls(text).replace(/[\r\n]+/g, ' ');
  // Code within single backticks stays: nothing in it is read as Markdown.
  return line.replace(/(?<!`)`[^`|]+`(?!`)|[<[\]|*`]/g, (part) =>
    part.length > 1 ? part : `&#${part.charCodeAt(0)};`,
  );
}
