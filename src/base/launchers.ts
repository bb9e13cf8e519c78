import { Registry } from './registry.ts';

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** Environment variables by which a launcher tells each process that it starts its number, from 0, and their count. */
export interface ShardVariables {
  /** Launcher in messages. */
  readonly by: string;
  readonly index: string;
  readonly count: string;
  /** Variable with the first index, if it is not 0. */
  readonly first?: string;
  /** Variable with the step between indexes. */
  readonly step?: string;
}

/** Launch of this process as one of several that make a run together. */
export interface Launch {
  /** Launcher in messages. */
  readonly by: string;
  readonly size: number;
  readonly rank: number;
}

/** Program that starts processes, on one machine or on several. */
export interface Launcher {
  readonly name: string;
  readonly shards: readonly ShardVariables[];
  /** Absent for a launcher whose processes know nothing of each other. */
  readonly launched?: (environment: EnvironmentVariables) => Launch | undefined;
}

export const launchers = new Registry<Launcher>('launcher');
