import { shown, UserError } from '../../base/errors.ts';
import { unseenNames } from '../../data/splits/checks.ts';
import type { LabelWords, RawSplit } from '../../data/dataset.ts';
import { asIndex, checkedNames, compareNames, unknownLabel } from '../../data/splits/label-names.ts';
import { tagsIn } from '../../data/text/tokenizer/words.ts';
import { ENTITY, markEntities } from './entities.ts';
import type { TargetReader } from '../../data/targets/reader.ts';
import type { TargetReaders } from '../../data/targets/registry.ts';

/** Tag of tokens without one: padding, special tokens, and all tokens of a word but the first. */
export const NO_TAG = -1;

const SCHEMES =
  'Tags are read as IOB2, IOB1 or IOBES: O, or B-, I-, E- or S- before a type; or as plain tags without any such beginning, such as parts of speech, ' +
  'each word by itself. ';

/** A tag for each word, at its first token. */
export const tags: TargetReader = {
  unread: { classWeights: 'Tags are not weighed; leave it out.' },
  names: (train, { classes, separator }) => {
    const names = classes === undefined ? foundNames(train, separator) : checkedNames(classes);
    refuseScheme(names, train.source);
    return names;
  },
  unlabelledNames: ({ classes }) => classes,
  named: 'the tags',
  none: () => new Int32Array(0),
  values: (split, names, { separator }) => {
    const { words, counts } = startsOf(split);
    const labels = wordsOf(split);
    const index = new Map(names.map((name, i) => [name, i]));
    const lists = labels.names.map((text, i) =>
      tagsIn(text, separator).map((tag) => {
        const at = index.get(tag) ?? asIndex(tag, names);
        if (at === undefined) throw unknownLabel(tag, labels.firstAt[i]!, names);
        return at;
      }),
    );
    const length = words.length / counts.length;
    return words.map((word, at) => {
      if (word === -1) return NO_TAG;
      return lists[labels.values[Math.floor(at / length)]!]![word]!;
    });
  },
  width: (_, { text }) => {
    if (text === undefined) throw new Error('tags are of texts');
    return text.length;
  },
  // Splits are drawn without strata.
  strata: (values, width) => new Int32Array(values.length / width),
  oddities: (split, values, names) => unseenNames(`${split} has no word`, 'tags', values, names),
};

/** Starts of words. `UserError` for data that are not words. */
function startsOf({ starts, source }: RawSplit): NonNullable<RawSplit['starts']> {
  if (starts !== undefined) return starts;
  throw new UserError(
    `${source}: the task tagging needs lists of words with a tag each, and these samples have none`,
    'Use type: jsonl or parquet with a list of words (`text.column`) and a list of tags (`label`), or type: conll.',
  );
}

function wordsOf(split: RawSplit): LabelWords {
  startsOf(split);
  if (split.labels.kind === 'name') return split.labels;
  throw new UserError(
    `${split.source}: expected one list of tags for each sample`,
    'Name one column of lists as `label`.',
  );
}

/** The distinct tags of a split, sorted. */
function foundNames(split: RawSplit, separator?: string): string[] {
  const names = [...new Set(wordsOf(split).names.flatMap((text) => tagsIn(text, separator)))].sort(compareNames);
  if (names.every((name) => /^\d+$/.test(name))) {
    throw new UserError(
      `${split.source}: the tags are whole numbers: ${names.slice(0, 8).join(', ')}`,
      'Name them in their order as `classes`, such as [O, B-PER, I-PER]: without names the starts of entities are unknown.',
    );
  }
  if (names.length > 1) return names;
  throw new UserError(
    `${split.source}: all words have the tag ${shown(names[0])}, expected at least 2 tags`,
    'Check which column or key holds the tags.',
  );
}

function refuseScheme(names: readonly string[], source: string): void {
  if (markEntities(names)) return;
  const bilou = names.find((name) => /^[LUM]-./.test(name));
  const behind = names.find((name) => /.[-_][BIESLUM]$/.test(name));
  const begun = names.some((name) => /^[A-Z]-/.test(name));
  if (!begun && behind === undefined) return;
  const mixed = names.find((name) => name !== 'O' && !ENTITY.test(name))!;
  const [tag, hint] =
    bilou !== undefined
      ? [bilou, 'Write BILOU as IOBES: E- for L-, S- for U-, I- for M-.']
      : begun
        ? [mixed, 'Give every word of an entity such a beginning, as in B-PER, and every other word the tag O.']
        : [behind!, 'Write the letter in front: B-PER, not PER-B.'];
  throw new UserError(`${source}: the tag ${shown(tag)} is of no scheme that is read`, SCHEMES + hint);
}

export const labels: TargetReaders = { tagging: tags };
