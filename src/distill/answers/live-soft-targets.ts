import { monotonicMs } from '../../base/clock.ts';
import { PLAIN, viewOf } from '../../data/batches/batches.ts';
import { countOfElements } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { originalsOf } from '../../data/pictures/originals.ts';
import { partsEach, batchPartSizes } from '../../data/batches/share.ts';
import type { BatchCut, Span } from '../../data/batches/share.ts';
import { oneByOne } from '../../train/turns.ts';
import type { Turns } from '../../train/turns.ts';
import { notFinite } from './soft-targets.ts';
import type { Asked, SoftTargets } from './soft-targets.ts';
import type { Teacher } from '../teachers/teacher.ts';

export interface LiveOptions {
  /** Number of parts of a batch that the teacher is asked about one after another. Default 1. */
  readonly shards?: number | undefined;
  /** Turns at the parts. Default: one after another. */
  readonly turns?: Turns | undefined;
}

/** Asks the teacher at every step about the batch as the student sees it, with any augmentation; includes inner tensors. */
export class LiveSoftTargets implements SoftTargets {
  readonly #teacher: Teacher;
  readonly #dataset: Dataset;
  readonly #options: LiveOptions;
  readonly cut: BatchCut;
  readonly #trainings = new Map<string, number>();
  #ms = 0;

  /** `dataset`: the data set of the batches. */
  constructor(teacher: Teacher, dataset: Dataset, options: LiveOptions = {}) {
    this.#teacher = teacher;
    this.#dataset = dataset;
    this.#options = options;
    this.cut = { shards: options.shards ?? 1 };
  }

  get width(): number {
    return this.#teacher.classes;
  }

  timed(): () => number {
    const before = this.#ms;
    return () => (this.#ms - before) / 1000;
  }

  tookFor(stage: string, seconds: number): void {
    this.#trainings.set(stage, seconds);
  }

  /** Seconds that the teacher took for all finished trainings. */
  get seconds(): number {
    return [...this.#trainings.values()].reduce((sum, seconds) => sum + seconds, 0);
  }

  async answersFor(asked: Asked): Promise<Record<string, Float32Array>> {
    const start = monotonicMs();
    const { length: n } = asked.ids;
    const answers = this.cut.shards === 1 ? await this.#part(asked, { first: 0, end: n }) : await this.#inParts(asked);
    this.#ms += monotonicMs() - start;
    const row = answers['teacherLogits']!.findIndex((value) => !Number.isFinite(value));
    if (row !== -1) {
      const id = asked.ids[Math.floor(row / this.#teacher.classes)]!;
      throw notFinite(this.#teacher, `in row ${id} of the training split`);
    }
    return answers;
  }

  /** Answers to some samples of a batch; other samples are not read. */
  async #part({ x, ids, chance }: Asked, part: Span): Promise<Record<string, Float32Array>> {
    const { first, end } = part;
    const { forTeacher } = this.#dataset;
    const sampleSize = x.length / ids.length;
    const seen =
      forTeacher === undefined
        ? x.subarray(first * sampleSize, end * sampleSize)
        : viewOf(forTeacher, ids.subarray(first, end), PLAIN);
    const original = chance && originalsOf(this.#dataset, ids, chance, part);
    return namedAnswers(await this.#teacher.answer(seen, end - first, original));
  }

  /** The number of parts does not depend on the number of processes: an answer can differ in its last bit with the other samples of the call. */
  async #inParts(asked: Asked): Promise<Record<string, Float32Array>> {
    const { classes, featureShapes } = this.#teacher;
    const { turns = oneByOne } = this.#options;
    const { length: n } = asked.ids;
    const sizes = batchPartSizes(n, this.cut);
    const firsts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
    const widths = new Map([
      ['teacherLogits', classes],
      ...Object.entries(featureShapes).map(([name, shape]) => [`teacher/${name}`, countOfElements(shape)] as const),
    ]);
    const each = [...widths.values()].reduce((sum, width) => sum + width, 0);
    const width = sizes[0]! * each;
    const count = sizes.length;
    const parts = { count, width, each: partsEach(count, turns.size) };
    const all = await turns.inTurns(parts, async (item) => {
      const [first, size] = [firsts[item]!, sizes[item]!];
      const partAnswers = await this.#part(asked, { first, end: first + size });
      const flat = new Float32Array(size * each);
      let at = 0;
      for (const [name, width] of widths) {
        flat.set(partAnswers[name]!, at);
        at += size * width;
      }
      return flat;
    });
    const whole = Object.fromEntries([...widths].map(([name, width]) => [name, new Float32Array(n * width)]));
    for (const [item, size] of sizes.entries()) {
      let at = item * width;
      for (const [name, own] of widths) {
        whole[name]!.set(all.subarray(at, at + size * own), firsts[item]! * own);
        at += size * own;
      }
    }
    return whole;
  }
}

function namedAnswers({ logits, features }: Awaited<ReturnType<Teacher['answer']>>): Record<string, Float32Array> {
  const named = Object.entries(features).map(([name, values]): [string, Float32Array] => [`teacher/${name}`, values]);
  return { teacherLogits: logits, ...Object.fromEntries(named) };
}
