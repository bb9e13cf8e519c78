import { rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../base/files.ts';
import { onnxFiles } from '../../files/onnx-file.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';
import { isTeacherStage } from '../../report/artifact.ts';
import { answerFiles } from './answer-files.ts';
import { CheckpointStore } from './checkpoint.ts';
import type { OnEvent } from '../../base/events.ts';
import { JobFolder } from '../jobs.ts';
import { Ledger } from './ledger.ts';
import type { KeyedStore } from '../../distill/answers/soft-targets.ts';
import type { StageStates } from '../../train/saved-training.ts';

/** Stores in the folder of a run, by their purpose. */
export interface RunStores {
  /** Folder of the run, for other processes that use its states. */
  readonly folder: string;
  readonly ledger: Ledger;
  readonly states: (stage: string) => StageStates;
  readonly softTargets: KeyedStore;
  /** Jobs of the race of losses that shards have done. */
  readonly race: JobFolder;
  /** Writes a result, such as `report.json` or `exports/distilled.onnx`. */
  readonly write: (name: string, content: OnnxContent | string) => Promise<void>;
}

/** `shared`: folder of the run that keeps the trainings of teacher and assistants, and stored answers, if it is another run. */
export async function openStores(folder: string, onEvent: OnEvent, shared = folder): Promise<RunStores> {
  const warn = (message: string): void => onEvent({ type: 'warning', message });
  const checkpoints = new CheckpointStore(folder, warn);
  const teachers = shared === folder ? checkpoints : new CheckpointStore(shared, warn);
  const storeOf = (stage: string): CheckpointStore => (isTeacherStage(stage) ? teachers : checkpoints);
  return {
    folder,
    ledger: await Ledger.open(folder, warn),
    states: (stage) => ({
      load: () => storeOf(stage).load(stage),
      remove: () => storeOf(stage).remove(stage),
      save: async (state) => onEvent({ type: 'saved', stage, file: await storeOf(stage).save(stage, state) }),
    }),
    softTargets: answerFiles(path.join(shared, 'soft-targets'), (key) => key.slice(0, 32), warn),
    race: new JobFolder(folder, 'race'),
    write: async (name, content) => {
      if (typeof content === 'string') return writeFileAtomic(path.join(folder, name), content);
      const files = onnxFiles(name, content);
      // An earlier model would be found with weights that are not its own.
      if (files.size > 1) await rm(path.join(folder, name), { force: true });
      for (const [file, part] of files) await writeFileAtomic(path.join(folder, file), part);
    },
  };
}
