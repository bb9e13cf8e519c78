import { binOf, largestGap, spreadOf, stabilityIndex } from '../../measure/usual-answers.ts';
import type { UsualAnswers } from '../../measure/usual-answers.ts';
import type { Drift, DriftWatch } from '../../observers/drift/watch.ts';

/** Latest samples that are compared. */
const WINDOW = 500;
/** Number of samples below which no drift is reported. */
const LEAST = 200;
/** Classes that would have fewer of a window's samples are counted as one: their shares are chance. */
const RARE = 5;

type Aspect = 'confidence' | 'entropy' | 'classes';

/** One aspect of the answers in the window, by bins. */
interface Track {
  readonly reference: readonly number[];
  readonly counts: number[];
  /** Bins of the samples in the window, overwritten in turn. */
  readonly ring: Uint32Array;
}

class ClassesWatch implements DriftWatch {
  readonly #usual: UsualAnswers;
  /** Bin of each class. */
  readonly #groups: readonly number[];
  readonly #tracks: Readonly<Record<Aspect, Track>>;
  #seen = 0;
  isTold = false;

  constructor(usual: UsualAnswers) {
    this.#usual = usual;
    const { groups, counts } = grouped(usual);
    this.#groups = groups;
    const track = (of: readonly number[]): Track => ({
      reference: of,
      counts: of.map(() => 0),
      ring: new Uint32Array(WINDOW),
    });
    const { confidence, entropy } = usual;
    this.#tracks = { confidence: track(confidence.counts), entropy: track(entropy.counts), classes: track(counts) };
  }

  get width(): number {
    return this.#usual.classes.length;
  }

  get samples(): number {
    return Math.min(this.#seen, WINDOW);
  }

  get seen(): number {
    return this.#seen;
  }

  add(logits: ArrayLike<number>): void {
    const { confidence: sure, entropy: wide } = this.#usual;
    for (let from = 0; from < logits.length; from += this.width) {
      const { best, confidence, entropy } = spreadOf(logits, from, this.width);
      const place = this.#seen % WINDOW;
      const isFull = this.#seen++ >= WINDOW;
      move(this.#tracks.confidence, place, isFull, binOf(sure.edges, confidence));
      move(this.#tracks.entropy, place, isFull, binOf(wide.edges, entropy));
      move(this.#tracks.classes, place, isFull, this.#groups[best]!);
    }
  }

  get drift(): Drift | undefined {
    if (this.samples < LEAST) return undefined;
    const { confidence, entropy, classes } = this.#tracks;
    const psi = ({ counts, reference }: Track): number => stabilityIndex(counts, reference);
    const ks = ({ counts, reference }: Track): number => largestGap(counts, reference);
    return {
      // Classes have no order, so no such statistic as `ks`.
      psi: { confidence: psi(confidence), entropy: psi(entropy), classes: psi(classes) },
      ks: { confidence: ks(confidence), entropy: ks(entropy) },
    };
  }
}

export const drift = (usual: UsualAnswers): DriftWatch => new ClassesWatch(usual);

function move({ counts, ring }: Track, place: number, isFull: boolean, bin: number): void {
  if (isFull) counts[ring[place]!]!--;
  ring[place] = bin;
  counts[bin]!++;
}

function grouped({ classes, samples }: UsualAnswers): { groups: number[]; counts: number[] } {
  const counts: number[] = [0];
  const groups = classes.map((count) => {
    if ((count * WINDOW) / samples < RARE) {
      counts[0]! += count;
      return 0;
    }
    return counts.push(count) - 1;
  });
  return { groups, counts };
}
