import { UserError } from '../../base/errors.ts';

/** Targets of a compression, relative to the original model. */
export interface Budget {
  /** Factor of the reduction in file size. */
  readonly size: number;
  /** Factor of the reduction in latency of a sample. */
  readonly latency: number;
  /** Maximum loss of score, in percentage points. */
  readonly drop: number;
}

/**
 * Default maximum loss of score, in points. Without labels the score is agreement with the original, which drops by more than accuracy: two models of
 * equal accuracy disagree about samples that are hard for both.
 */
const USUAL_DROP = { labelled: 1, unlabelled: 5 };

/** Parses `size=4,latency=2,drop=0.5`, each optional: factors and points. */
export function budgetOf(text: string | undefined, isLabelled: boolean): Budget {
  const budget = { size: 4, latency: 2, drop: USUAL_DROP[isLabelled ? 'labelled' : 'unlabelled'] };
  const reported = new Set<string>();
  for (const part of text?.split(',') ?? []) {
    const found = /^\s*(size|latency|drop)\s*=\s*(\d+(?:\.\d+)?)x?\s*$/.exec(part);
    if (found === null)
      throw new UserError(
        `--budget: expected size, latency or drop with a number, received ${part.trim() || 'nothing'}`,
        'For example --budget size=4,latency=2,drop=0.5: four times smaller, twice as fast, half a point lost at most.',
      );
    const [, key, number] = found as unknown as [string, keyof Budget, string];
    const least = key === 'drop' ? 0 : 1;
    if (Number(number) < least || (key === 'drop' ? Number(number) > 100 : Number(number) > 1000))
      throw new UserError(
        `--budget: expected ${key} from ${least} to ${key === 'drop' ? 100 : 1000}, received ${number}`,
        key === 'drop' ? 'It is a number of percentage points.' : 'It is a factor: 2 asks for half.',
      );
    if (reported.has(key))
      throw new UserError(`--budget: expected ${key} once, received it twice`, 'Take one of them out.');
    reported.add(key);
    budget[key] = Number(number);
  }
  return budget;
}
