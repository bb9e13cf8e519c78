import { nearest, UserError } from '../../base/errors.ts';

/** `UserError` from an error of yargs: expected, received, and where to read more. */
export function misuse(
  message: string,
  args: readonly string[],
  commands: readonly { readonly name: string }[],
  options: readonly string[],
) {
  const command = commands.find(({ name }) => name.split(' ')[0] === args[0]);
  const [, unknown] = /^Unknown arguments?: ([^,]+)/.exec(message) ?? [];
  const isOption = args.some((arg) => arg.split('=')[0] === `--${unknown}`);
  // Positional arguments have no dashes.
  const places = command?.name.split(' ').map((place) => place.replace(/[[\]<>.]/g, '')) ?? [];
  const named = options.filter((option) => !places.includes(option));
  const meant = unknown !== undefined && isOption ? nearest(unknown, named) : undefined;
  const remedy = `${meant === undefined ? '' : `Did you mean --${meant}? `}Run \`limbeck ${command === undefined ? '' : `${args[0]!} `}--help\`.`;
  if (command === undefined && unknown !== undefined && unknown === args[0])
    return new UserError(`Unknown command: ${unknown}`, remedy, { kind: 'usage' });
  const [near, suggested = ''] = /^Did you mean (\S+)\?$/.exec(message) ?? [];
  if (near !== undefined && command === undefined) {
    const words = args.filter((arg) => !arg.startsWith('-'));
    // The first word may be the value of an option.
    const wrong = nearest(suggested, words) ?? words[0] ?? '';
    return new UserError(`Unknown command: ${wrong}`, `${near} ${remedy}`, { kind: 'usage' });
  }
  return new UserError(plain(message, command?.name ?? ''), remedy, { kind: 'usage' });
}

function plain(message: string, command: string): string {
  const [name, ...places] = command.split(' ');
  if (/^Not enough non-option arguments/.test(message) && places.length > 0) {
    return `${name!}: expected ${places.join(' ')}, received too few arguments`;
  }
  const [, option] = /^Not enough arguments following: (\S+)/.exec(message) ?? [];
  if (option !== undefined) return `--${option}: expected a value, received none`;
  const [, names] = /^Unknown arguments: (.*)$/.exec(message) ?? [];
  if (names !== undefined) return unknownArguments(names.split(', '));
  const [, key, given, choices] =
    /^Invalid values:\s+Argument: (\S+), Given: (.*), Choices: (.*)$/.exec(message.trimEnd()) ?? [];
  if (key !== undefined) return `--${key}: expected one of ${choices!.replaceAll('"', '')}, received ${given!}`;
  return message;
}

/** yargs lists an option with dashes a second time, in camel case. */
function unknownArguments(names: readonly string[]): string {
  const camel = names.map((name) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()));
  const asTyped = names.filter((name, i) => camel.findIndex((other, j) => other === name && j !== i) < 0);
  return `Unknown argument${asTyped.length === 1 ? '' : 's'}: ${asTyped.join(', ')}`;
}
