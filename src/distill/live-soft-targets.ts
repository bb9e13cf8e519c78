import { monotonicMs } from '../base/clock.ts';
import { PLAIN, viewOf } from '../data/batches.ts';
import { sizeOf } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { originalsOf } from '../data/originals.ts';
import { inTurns } from '../runtime/collectives.ts';
import type { Collectives } from '../runtime/collectives.ts';
import { evenSizes } from '../train/cut.ts';
import { notFinite } from './soft-targets.ts';
import type { Asked, SoftTargets } from './soft-targets.ts';
import type { Teacher } from './teacher.ts';

export interface LiveOptions {
  /** Parts of a batch that the teacher is asked about one after another. Default 1. */
  readonly shards?: number | undefined;
  /** Processes that take turns at the parts. */
  readonly together?: Collectives | undefined;
}

/** The teacher is asked at every step, about the batch as the student sees it: any augmentation, and inner tensors too. */
export class LiveSoftTargets implements SoftTargets {
  readonly #teacher: Teacher;
  readonly #dataset: Dataset;
  readonly #options: LiveOptions;
  #ms = 0;

  /** `dataset`: the one whose batches it is asked about. */
  constructor(teacher: Teacher, dataset: Dataset, options: LiveOptions = {}) {
    this.#teacher = teacher;
    this.#dataset = dataset;
    this.#options = options;
  }

  /** Time that the teacher took so far. */
  get seconds(): number {
    return this.#ms / 1000;
  }

  async answersFor({ x, ids, chance }: Asked): Promise<Record<string, Float32Array>> {
    const start = monotonicMs();
    const { forTeacher } = this.#dataset;
    const seen = forTeacher === undefined ? x : viewOf(forTeacher, ids, PLAIN);
    const original = chance && originalsOf(this.#dataset, ids, chance);
    const answers = original
      ? namedAnswers(await this.#teacher.answer(seen, ids.length, original))
      : await this.#inParts(seen, ids.length);
    this.#ms += monotonicMs() - start;
    const row = answers['teacherLogits']!.findIndex((value) => !Number.isFinite(value));
    if (row !== -1) {
      const id = ids[Math.floor(row / this.#teacher.classes)]!;
      throw notFinite(this.#teacher, `in row ${id} of the training split`);
    }
    return answers;
  }

  /** Parts are as many as shards, however many processes there are: an answer can differ in its last bit with the samples beside it. */
  async #inParts(x: Float32Array, n: number): Promise<Record<string, Float32Array>> {
    const { classes, featureShapes } = this.#teacher;
    const { shards = 1, together } = this.#options;
    if (shards === 1) return namedAnswers(await this.#teacher.answer(x, n));
    const sizes = evenSizes(n, shards);
    const firsts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
    const widths = new Map([
      ['teacherLogits', classes],
      ...Object.entries(featureShapes).map(([name, shape]) => [`teacher/${name}`, sizeOf(shape)] as const),
    ]);
    const each = [...widths.values()].reduce((sum, width) => sum + width, 0);
    const width = sizes[0]! * each;
    const all = await inTurns(together, { count: sizes.length, width }, async (item) => {
      const [first, size] = [firsts[item]!, sizes[item]!];
      const of = x.length / n;
      const given = namedAnswers(await this.#teacher.answer(x.subarray(first * of, (first + size) * of), size));
      const flat = new Float32Array(size * each);
      let at = 0;
      for (const [name, width] of widths) {
        flat.set(given[name]!, at);
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
