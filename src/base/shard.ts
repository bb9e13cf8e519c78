import { UserError } from './errors.ts';
import { launchers } from './launchers.ts';
import type { EnvironmentVariables, ShardVariables } from './launchers.ts';

/** A part of work that independent processes share: number `index` (from 0) of `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export const WHOLE: Shard = { index: 0, count: 1 };

/**
 * The shard of `--shard i/n`, else of a launcher's environment, else the whole. `UserError` for invalid values, and for two launchers that disagree:
 * the work of a wrong shard would be missing in the end.
 */
export function shardOf(given: string | undefined, environment: EnvironmentVariables): Shard {
  if (given !== undefined) return parse(given);
  const fromLaunchers = launchers
    .all()
    .flatMap(({ shards }) => shards)
    .flatMap((variables) => {
      const shard = toldBy(variables, environment);
      return shard === undefined ? [] : [{ by: variables.by, shard }];
    })
    .filter(({ shard }) => shard.count > 1);
  const [first, other] = fromLaunchers;
  if (first === undefined) return WHOLE;
  if (other !== undefined && (other.shard.index !== first.shard.index || other.shard.count !== first.shard.count))
    throw new UserError(
      `${first.by} says shard ${textOf(first.shard)}, and ${other.by} says ${textOf(other.shard)}`,
      'Say which with --shard i/n.',
    );
  return first.shard;
}

/** Text such as `3/8`. */
export function textOf({ index, count }: Shard): string {
  return `${index}/${count}`;
}

/** Items of a list that belong to this shard: every `count`-th, so that a list sorted by size is divided evenly. */
export function partOf<T>(items: readonly T[], { index, count }: Shard): T[] {
  return items.filter((_, i) => i % count === index);
}

function parse(text: string): Shard {
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (index === undefined || shard.index >= shard.count)
    throw new UserError(
      `--shard: expected i/n with i from 0 to n - 1, received ${text}`,
      'Write for example --shard 0/4, 1/4, 2/4 and 3/4.',
    );
  return shard;
}

function toldBy(launcher: ShardVariables, environment: EnvironmentVariables): Shard | undefined {
  const text = environment[launcher.index];
  if (text === undefined || text === '') return undefined;
  const numberOf = (name: string | undefined, usual: number): number => {
    const value = name === undefined ? undefined : environment[name];
    return value === undefined || value === '' ? usual : Number(value);
  };
  const count = numberOf(launcher.count, NaN);
  const index = (Number(text) - numberOf(launcher.first, 0)) / numberOf(launcher.step, 1);
  if (Number.isInteger(index) && Number.isInteger(count) && index >= 0 && index < count) return { index, count };
  throw new UserError(
    `${launcher.by} says ${launcher.index}=${text} and ${launcher.count}=${environment[launcher.count] ?? ''}, which is no shard`,
    `Set ${launcher.count} to the number of processes, or say which shard this one is with --shard i/n.`,
  );
}
