import { UserError } from '../base/errors.ts';

/** What yargs complains about, said as everything else is: what was expected, what was received, where to read more. */
export function misuse(message: string, args: readonly string[], commands: readonly { readonly name: string }[]) {
  const command = commands.find(({ name }) => name.split(' ')[0] === args[0]);
  const remedy = `Run \`limbeck ${command === undefined ? '' : `${args[0]!} `}--help\`.`;
  return new UserError(plain(message, command?.name ?? ''), remedy);
}

function plain(message: string, command: string): string {
  const [name, ...places] = command.split(' ');
  if (/^Not enough non-option arguments/.test(message) && places.length > 0) {
    return `${name!}: expected ${places.join(' ')}, received too few arguments`;
  }
  const [, option] = /^Not enough arguments following: (\S+)/.exec(message) ?? [];
  if (option !== undefined) return `--${option}: expected a value, received none`;
  const [, key, given, choices] =
    /^Invalid values:\s+Argument: (\S+), Given: (.*), Choices: (.*)$/.exec(message.trimEnd()) ?? [];
  if (key !== undefined) return `--${key}: expected one of ${choices!.replaceAll('"', '')}, received ${given!}`;
  return message;
}
