import type { CommandContext } from '../context.ts';

/** Breaks a text into lines of at most `width` characters; a longer word has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  const out = [''];
  for (const word of text.split(' ')) {
    const last = out.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > width) out.push(word);
    else out[out.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return out;
}

/**
 * Breaks lines between words in a narrow terminal; continuation lines are indented by two more spaces. A long path or word stays whole, so that it
 * can be copied.
 */
export function fittedToWidth(
  text: string,
  { isTerminal, columns }: Pick<CommandContext, 'isTerminal' | 'columns'>,
): string {
  if (!isTerminal) return text;
  return text
    .split('\n')
    .flatMap((line) => {
      if (line.length <= columns) return [line];
      const [space] = /^ */.exec(line)!;
      const [first = '', ...rest] = wrapped(line.slice(space.length), Math.max(1, columns - space.length - 2));
      return [space + first, ...rest.map((part) => `${space}  ${part}`)];
    })
    .join('\n');
}
