import type { Described } from './card.ts';
import type { Canvas, Context2d, Element } from './dom.ts';
import { canvasOf, make } from './make.ts';

/** A class, a label or a number with its value, as the server answers it. */
export interface Prediction {
  readonly index: number;
  readonly label?: string;
  readonly probability?: number;
  readonly score?: number;
  readonly top?: readonly Prediction[];
}

/** One model's answer as the page shows it. */
export interface Shown {
  /** Elements below the name of the model. `kind`: number of the model, by which it has its colour. */
  readonly elements: (kind: number) => Element[];
  /** Class that the model says, and how sure it is, such as `, 97.1 %`: the page says whether models agree. */
  readonly says?: { readonly what: string; readonly sureness: string };
  /** Sentence on the answer. */
  readonly sentence?: string;
}

export type Outcome = (Shown & { readonly ms: number }) | { readonly error: string };

/** A sample that is compared with others. */
export interface ComparedSample {
  readonly label: string;
  readonly picture?: Canvas;
}

/** Answers of a form on the page; `Predicted`: the answer of the server to a sample. */
export interface ShownForm<Predicted> {
  /** Key of the names of the answers in what the server states of a model, see `AnswerRow`; absent for the form of models with no such key. */
  readonly told?: { readonly key: string; readonly logits?: boolean };
  /** Word for the names of the answers. */
  readonly called: string;
  /** True if the likeliest several of the names are asked for. */
  readonly hasTop?: true;
  /** Name of the numbers in the only output of the file, if they are no logits of the sample. */
  readonly gives?: string;
  /** Title of the group of such models of texts; absent: the title says only that they take texts. */
  readonly title?: string;
  /** Converts an answer to what the page shows. `labels` names the classes that the server left without a name. */
  readonly shown: (predicted: Predicted, labels: readonly string[] | undefined, picture?: Canvas) => Shown;
  /** Comparison of several samples; absent if samples are not compared. */
  readonly compared?: (predicted: readonly Predicted[], samples: readonly ComparedSample[]) => Shown;
}

const forms: ShownForm<never>[] = [];

/** Adds forms of answers that the page shows; `src/browser.ts` names them. */
export function addForms(added: readonly ShownForm<never>[]): void {
  forms.push(...added);
}

/** Answers of a model on the page, with their names; `names` is undefined if its file states none. */
export function shownForm(described: Described): ShownForm<never> & { readonly names: readonly string[] | undefined } {
  const stated = described as unknown as Readonly<Record<string, readonly string[] | true | undefined>>;
  const { logits } = described;
  const isTold = ({ told }: ShownForm<never>): boolean =>
    told !== undefined && stated[told.key] !== undefined && (told.logits ?? logits) === logits;
  const form = forms.find(isTold) ?? forms.find(({ told }) => told === undefined)!;
  const names = stated[form.told?.key ?? 'labels'];
  return { ...form, names: names === true ? undefined : names };
}

/** Text of the outputs: by what they hold, with their names in the file behind it. */
export function givenText(described: Described | undefined, outputs: string): string {
  const { gives } = described === undefined ? {} : shownForm(described);
  return gives === undefined ? outputs : `${gives}; in the file ${outputs}`;
}

/** An answer in words. */
export function shownText(text: string): Shown {
  return { elements: () => [make('pre', { tabindex: 0 }, text)] };
}

/** Answers with all of their values by name, one on each line. */
export const shownValues = {
  called: 'values',
  shown: ({ values }: { readonly values: readonly Prediction[] }) => shownText(values.map(valueText).join('\n')),
};

function valueText({ index, label = `${index}`, probability, score }: Prediction): string {
  return `${label}: ${probability === undefined ? Number(score!.toPrecision(5)) : `${(100 * probability).toFixed(1)} %`}`;
}

/**
 * What `draw` draws over a picture, which is left out where this browser cannot show it. `scale`: width and height of the canvas as shares of those of the
 * picture that was sent.
 */
export function overPicture(
  label: string,
  { height, width }: { readonly height: number; readonly width: number },
  picture: Canvas | undefined,
  draw: (context: Context2d, scale: readonly [across: number, down: number]) => void,
): Canvas {
  const size = picture ?? { height, width };
  const canvas = canvasOf(size.width, size.height, { class: 'masked', role: 'img', 'aria-label': label });
  const context = canvas.getContext('2d');
  if (picture !== undefined) context.drawImage(picture, 0, 0);
  draw(context, [size.width / width, size.height / height]);
  return canvas;
}

/** A list of names, each with its value in words and as a bar of a share of the width. */
export function bars(
  rows: readonly { readonly name: string; readonly value: string; readonly share: number; readonly colour: string }[],
): Element {
  const items = rows.map(({ name, value, share, colour }) => {
    const fill = make('i');
    fill.style.setProperty('width', `${(100 * share).toFixed(1)}%`);
    fill.style.setProperty('background', colour);
    return make(
      'li',
      {},
      make('span', { class: 'label' }, name),
      make('span', { class: 'value' }, value),
      make('span', { class: 'bar', 'aria-hidden': true }, fill),
    );
  });
  return make('ol', {}, ...items);
}
