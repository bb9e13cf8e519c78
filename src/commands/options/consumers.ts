import type { Options } from 'yargs';
import { Slot } from '../../base/registry.ts';
import type { ShippedModel, Target } from '../../ship/cluster/model.ts';
import type { Files } from '../../ship/cluster/write.ts';
import { consumers } from '../consumers.ts';

export interface WrittenFolder {
  /** Relative to the folder. */
  readonly files: readonly string[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  /** Differences between `limbeck evaluate` and the consumer, one sentence each. */
  readonly notes: readonly string[];
}

/** `limbeck export RUN --NAME DIR` for a library that opens files beside each other. */
export interface AppFolder {
  /** Text of the option. */
  readonly describe: string;
  /** Options beside the folder. */
  readonly options?: Readonly<Record<string, Options>>;
  /** Writes the folder. `opens`: the part of the library that opens it; `options`: of the command line, those of the consumer among them. */
  readonly write: (
    run: string,
    folder: string,
    options: { readonly model?: string | undefined; readonly force?: boolean | undefined },
  ) => Promise<{ readonly written: WrittenFolder; readonly opens: string }>;
}

/** Settings of a folder for an inference server. */
interface ServerSettings {
  /** Folder that the command line names. */
  readonly folder: string;
  readonly run: string;
  readonly target: Target;
  /** Number format of the file. */
  readonly precision: string;
  readonly image: string | undefined;
}

/** `limbeck export RUN --NAME DIR` for an inference server. */
export interface ServerFolder {
  /** Text of the option. */
  readonly describe: string;
  /** Options beside the folder. */
  readonly options: Readonly<Record<string, Options>>;
  readonly filesOf: (
    model: ShippedModel,
    settings: ServerSettings,
  ) => Promise<{
    readonly folder: string;
    readonly files: Files;
    readonly skipped: WrittenFolder['skipped'];
  }>;
}

/** Option of servers that run on several kinds of device. */
export const targetOption: Options = {
  choices: ['cpu', 'gpu', 'tensorrt'],
  default: 'cpu',
  describe: 'Triton, KServe: where the model is to run',
};

/** Values of the slots of consumers. */
export interface ConsumerFolders {
  readonly serverFolder: ServerFolder;
  readonly appFolder: AppFolder;
}

export const APP_FOLDER = new Slot<AppFolder>(consumers, 'appFolder', 'folder for a library');

export const SERVER_FOLDER = new Slot<ServerFolder>(consumers, 'serverFolder', 'folder for a server');

/** Values of a slot by the names of their consumers. */
export async function foldersOf<T>(slot: Slot<T>): Promise<readonly (readonly [name: string, folder: T])[]> {
  const found: (readonly [string, T])[] = [];
  for (const name of slot.names()) found.push([name, await slot.load(name)]);
  return found;
}
