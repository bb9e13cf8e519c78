import type { Argv } from 'yargs';
import { shown, UserError } from '../base/errors.ts';

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

/** `UserError` for values that yargs lets pass: one option given twice, and what is no number. */
export function checkValues(args: Readonly<Record<string, unknown>>, { key, array, number }: OptionTable): true {
  for (const name of Object.keys(key)) {
    const value = args[name];
    if (Array.isArray(value) && !array.includes(name)) {
      throw new UserError(
        `--${name}: expected one value, received ${value.map(shown).join(' and ')}`,
        'Leave all but one of them out.',
      );
    }
    if (number.includes(name) && [value].flat().some(Number.isNaN)) {
      throw new UserError(`--${name}: expected a number, received text`, `Correct --${name}.`);
    }
  }
  return true;
}
