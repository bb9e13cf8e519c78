import { argMax } from '../../base/numbers.ts';
import type { Entity } from '../../tasks/task.ts';

/** Tags and entities as seqeval and conlleval count them, one sentence at a time. */

/** Tags of words of entities. */
export const ENTITY = /^[BIES](?:-.+)?$/;

/** True if tags mark entities; otherwise each word is scored on its own. */
export function markEntities(names: readonly string[]): boolean {
  return names.every((name) => name === 'O' || ENTITY.test(name));
}

/** Borders of entities between two tags, by index; the index after the last tag stands for the end of a sentence. */
export interface Borders {
  /** Names of the types, in the order of the tags. */
  readonly types: readonly string[];
  /** Type of each tag; -1 for O and for the end of a sentence. */
  readonly typeOf: readonly number[];
  /** [before][tag]: true if an entity begins at `tag` after `before`. */
  readonly begins: readonly (readonly boolean[])[];
  /** [tag][after]: true if an entity ends at `tag` before `after`. */
  readonly ends: readonly (readonly boolean[])[];
}

interface Parts {
  readonly letter: string;
  readonly type: string;
}

/** Rules of conlleval (Tjong Kim Sang and De Meulder 2003), which seqeval follows by default, for IOB1, IOB2 and IOBES alike. */
export function bordersOf(names: readonly string[]): Borders {
  const isEntities = markEntities(names);
  // A plain tag counts as an entity of one word.
  const parts = [...names.map((name) => (isEntities ? partsOf(name) : { letter: 'S', type: name })), partsOf('O')];
  const types = [...new Set(parts.filter(({ letter }) => letter !== 'O').map(({ type }) => type))];
  return {
    types,
    typeOf: parts.map(({ letter, type }) => (letter === 'O' ? -1 : types.indexOf(type))),
    begins: parts.map((before) => parts.map((tag) => isBegin(before, tag))),
    ends: parts.map((tag) => parts.map((after) => isEnd(tag, after))),
  };
}

function partsOf(name: string): Parts {
  const at = name.indexOf('-');
  return at === -1 ? { letter: name, type: '_' } : { letter: name.slice(0, at), type: name.slice(at + 1) };
}

function isBegin(before: Parts, tag: Parts): boolean {
  if (tag.letter === 'O') return false;
  if (tag.letter === 'B' || tag.letter === 'S') return true;
  return 'ESO'.includes(before.letter) || before.type !== tag.type;
}

function isEnd(tag: Parts, after: Parts): boolean {
  if (tag.letter === 'O') return false;
  if (tag.letter === 'E' || tag.letter === 'S') return true;
  return 'BSO'.includes(after.letter) || tag.type !== after.type;
}

/** A model's tag at each of some tokens, the first of equal logits. `answers`: [tokens, tags] in a row. */
export function tagsAt(answers: ArrayLike<number>, places: readonly number[], tags: number): number[] {
  return places.map((at) => argMax(answers, at * tags, tags));
}

/** Entities of the tags of a sentence. */
export function entitiesOf(tags: ArrayLike<number>, { types, typeOf, begins, ends }: Borders): Entity[] {
  const outside = typeOf.length - 1;
  const found: Entity[] = [];
  let from = 0;
  for (let at = 0; at < tags.length; at++) {
    const tag = tags[at]!;
    if (begins[tags[at - 1] ?? outside]![tag]!) from = at;
    if (ends[tag]![tags[at + 1] ?? outside]!) found.push({ type: types[typeOf[tag]!]!, from, to: at });
  }
  return found;
}

/** Numbers of entities of a type: true ones, predicted ones, and right ones (both). */
export interface Counts {
  readonly there: number;
  readonly given: number;
  readonly right: number;
}

/** Micro-averaged F1 from the sums over all types. 0 without any true or predicted entity, as in seqeval. */
export function f1OfCounts({ there, given, right }: Counts): number {
  return there + given === 0 ? 0 : (2 * right) / (there + given);
}

/** Counts of each type over sentences of true and predicted tags. */
export function countsByType(
  sentences: Iterable<{ readonly truth: ArrayLike<number>; readonly given: ArrayLike<number> }>,
  borders: Borders,
): Map<string, Counts> {
  const counts = new Map(borders.types.map((type) => [type, { there: 0, given: 0, right: 0 }]));
  for (const { truth, given } of sentences) {
    const key = ({ type, from, to }: Entity): string => `${from} ${to} ${type}`;
    const predicted = entitiesOf(given, borders);
    const all = entitiesOf(truth, borders);
    const known = new Set(all.map(key));
    for (const { type } of all) counts.get(type)!.there++;
    for (const entity of predicted) {
      counts.get(entity.type)!.given++;
      if (known.has(key(entity))) counts.get(entity.type)!.right++;
    }
  }
  return counts;
}

export function total(counts: Iterable<Counts>): Counts {
  const sum = { there: 0, given: 0, right: 0 };
  for (const { there, given, right } of counts) {
    sum.there += there;
    sum.given += given;
    sum.right += right;
  }
  return sum;
}
