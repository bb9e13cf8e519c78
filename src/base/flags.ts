/** Option of the command line, as yargs takes it, that a feature adds to a command. */
interface Flag {
  readonly type: 'boolean' | 'number' | 'string';
  readonly default?: boolean | number | string;
  readonly describe: string;
}

/** Options by name. */
export type Flags = Readonly<Record<string, Flag>>;

/** Values of options by name, as yargs reads them. */
export type FlagValues = Readonly<Record<string, unknown>>;
