import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { exists, readBytes, writeFileAtomic } from '../base/files.ts';
import { isTeacherStage } from '../report/artifact.ts';
import { CheckpointStore } from './checkpoint.ts';
import type { OnEvent } from '../base/events.ts';
import { seal, unseal } from '../formats/sealed.ts';
import { Ledger } from './ledger.ts';
import { RaceFolder } from './race-folder.ts';
import { RepeatsFolder } from './repeats-folder.ts';
import type { KeyedStore } from '../distill/soft-targets.ts';
import type { StageStates } from '../train/training.ts';

/** Stores in the folder of a run, by their purpose. */
export interface RunStores {
  /** Folder of the run, for other processes that work on its states. */
  readonly folder: string;
  readonly ledger: Ledger;
  readonly states: (stage: string) => StageStates;
  readonly softTargets: KeyedStore;
  /** Repeats that shards have trained. */
  readonly repeats: RepeatsFolder;
  /** Candidates of the race of losses that shards have trained. */
  readonly race: RaceFolder;
  /** Write a result, e.g. `report.json` or `exports/distilled.onnx`. */
  readonly write: (name: string, content: Uint8Array | string) => Promise<void>;
}

/** `shared` is the folder of the run that keeps the training of the teacher and its assistants, and answers, where that is another one. */
export async function openStores(folder: string, onEvent: OnEvent, shared = folder): Promise<RunStores> {
  const warn = (message: string): void => onEvent({ type: 'warning', message });
  const checkpoints = new CheckpointStore(folder, warn);
  const teachers = shared === folder ? checkpoints : new CheckpointStore(shared, warn);
  const of = (stage: string): CheckpointStore => (isTeacherStage(stage) ? teachers : checkpoints);
  const write = writerOf(folder);
  return {
    folder,
    ledger: await Ledger.open(folder, warn),
    states: (stage) => ({
      load: () => of(stage).load(stage),
      save: async (state) => onEvent({ type: 'saved', stage, file: await of(stage).save(stage, state) }),
    }),
    softTargets: softTargetStore(path.join(shared, 'soft-targets'), writerOf(shared), warn),
    repeats: new RepeatsFolder(folder),
    race: new RaceFolder(folder),
    write,
  };
}

function writerOf(folder: string): RunStores['write'] {
  return async (name, content) => {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFileAtomic(file, content);
  };
}

function softTargetStore(folder: string, write: RunStores['write'], warn: (message: string) => void): KeyedStore {
  const nameOf = (key: string): string => `${key.slice(0, 32)}.safetensors`;
  return {
    load: async (key) => {
      const file = path.join(folder, nameOf(key));
      if (!(await exists(file))) return undefined;
      try {
        return unseal(await readBytes(file), file);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        warn(`${error.message}; the teacher answers again`);
        return undefined;
      }
    },
    save: (key, content) => write(path.join(path.basename(folder), nameOf(key)), seal(content)),
  };
}
