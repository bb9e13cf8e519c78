import { rm } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { exists, readBytes, removeHalfWritten, writeFileAtomic } from '../base/files.ts';
import { isBlock } from '../distill/answer-blocks.ts';
import type { AnswerBlock, AnswerPlan } from '../distill/answer-blocks.ts';
import type { Safetensors } from '../formats/safetensors.ts';
import { seal, unseal } from '../formats/sealed.ts';

/**
 * The blocks of a teacher's answers in a folder that many processes write to at once, on many machines: a file for each block, whole or
 * not there. It needs of the file system that a rename is atomic, which NFS holds, and no locks: two processes that write one block
 * write the same answers. It lies beside the run's folder, whose half-written files a run removes when it starts.
 */
export class AnswerFolder {
  readonly folder: string;
  readonly #plan: AnswerPlan;

  constructor(run: string, plan: AnswerPlan) {
    this.folder = path.join(`${run}-labels`, `${plan.key.slice(0, 32)}-by-${plan.batchSize}`);
    this.#plan = plan;
  }

  /** Undefined for a block that is not there; a damaged one is removed, which `warn` is told. */
  async load(block: AnswerBlock, warn: (message: string) => void): Promise<Safetensors | undefined> {
    const file = this.#file(block);
    if (!(await exists(file))) return undefined;
    try {
      const content = unseal(await readBytes(file), file);
      if (isBlock(content, this.#plan, block)) return content;
      warn(`${file}: not the block that its name says; the teacher answers again`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      warn(`${error.message}; the teacher answers again`);
    }
    await rm(file, { force: true });
    return undefined;
  }

  async save(block: AnswerBlock, content: Safetensors): Promise<void> {
    await writeFileAtomic(this.#file(block), seal(content));
  }

  /** Removes what killed processes left; to be called when no block is missing any more. */
  async tidy(): Promise<void> {
    await removeHalfWritten(this.folder);
  }

  #file({ number }: AnswerBlock): string {
    return path.join(this.folder, `${String(number).padStart(6, '0')}.safetensors`);
  }
}
