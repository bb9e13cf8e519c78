import { reportHtml } from '../../src/report/html/page.ts';
import { reportCsv } from '../../src/report/render/csv.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { reportJson } from '../../src/report/render/json.ts';
import { reportJsonSchema } from '../../src/report/schema.ts';
import type { Report } from '../../src/report/types.ts';
import { faults } from '../support/faults.ts';
import { everything } from './everything.ts';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema | undefined;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
}

const SCHEMA = reportJsonSchema() as Schema;
const isText = ({ type, enum: of, const: one, format, contentEncoding }: Schema): boolean =>
  type === 'string' && (of ?? one ?? format ?? contentEncoding) === undefined;

/** Places in report.json that hold any text: `models[].id`, `environment.packages{}`. */
function textPlaces(schema: Schema, place = ''): string[] {
  const { anyOf = [], items, properties = {}, additionalProperties } = schema;
  return [
    ...(isText(schema) ? [place] : []),
    ...anyOf.flatMap((one) => textPlaces(one, place)),
    ...(items === undefined ? [] : textPlaces(items, `${place}[]`)),
    ...Object.entries(properties).flatMap(([name, of]) => textPlaces(of, `${place}.${name}`)),
    ...(additionalProperties === undefined || additionalProperties === false
      ? []
      : [`${place} keys`, ...textPlaces(additionalProperties, `${place}{}`)]),
  ];
}

/** Text of somebody who wants to leave the element, the attribute, the cell of a table or the link that it stands in. */
const MARKER = `<zz a="'>](zz:)![zz](zz:)|\`\n# & \u202e`;

/** The report with the marker before each of its texts, whose places are added to `found`. */
function marked(value: unknown, schema: Schema, found: Set<string>, place = ''): unknown {
  const { anyOf, items = {}, properties, additionalProperties } = schema;
  if (anyOf !== undefined) {
    const own = anyOf.find((one) => fits(value, one));
    return own === undefined ? value : marked(value, own, found, place);
  }
  if (Array.isArray(value)) return value.map((one) => marked(one, items, found, `${place}[]`));
  if (typeof value === 'object' && value !== null) {
    const isRecord = properties === undefined;
    if (isRecord) found.add(`${place} keys`);
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) =>
        isRecord
          ? [MARKER + key, marked(one, additionalProperties || {}, found, `${place}{}`)]
          : [key, marked(one, properties[key]!, found, `${place}.${key}`)],
      ),
    );
  }
  const isAny = Object.keys(schema).length === 0;
  if (typeof value !== 'string' || !(isAny || isText(schema))) return value;
  found.add(place);
  return MARKER + value;
}

function fits(value: unknown, { type, properties }: Schema): boolean {
  if (Array.isArray(value)) return type === 'array';
  if (type !== 'object' || value === null) return type === typeof value;
  return Object.keys(value as object).every((key) => properties?.[key] !== undefined);
}

const found = new Set<string>();
const reports = Object.entries(everything).map(([form, plain]) => {
  const report = marked(plain, SCHEMA, found) as Report;
  return [form, { plain, report, html: reportHtml(report), markdown: reportMarkdown(report) }] as const;
});

describe('texts of report.json, with a marker before each', () => {
  it('are all of those that a report can have', () => {
    expect(textPlaces(SCHEMA).filter((place) => !found.has(place))).toEqual([]);
    for (const [, { report }] of reports) expect(reportJson(report)).toContain('<zz');
  });

  it.each(reports)('are text alone in report.html of %s', (_form, { html }) => {
    expect(html.includes('&lt;zz')).toBe(true);
    expect(html.match(/.{0,160}(?:<zz|zz a="|'>\]).{0,20}/g)).toBeNull();
    expect(html.match(/.{0,80}\u202e.{0,20}/g)).toBeNull();
    expect(faults(html)).toEqual([]);
  });

  it.each(reports)('are text alone in report.md of %s', (_form, { plain, markdown }) => {
    expect(markdown).toContain('zz');
    // Neither an element nor a link nor a picture; no cell and no line more than without them.
    expect(markdown.match(/.{0,80}(?:<zz|\]\(|!\[).{0,20}/g)).toBeNull();
    expect(markdown.match(/.{0,80}\u202e.{0,20}/g)).toBeNull();
    const shape = (of: string): number[] => of.split('\n').map((line) => line.split('|').length);
    expect(shape(markdown)).toEqual(shape(reportMarkdown(plain)));
  });
});

describe('tables of reports have as many heads as cells', () => {
  const count = (text: string, part: RegExp): number => text.match(part)?.length ?? 0;

  it.each(reports)('in report.html of %s', (_form, { html }) => {
    const tables = html.match(/<table>.*?<\/table>/gs)!;
    expect(tables.length).toBeGreaterThan(2);
    const odd = tables.filter((table) => {
      const heads = count(table, /<th scope="col"/g);
      const [, ...rows] = table.split('<tr');
      return rows.slice(1).some((row) => count(row, /<t[hd][ >]/g) !== heads);
    });
    expect(odd.map((table) => table.replaceAll(/<svg.*?<\/svg>/gs, '').slice(0, 400))).toEqual([]);
  });

  it.each(reports)('in report.md of %s', (_form, { markdown }) => {
    const tables = markdown.split('\n\n').filter((part) => part.startsWith('|'));
    expect(tables.length).toBeGreaterThan(1);
    for (const table of tables) expect(new Set(table.trimEnd().split('\n').map((line) => count(line, /\|/g))).size).toBe(1); // prettier-ignore
  });

  it.each(reports)('in report.csv of %s', (_form, { plain }) => {
    const lines = reportCsv({ ...plain, name: 'r' })
      .trimEnd()
      .split('\r\n');
    expect(new Set(lines.map((line) => line.split(',').length)).size).toBe(1);
  });
});
