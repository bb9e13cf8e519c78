import type { Argv } from 'yargs';
import { DEVICES, ENGINE_NAMES } from '../../recipe/engines.ts';
import type { CommandContext } from '../context.ts';

/** A command of the command line. `run` imports its modules when it is called, so that `--help` loads none of them. */
export interface Command<Args extends object> {
  /** Loads the options that features add. */
  readonly prepare?: () => Promise<void>;
  readonly options: (yargs: Argv) => Argv<Args>;
  readonly run: (args: Args, context: CommandContext) => Promise<void>;
}

export const recipePositional = { type: 'string', demandOption: true, describe: 'Recipe file (YAML)' } as const;

export const setOption = {
  type: 'string',
  array: true,
  nargs: 1,
  default: [] as string[],
  describe: 'Change a key of the recipe: --set distill.temperature=2',
} as const;

export const outOption = {
  type: 'string',
  default: 'checkpoints',
  describe: 'Folder that holds the folders of the runs',
} as const;

export const saveEveryOption = {
  type: 'number',
  default: 5,
  describe: 'Seconds between two saved states; more where saving takes more than a twentieth of them',
} as const;

export const rankTimeoutOption = {
  type: 'number',
  default: 600,
  describe: 'With mpirun: seconds after which a process that the others wait for counts as stuck',
} as const;

export const engineOption = {
  type: 'string',
  choices: ['auto', ...ENGINE_NAMES] as const,
  describe: 'Engine to compute with, instead of the `engine` of the recipe',
} as const;

export const deviceOption = {
  type: 'string',
  choices: ['auto', ...DEVICES] as const,
  describe: 'Device to compute on, instead of the `device` of the recipe',
} as const;
