import { UserError } from '../base/errors.ts';
import type { ModelNetwork } from './network.ts';

/** A recipe's choices about weights, by patterns of their names. */
export interface WeightChoices {
  /** Patterns of weights that are not trained. */
  readonly freeze: readonly string[];
  /** Factors of the learning rate by pattern; of several matching patterns the last counts. */
  readonly learningRates: Readonly<Record<string, number>>;
}

/** The network with learning rates and frozen weights as chosen. `UserError` for a pattern that matches no weight. */
export function withChoices<Of extends ModelNetwork>(
  network: Of,
  { freeze, learningRates }: WeightChoices,
  file: string,
): Of {
  const names = Object.keys(network.trainable);
  const isFrozen = fitting(freeze, names, 'student.freeze', file);
  const rates = Object.entries(learningRates).map(
    ([pattern, factor]) => [fitting([pattern], names, 'student.learningRates', file), factor] as const,
  );
  const frozen = names.filter(isFrozen);
  return {
    ...network,
    trainable: Object.fromEntries(Object.entries(network.trainable).filter(([name]) => !isFrozen(name))),
    rateOf: (name) => rates.findLast(([fits]) => fits(name))?.[1] ?? 1,
    origin: [
      ...(network.origin ?? []),
      ...(frozen.length === 0 ? [] : [`${shortOf(file)}: frozen: ${frozen.join(', ')}`]),
      ...Object.entries(learningRates).map(
        ([pattern, factor]) => `${shortOf(file)}: ${pattern} learns at ${factor} times the rate`,
      ),
    ],
    withWeights: async (weights) => withChoices(await network.withWeights(weights), { freeze, learningRates }, file),
  };
}

/** Number of weight names in a message. */
const SHOWN = 8;

function shortOf(file: string): string {
  return file.split(/[\\/]/).at(-1)!;
}

/**
 * Test whether a name matches one of the patterns; `*` stands for any characters. A pattern that matches no name at all is a `UserError`, because the
 * mistake would go unnoticed.
 */
export function fitting(
  patterns: readonly string[],
  names: readonly string[],
  key: string,
  file: string,
): (name: string) => boolean {
  const tests = patterns.map((pattern) => {
    const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*');
    return new RegExp(`^${escaped}$`);
  });
  patterns.forEach((pattern, i) => {
    if (names.some((name) => tests[i]!.test(name))) return;
    throw new UserError(
      `${key}: ${pattern} fits no weight of ${file}`,
      `Its weights are ${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ', ...' : ''}.`,
    );
  });
  return (name) => tests.some((test) => test.test(name));
}
