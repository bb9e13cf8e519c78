import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { asUserError, writeFileAtomic } from '../../base/files.ts';
import type { Safetensors } from '../../formats/safetensors.ts';
import { readSealed } from '../../files/safetensors-file.ts';
import { seal } from '../../formats/sealed.ts';

/** Number of generations kept per stage: the newest, and its predecessor in case the newest is damaged. */
const KEPT = 2;

/**
 * Saved states of a run, `state/<stage>-<generation>.safetensors`. Each is written to a temporary file, fsynced and renamed, and contains its
 * checksum. If the newest fails its checksum, the one before is used.
 */
export class CheckpointStore {
  readonly #folder: string;
  readonly #warn: (message: string) => void;

  constructor(runFolder: string, warn: (message: string) => void) {
    this.#folder = path.join(runFolder, 'state');
    this.#warn = warn;
  }

  async save(stage: string, state: Safetensors): Promise<string> {
    const generations = await this.#generations(stage);
    const name = `${stage}-${String((generations[0]?.number ?? 0) + 1).padStart(6, '0')}.safetensors`;
    await mkdir(this.#folder, { recursive: true }).catch((error: unknown) => {
      throw asUserError(error, this.#folder, 'write');
    });
    await writeFileAtomic(path.join(this.#folder, name), seal(state));
    for (const old of generations.slice(KEPT - 1)) await rm(path.join(this.#folder, old.name), { force: true });
    return name;
  }

  /** The newest intact state of a stage, or undefined. */
  async load(stage: string): Promise<Safetensors | undefined> {
    const generations = await this.#generations(stage);
    for (const [i, { name }] of generations.entries()) {
      const file = path.join(this.#folder, name);
      try {
        return await readSealed(file);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const next = generations[i + 1] === undefined ? 'the stage starts again' : 'the one before it is used';
        this.#warn(`${error.message}; ${next}`);
        // A damaged state must not count as one of the two that are kept.
        await rm(file, { force: true });
      }
    }
    return undefined;
  }

  async remove(stage: string): Promise<void> {
    for (const { name } of await this.#generations(stage)) await rm(path.join(this.#folder, name), { force: true });
  }

  /** Newest first. */
  async #generations(stage: string): Promise<{ name: string; number: number }[]> {
    const found = (await this.#names()).flatMap((name) => {
      const state = stateOf(name);
      return state?.stage === stage ? [{ name, number: state.number }] : [];
    });
    return found.sort((a, b) => b.number - a.number);
  }

  async #names(): Promise<string[]> {
    return readdir(this.#folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw asUserError(error, this.#folder, 'read');
    });
  }
}

/** Stage and generation of a file in `state/`; undefined for other files. */
export function stateOf(name: string): { readonly stage: string; readonly number: number } | undefined {
  const [, stage, number] = /^(.+)-(\d{6,})\.safetensors$/.exec(name) ?? [];
  return stage === undefined ? undefined : { stage, number: Number(number) };
}
