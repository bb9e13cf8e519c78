import type { Card, Described } from '../card.ts';
import { shownForm } from '../forms.ts';

/** Models that can be given the same input, and how it is made. */
export interface Group {
  readonly kind: 'picture' | 'text' | 'sound' | 'row' | 'values' | 'tensors';
  readonly title: string;
  readonly members: readonly Member[];
  /** Description of the first model; absent where the server knows tensors alone. */
  readonly described?: Described;
}

export interface Member {
  readonly card: Card;
  /** The model whose preparation and labels it is given, where its own file says nothing of them. */
  readonly as?: Card;
}

/** Most numbers that somebody fills in by hand. */
const MOST_FIELDS = 1024;
const MOST_COLUMNS = 64;

export function groupsOf(cards: readonly Card[]): Group[] {
  const groups = new Map<string, Member[]>();
  for (const card of cards) {
    const as = lenderOf(card, cards);
    const key = JSON.stringify(keyOf(as ?? card, card));
    groups.set(key, [...(groups.get(key) ?? []), { card, ...(as && { as }) }]);
  }
  return [...groups.values()].map((members) => {
    const first = members[0]!.as ?? members[0]!.card;
    const kind = kindOf(first);
    return {
      kind,
      members,
      title: titleOf(kind, first),
      ...(kind !== 'tensors' && first.described && { described: first.described }),
    };
  });
}

/** Key of the group of a model; models of one group are asked together. The server makes the ids of texts, and resamples and cuts sounds. */
function keyOf(like: Card, { described, inputs }: Card): readonly unknown[] {
  const kind = kindOf(like);
  if (kind === 'text') return [kind, described!.text!.texts, shownForm(described!).title];
  if (kind === 'sound') return [kind];
  return [kind, described?.shape ?? inputs, kind === 'row' && described!.columns, isCompared(described)];
}

/** A model of pictures of the same size whose preparation is borrowed for a file that states none, such as a file of another program. */
function lenderOf(card: Card, cards: readonly Card[]): Card | undefined {
  if (card.described === undefined || card.described.normalization !== undefined) return undefined;
  const shape = card.described.shape.join();
  return cards.find((other) => kindOf(other) === 'picture' && other.described!.shape.join() === shape);
}

function kindOf({ described }: Card): Group['kind'] {
  if (described === undefined) return 'tensors';
  const { shape, normalization, text, rate, columns } = described;
  if (text !== undefined) return 'text';
  if (rate !== undefined) return 'sound';
  if (
    columns !== undefined &&
    columns.length <= MOST_COLUMNS &&
    columns.some(({ words, date }) => (words ?? date) !== undefined)
  )
    return 'row';
  if (shape.length === 3 && [1, 3].includes(shape[2]!) && normalization !== undefined) return 'picture';
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.length === 2 && normalization !== undefined) return 'values';
  return shape.length === 1 && count <= MOST_FIELDS ? 'values' : 'tensors';
}

/** True if the model's answers are vectors, by which samples are compared. */
export function isCompared(described: Described | undefined): boolean {
  return described !== undefined && shownForm(described).compared !== undefined;
}

function titleOf(kind: Group['kind'], { described, inputs }: Card): string {
  if (kind === 'tensors') return `tensors ${inputs.map(({ name }) => name).join(', ')}`;
  const { shape, text, columns } = described!;
  if (kind === 'text') return shownForm(described!).title ?? (text!.texts === 2 ? 'pairs of texts' : 'texts');
  if (kind === 'sound') return 'sounds';
  if (kind === 'row') return `rows of ${columns!.length} columns`;
  if (kind === 'values' && shape.length === 2) return `sequences of ${shape[0]} steps of ${shape[1]}`;
  if (kind === 'values') return `${shape[0]} number${shape[0] === 1 ? '' : 's'}`;
  const use = isCompared(described) ? ', to compare' : '';
  return `pictures of ${shape[1]} × ${shape[0]}${shape[2] === 1 ? ' in grey' : ' in colour'}${use}`;
}

/**
 * Raw values that stand for black and white. Pictures of bytes have 0 and 255; tables with the shape of a picture have the range that their
 * normalization divides by.
 */
export function rangeOf({ normalization, shape }: Described): {
  readonly white: number;
  readonly isBytes: boolean;
  readonly isDark: boolean;
} {
  const { scale, mean, std } = normalization!;
  const average = mean.reduce((sum, value) => sum + value, 0) / shape[2]!;
  const deviation = std.reduce((sum, value) => sum + value, 0) / shape[2]!;
  // Pictures that are not normalized at all are told from tables by nothing, and are more.
  const isRaw = average === 0 && deviation === 1;
  const isBytes = Math.abs(scale * 255 - 1) < 1e-3 || (scale === 1 && (isRaw || average + deviation > 40));
  const top = average === 0 ? deviation : average + 2 * deviation;
  const white = isBytes ? 255 : Number((top / scale).toPrecision(2));
  // Backgrounds are most of a drawing: where the mean is dark, so are they.
  return { white, isBytes, isDark: average / scale < white / 2 || average === 0 };
}
