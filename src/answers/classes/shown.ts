import { percent } from '../../base/numbers.ts';
import { bars } from '../../page/browser/forms.ts';
import type { Prediction, Shown, ShownForm } from '../../page/browser/forms.ts';
import { colourOf } from '../../page/browser/make.ts';

/** The likeliest classes that are shown. */
const MOST = 5;

export const shown: ShownForm<Prediction> = {
  called: 'classes',
  hasTop: true,
  shown: (predicted, labels): Shown => {
    const prediction = labelled(predicted, labels);
    const all = prediction.top ?? [prediction];
    const largest = Math.max(...all.map((one) => one.score ?? 0), 1e-9);
    return {
      elements: (kind) => [
        bars(
          all.slice(0, MOST).map((one) => ({
            name: nameOf(one),
            value: valueOf(one),
            share: Math.max(0.004, one.probability ?? Math.max(0, one.score ?? 0) / largest),
            colour: colourOf(kind),
          })),
        ),
      ],
      says: { what: nameOf(prediction), sureness: surenessOf(prediction) },
    };
  },
};

function labelled(prediction: Prediction, labels: readonly string[] | undefined): Prediction {
  if (labels === undefined) return prediction;
  const named = (one: Prediction): Prediction =>
    one.label === undefined && labels[one.index] !== undefined ? { ...one, label: labels[one.index]! } : one;
  return { ...named(prediction), ...(prediction.top && { top: prediction.top.map(named) }) };
}

function valueOf({ probability, score }: Prediction): string {
  return probability === undefined ? String(Number((score ?? 0).toPrecision(4))) : percent(probability, 1);
}

function nameOf({ label, index }: Prediction): string {
  return label ?? `class ${index}`;
}

function surenessOf({ probability }: Prediction): string {
  return probability === undefined ? '' : `, ${percent(probability, 1)}`;
}
