import { percent, sum } from '../../../base/numbers.ts';
import { finalModel } from '../../summary.ts';
import type { ModelRow, Report } from '../../types.ts';
import { markup } from '../markup.ts';
import type { Content, Markup } from '../markup.ts';
import { key } from '../charts/kinds.ts';
import { table, wholeTable } from '../tables.ts';

/** Accuracy of each model on each class, and the classes that it takes for one another. */
export function classesSection(report: Report): Content {
  const perClass = report.models.flatMap((model) => {
    const of = countsOf(model);
    return of === undefined ? [] : [{ id: model.id, ...of }];
  });
  if (perClass.length === 0) return '';
  const names = namesOf(report, perClass[0]!.samples.length);
  const rows = names.map((name, c) => {
    const of = perClass.map(({ samples, right }) => right[c]! / samples[c]!);
    const best = Math.max(...of.filter(Number.isFinite));
    const cells = of.map((share) => {
      const text = Number.isFinite(share) ? percent(share) : '–';
      return markup`<td>${share === best && of.length > 1 ? markup`<b>${text}</b>` : text}</td>`;
    });
    return markup`<tr><th scope="row">${name}</th><td>${perClass[0]!.samples[c]!}</td>${cells}</tr>`;
  });
  const per = table('Accuracy per class', ['class', 'samples', ...perClass.map(({ id }) => id)], rows);
  const hardest = perClass.map(({ id, samples, right }) => hardestOf(id, samples, right, names)).join(' ');
  return markup`<section id="classes"><h2>Class by class</h2><p>On the ${perClass[0]!.split} split. The best of each row is bold.</p>${per}
      ${names.length > 20 ? markup`<p><small>${hardest}</small></p>` : ''}${confusionMatrices(report, names, ({ confusion }) => confusion?.counts, String)}</section>`;
}

interface Counts {
  readonly split: string;
  readonly samples: readonly number[];
  readonly right: readonly number[];
}

function countsOf({ confusion, perClass }: ModelRow): Counts | undefined {
  if (confusion === undefined) return perClass;
  const { split, counts } = confusion;
  return { split, samples: counts.map(sum), right: counts.map((row, c) => row[c]!) };
}

function hardestOf(id: string, samples: readonly number[], right: readonly number[], names: readonly string[]): string {
  const worst = names
    .flatMap((name, c) => (samples[c] === 0 ? [] : [{ name, share: right[c]! / samples[c]! }]))
    .sort((a, b) => a.share - b.share)
    .slice(0, 3);
  return `Hardest for ${id}: ${worst.map(({ name, share }) => `${name} (${percent(share)})`).join(', ')}.`;
}

/** `[true class][given class]`: numbers of samples or pixels. */
type Matrix = readonly (readonly number[])[];
/** Text of a count, of `all` of the true class. */
type CountText = (count: number, all: number) => string;

/** Confusion matrices of all models; that of the final model is open. */
export function confusionMatrices(
  report: Report,
  names: readonly string[],
  matrixOf: (model: ModelRow) => Matrix | undefined,
  text: CountText,
): Markup {
  const rated = report.models.flatMap((model, kind) => {
    const counts = matrixOf(model);
    return counts === undefined ? [] : [{ model, kind, counts }];
  });
  const first = finalModel(report);
  const chosen = [...rated].sort((a, b) => Number(b.model === first) - Number(a.model === first));
  const made = chosen.map(({ model, kind, counts }, i) => {
    const twin = chosen.slice(0, i).find((other) => JSON.stringify(other.counts) === JSON.stringify(counts));
    const body =
      twin === undefined
        ? markup`<p><small>${worst(counts, names, text)}</small></p>${matrix(model, counts, names, text)}`
        : markup`<p><small>The same as that of ${twin.model.id}.</small></p>`;
    return markup`<details${i === 0 ? ' open' : ''}><summary>${key(kind)}Confusion matrix: ${model.id}</summary>${body}</details>`;
  });
  return markup`${made}`;
}

function matrix({ id }: ModelRow, counts: Matrix, names: readonly string[], text: CountText): Content {
  const rows = counts.map((row, truth) => {
    const all = sum(row);
    const cells = row.map((count, predicted) => {
      if (count === 0) return markup`<td class="zero">·</td>`;
      // Errors are shaded more strongly than hits: they are rare, and what one looks for.
      const share = count / all;
      const weight = truth === predicted ? 12 + 28 * share : 12 + 33 * Math.min(1, 4 * share);
      return markup`<td class="${truth === predicted ? 'hit' : 'miss'}" style="--w:${weight.toFixed(0)}%">${text(count, all)}</td>`;
    });
    return markup`<tr><th scope="row" title="${names[truth]!}">${names[truth]!}</th>${cells}</tr>`;
  });
  const head = ['true ↓ said →', ...names];
  return markup`<div class="confusion">${wholeTable(`Confusion matrix of ${id}`, head, rows)}</div>`;
}

function worst(counts: Matrix, names: readonly string[], text: CountText): string {
  const errors = counts.flatMap((row, truth) =>
    row.flatMap((count, said) => (truth === said || count === 0 ? [] : [{ truth, said, count }])),
  );
  const most = errors.sort((a, b) => b.count - a.count).slice(0, 3);
  if (most.length === 0) return 'No answer is wrong.';
  return `Most often: ${most.map(({ truth, said, count }) => `${names[truth]!} taken for ${names[said]!} (${text(count, sum(counts[truth]!))})`).join(', ')}.`;
}

function namesOf({ dataset }: Report, classes: number): string[] {
  return Array.from({ length: classes }, (_, c) => dataset.classNames?.[c] ?? String(c));
}
