import { launchers } from '../../base/launchers.ts';
import type { Launch } from '../../base/launchers.ts';
import { Slot } from '../../base/registry.ts';
import type { Collectives } from './collectives.ts';

interface ConnectOptions {
  /** Seconds after which a process that does not reach a call counts as stuck. */
  readonly seconds: number;
  /** Machine and process id, for messages. */
  readonly place: string;
}

/** Connects the processes of a launch, of which this is one. `UserError` if that fails: each process would otherwise make the whole run. */
export type Connect = (launch: Launch, options: ConnectOptions) => Collectives;

/** Connections of the processes that launchers start, by launcher. */
export const connections = new Slot<Connect>(launchers, 'connect', 'connection between processes');
