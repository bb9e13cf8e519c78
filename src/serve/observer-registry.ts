import { Registry } from '../base/registry.ts';

/** Observers of the answers of a server, which `src/features.ts` names; `isAlways`: of every server, asked for or not. */
export const serverObservers = new Registry<{ readonly name: string; readonly isAlways?: boolean }>(
  'observer of the server',
);
