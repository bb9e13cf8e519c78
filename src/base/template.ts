/** Texts that take the place of marks, by the names of the marks. */
export type Marks = Readonly<Record<string, string | undefined>>;

/** Line that is a comment with a mark and nothing else, in the languages of the templates. */
const BLOCK = /^( *)(?:\/\/|<!--) __([A-Z_]+)__(?: -->)?$/;
const INLINE = /__([A-Z]+(?:_[A-Z]+)*)__/g;
const HEADING = /^(?:\/\/|<!--) == ([A-Z_]+) ==(?: -->)?\n/m;

/**
 * Text of another language with its marks, such as `__NAME__`, filled in. A comment that is a mark alone gives way to the lines of its text, indented
 * as the comment is, or to nothing if the mark has no text. Texts can hold marks too. An Error for a mark inside a line that has no text.
 */
export function filledTemplate(template: string, marks: Marks): string {
  const lines = template.split('\n');
  const out: string[] = [];
  lines.forEach((line, i) => {
    const [, indent, name] = BLOCK.exec(line) ?? [];
    const text = name === undefined ? line.replace(INLINE, (_, mark: string) => textOf(mark, marks)) : marks[name];
    if (name === undefined) out.push(text!);
    else if (text !== undefined)
      out.push(
        ...filledTemplate(text, marks)
          .split('\n')
          .map((inner) => (inner === '' ? '' : `${indent}${inner}`)),
      );
    else if (out.at(-1) === '' && lines[i + 1] === '') out.pop(); // Two blank lines would meet.
  });
  return out.join('\n');
}

function textOf(mark: string, marks: Marks): string {
  const text = marks[mark];
  if (text === undefined) throw new Error(`a template has the mark ${mark}, for which there is no text`);
  return text;
}

/** Parts of a file for the marks of others, by the comments above them, such as `// == NAME ==`. */
export function templateParts(text: string): Readonly<Record<string, string>> {
  const [, ...pieces] = text.split(HEADING);
  const names = pieces.filter((_, i) => i % 2 === 0);
  return Object.fromEntries(names.map((name, i) => [name, pieces[2 * i + 1]!.trimEnd()]));
}
