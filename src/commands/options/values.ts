import type { Argv } from 'yargs';
import { shown, UserError } from '../../base/errors.ts';

/** Table that yargs keeps of the options of a command, by name. Its types do not declare it. */
export interface OptionTable {
  readonly key: Readonly<Record<string, unknown>>;
  readonly array: readonly string[];
  readonly boolean: readonly string[];
  readonly number: readonly string[];
}

export function optionsOf(parser: Argv): OptionTable {
  return (parser as unknown as { getOptions(): OptionTable }).getOptions();
}

/** Options that stand without the value that they need are an error, not their default. */
export function requireValues(parser: Argv): void {
  const { key, boolean } = optionsOf(parser);
  parser.requiresArg(Object.keys(key).filter((name) => !boolean.includes(name)));
}

/** `UserError` for values that yargs lets pass: an option given twice, and a text in place of a number. `words`: the command line. */
export function checkValues(
  args: Readonly<Record<string, unknown>>,
  { key, array, number }: OptionTable,
  words: readonly string[],
): true {
  for (const name of Object.keys(key)) {
    const value = args[name];
    if (Array.isArray(value) && !array.includes(name)) {
      throw new UserError(
        `--${name}: expected one value, received ${value.map(shown).join(' and ')}`,
        'Leave all but one of them out.',
      );
    }
    if (number.includes(name) && [value].flat().some(Number.isNaN)) {
      throw new UserError(`--${name}: expected a number, received ${noNumber(name, words)}`, `Correct --${name}.`);
    }
  }
  return true;
}

/** The first word behind an option that is no number, of which yargs keeps NaN alone. */
function noNumber(name: string, words: readonly string[]): string {
  const at = words.findLastIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  const [option = '', ...others] = words.slice(at);
  const given = option.includes('=') ? [option.slice(option.indexOf('=') + 1)] : others;
  const found = at < 0 ? undefined : given.find((word) => Number.isNaN(Number(word)));
  return found === undefined ? 'text' : shown(found);
}
