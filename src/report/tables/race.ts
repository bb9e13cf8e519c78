import type { Score } from '../../tasks/score.ts';
import type { Race } from '../types.ts';

/** Table of a race: the candidates that came furthest first, the chosen one at the top, with their validation score in each round. */
export function raceRows(
  { candidates, pick }: Race,
  score: Score,
): { head: string[]; rows: { cells: string[]; isPick: boolean }[] } {
  const longest = candidates[pick]!.rounds;
  const epochs = longest.map(
    ({ epochs: length }) => `after ${Number(length.toFixed(2))} ${length === 1 ? 'epoch' : 'epochs'}`,
  );
  const order = [...candidates.keys()].sort((a, b) => {
    if (a === pick || b === pick) return a === pick ? -1 : 1;
    const [one, other] = [candidates[a]!.rounds, candidates[b]!.rounds];
    if (one.length !== other.length) return other.length - one.length;
    const gain = other.at(-1)!.validation - one.at(-1)!.validation;
    return (score.better === 'higher' ? gain : -gain) || a - b;
  });
  const rows = order.map((i) => {
    const { loss, numbers, rounds } = candidates[i]!;
    const own = ['temperature', 'alpha'].map((name) => (numbers[name] === undefined ? '–' : String(numbers[name])));
    const scores = longest.map((_, round) => {
      const found = rounds[round];
      return found === undefined ? '–' : score.text(found.validation);
    });
    return { cells: [loss, ...own, ...scores], isPick: i === pick };
  });
  return { head: ['loss', 'temperature', 'alpha', ...epochs], rows };
}
