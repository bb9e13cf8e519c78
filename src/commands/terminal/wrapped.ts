import type { CommandContext } from '../context.ts';

/** A text in lines of at most `width` letters; a longer word has a line of its own. */
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
 * A text whose lines are cut between words where a terminal is too narrow for them; what goes on has two more spaces in front. A path or
 * another word that is too long stays whole, so that it can be copied.
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
