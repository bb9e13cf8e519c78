import { UserError } from '../../base/errors.ts';
import { fedShapes } from '../../data/axes.ts';
import { countOfPixels } from '../../data/dataset.ts';
import { channelsFirst } from '../../data/normalize.ts';
import { normalized } from '../../data/normalized.ts';
import type { ServedModel } from '../../serve/model.ts';
import type { DescribedModel } from '../../serve/v1/described.ts';
import { describedBy, fedShape } from '../../serve/v1/preparation.ts';

/** Conversion from the input of a student to that of a teacher, and back to the raw values. */
export interface Translation {
  /** Shape of one sample of the teacher's input. */
  readonly shape: readonly number[];
  readonly toTeacher: (fed: Float32Array) => Float32Array;
  /** Conversion back to the values of the recipe's data: pixels where those were pictures. */
  readonly toRaw: (fed: Float32Array) => Uint8Array | Float32Array;
  /** Shape of one sample before preparation. */
  readonly rawShape: readonly number[];
  readonly rawDtype: 'uint8' | 'float32';
  /** True where one of the files does not state its preparation, and the teacher gets the input of the student. */
  readonly isGuess: boolean;
}

type Known = Pick<ServedModel, 'facts' | 'metadata'>;

/** `UserError` where samples of one cannot be samples of the other. */
export function translationOf(student: Known, teacher: Known, file: string): Translation {
  const [own, its] = [student, teacher]
    .map(describedBy)
    .map((known) => (known?.parts === undefined ? known : undefined));
  const [from, to] = [own && asFed(own), its && { ...its, shape: fedShape(its) }];
  const order = from && its && orderOf(from.shape, its, own?.layout !== undefined);
  if (from === undefined || to === undefined || order === undefined) {
    const shown = (known: Known): string =>
      known.facts.inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ');
    throw new UserError(
      `${file}: its input ${shown(teacher)} is not that of the model that it is to shadow, ${shown(student)}`,
      'A shadow takes one float32 input with samples of the same size.',
    );
  }
  refuseOtherMeaning(from, to, file);
  const raw = from.normalization !== undefined;
  const isPrepared = raw && to.normalization !== undefined;
  const pictures = raw && from.shape.length === 3;
  return {
    shape: to.shape,
    toTeacher: (fed) => {
      const pixels = order === 'same' ? undefined : countOfPixels(from.shape);
      if (isPrepared) return normalized(unnormalized(fed, from), to.normalization!, pixels);
      return pixels === undefined ? fed : channelsFirst(fed, from.shape);
    },
    toRaw: (fed) => {
      if (!raw) return fed;
      const values = unnormalized(fed, from);
      return pictures ? Uint8Array.from(values, (value) => Math.max(0, Math.min(255, Math.round(value)))) : values;
    },
    rawShape: from.shape,
    rawDtype: pictures ? 'uint8' : 'float32',
    isGuess:
      !isPrepared || (to.rate ?? from.rate) !== to.rate || (from.columns === undefined) !== (to.columns === undefined),
  };
}

/** A student with its channels first is taken as it is fed: what is prepared for it is not undone here. */
function asFed(described: DescribedModel): DescribedModel {
  if (described.layout === undefined) return described;
  const { logits, labels, targets } = described;
  return { shape: fedShape(described), logits, ...(labels && { labels }), ...(targets && { targets }) };
}

/**
 * Same sizes can mean other things: ids of another tokenizer, sounds of another rate, words of other columns. A file that says nothing of
 * rate or columns is taken to mean the same; ids without their tokenizer mean nothing, and a student that does not say its columns knows no
 * words of a teacher's.
 */
function refuseOtherMeaning(from: DescribedModel, to: DescribedModel, file: string): void {
  const meanings = [
    ['texts', from.text, to.text],
    ['sounds', from.rate, to.rate],
    ['columns', from.columns, to.columns],
  ] as const;
  for (const [what, own, its] of meanings) {
    const isUnsaid = its === undefined && what !== 'texts';
    const isOfNumbers =
      what === 'columns' && own === undefined && its?.every(({ words, date }) => (words ?? date) === undefined);
    if (isUnsaid || isOfNumbers || JSON.stringify(own) === JSON.stringify(its)) continue;
    throw new UserError(
      `${file}: its metadata say other things of ${what} than those of the model that it is to shadow: ` +
        `${JSON.stringify(its) ?? 'nothing'} instead of ${JSON.stringify(own) ?? 'nothing'}`,
      'A shadow is fed what the model is fed, so both need the same tokenizer, rate or columns.',
    );
  }
}

/**
 * Order of the teacher's axes: exporters differ in nothing but channels last and channels first. `isFed`: `from` is the shape of the student's
 * input, in its own layout, and an equal shape has the same order.
 */
function orderOf(from: readonly number[], its: DescribedModel, isFed: boolean): 'same' | 'channelsFirst' | undefined {
  const to = fedShape(its).join();
  if (from.join() === to && (isFed || its.layout === undefined)) return 'same';
  const ways = fedShapes(from).filter(
    ({ shape, layout }) => shape.length > 1 && shape.join() === to && layout === (its.layout ?? layout),
  );
  if (ways.length === 0) return undefined;
  return ways[0]!.layout === 'nhwc' || from.at(-1) === 1 ? 'same' : 'channelsFirst';
}

function unnormalized(fed: Float32Array, { normalization, shape }: DescribedModel): Float32Array {
  const { scale, mean, std } = normalization!;
  const channels = shape.at(-1)!;
  return Float32Array.from(fed, (value, i) => (value * std[i % channels]! + mean[i % channels]!) / scale);
}
