import type { Argv } from 'yargs';
import { shown, UserError } from '../../base/errors.ts';

/** yargs' table of a command's options, by name, which its types do not declare. */
export interface OptionTable {
  readonly key: Readonly<Record<string, unknown>>;
  readonly array: readonly string[];
  readonly boolean: readonly string[];
  readonly number: readonly string[];
}

export function optionsOf(parser: Argv): OptionTable {
  return (parser as unknown as { getOptions(): OptionTable }).getOptions();
}

/** Makes an option without its value an error instead of the default. */
export function requireValues(parser: Argv): void {
  const { key, boolean } = optionsOf(parser);
  parser.requiresArg(Object.keys(key).filter((name) => !boolean.includes(name)));
}

/** `UserError` for values that yargs accepts: an option given twice, and text instead of a number. `words`: the command line. */
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

/** The first value of an option that is no number; yargs keeps only NaN. */
function noNumber(name: string, words: readonly string[]): string {
  const at = words.findLastIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  const [option = '', ...others] = words.slice(at);
  const candidates = option.includes('=') ? [option.slice(option.indexOf('=') + 1)] : others;
  const found = at < 0 ? undefined : candidates.find((word) => Number.isNaN(Number(word)));
  return found === undefined ? 'text' : shown(found);
}
