import type { AnswerFormKind } from '../../recipe/task.ts';
import { statedForm } from '../../tasks/answer-form.ts';
import type { Described } from './card.ts';
import type { Canvas } from './dom.ts';
import type { Alike } from './try/alike.ts';
import type { Boxed } from './try/boxed.ts';
import type { Tagged } from './try/marked.ts';
import type { Masked } from './try/masked.ts';

export interface Prediction {
  readonly index: number;
  readonly label?: string;
  readonly probability?: number;
  readonly score?: number;
  readonly top?: readonly Prediction[];
}

/** One model's answer: classes, words with tags, a mask or boxes over its picture, cosines of several samples, or anything else in words. */
export type Outcome =
  | { readonly kind: 'classes'; readonly prediction: Prediction; readonly ms: number }
  | { readonly kind: 'tags'; readonly tagged: Tagged; readonly ms: number }
  | { readonly kind: 'mask'; readonly masked: Masked; readonly picture: Canvas | undefined; readonly ms: number }
  | { readonly kind: 'boxes'; readonly boxed: Boxed; readonly picture: Canvas | undefined; readonly ms: number }
  | { readonly kind: 'alike'; readonly alike: Alike; readonly ms: number }
  | { readonly kind: 'text'; readonly text: string; readonly ms: number }
  | { readonly kind: 'error'; readonly message: string };

/** The part of an answer that is a vector. */
interface Embedded {
  readonly embedding: readonly number[];
}

/** A prediction of the server; the form of the model's answers says which of them it is. */
export type Predicted = Prediction & { readonly values: readonly Prediction[] } & Tagged & Masked & Boxed & Embedded;

interface ShownForm {
  /** Word for the names of the answers. */
  readonly called: string;
  /** True if the likeliest several of the names are asked for. */
  readonly hasTop: boolean;
  /** True if several samples are compared with each other. */
  readonly isCompared?: true;
  /** Name of the numbers in the only output of the file, if they are no logits of the sample. */
  readonly gives?: string;
  /** Title of the group of such models of texts; absent: the title says only that they take texts. */
  readonly title?: string;
  /** Converts a prediction to the outcome that the page shows. `labels` names the classes that the server left without a name. */
  readonly shown: (predicted: Predicted, labels: readonly string[] | undefined, picture?: Canvas) => Shown;
}

type Timeless<O> = O extends { readonly ms: number } ? Omit<O, 'ms'> : never;
type Shown = Timeless<Outcome>;

const values: ShownForm = {
  called: 'values',
  hasTop: false,
  shown: (predicted) => ({ kind: 'text', text: predicted.values.map(valueText).join('\n') }),
};

/** Answers on the page by their form. */
export const SHOWN_FORMS: Readonly<Record<AnswerFormKind, ShownForm>> = {
  classes: {
    called: 'classes',
    hasTop: true,
    shown: (prediction, labels) => ({ kind: 'classes', prediction: labelled(prediction, labels) }),
  },
  numbers: values,
  labels: values,
  tags: {
    called: 'tags',
    hasTop: false,
    title: 'texts to tag',
    shown: (tagged) => ({ kind: 'tags', tagged }),
  },
  boxes: {
    called: 'boxes',
    hasTop: false,
    shown: (boxed, _, picture) => ({ kind: 'boxes', boxed, picture }),
  },
  vector: {
    called: 'numbers of a vector',
    gives: 'a vector to search with',
    hasTop: false,
    isCompared: true,
    title: 'texts to compare',
    shown: ({ embedding }) => ({
      kind: 'text',
      text: `${embedding
        .slice(0, 8)
        .map((value) => value.toFixed(3))
        .join(', ')}, … (${embedding.length} numbers)`,
    }),
  },
  mask: {
    called: 'classes of pixels',
    gives: 'a score of each class for each pixel',
    hasTop: false,
    shown: (masked, _, picture) => ({ kind: 'mask', masked, picture }),
  },
};

/** The row of `SHOWN_FORMS` for a model, with the names of its answers; `names` is undefined if its file states none. */
export function shownForm(described: Described): ShownForm & { readonly names: readonly string[] | undefined } {
  const { kind, names } = statedForm(described);
  return { ...SHOWN_FORMS[kind], names };
}

/** Text of the outputs: by what they hold, with their names in the file behind it. */
export function givenText(described: Described | undefined, outputs: string): string {
  const { gives } = described === undefined ? {} : shownForm(described);
  return gives === undefined ? outputs : `${gives}; in the file ${outputs}`;
}

function valueText({ index, label = `${index}`, probability, score }: Prediction): string {
  return `${label}: ${probability === undefined ? Number(score!.toPrecision(5)) : `${(100 * probability).toFixed(1)} %`}`;
}

function labelled(prediction: Prediction, labels: readonly string[] | undefined): Prediction {
  if (labels === undefined) return prediction;
  const named = (one: Prediction): Prediction =>
    one.label === undefined && labels[one.index] !== undefined ? { ...one, label: labels[one.index]! } : one;
  return { ...named(prediction), ...(prediction.top && { top: prediction.top.map(named) }) };
}
